"""A file that is cut off on its way: nothing of it is taken, wherever it ended, and the same file works again."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.request import UnreadablePostError
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from tests.platform.office.conftest import Desk

from equipoise.platform.people.models import Participant, PendingImport

pytestmark = pytest.mark.django_db
PAGE = "/office/studies/swing/people/import/"
ROWS = "".join(f"T{number},p{number}@example.org,,2021,north,2021-01-11\n" for number in range(4_000))
ROSTER = f"staff_ref,email,mobile,cohort,region,started_on\n{ROWS}".encode()


class Ending(io.BytesIO):
    """What came of a body before the connection was gone: then nothing more comes."""

    def __init__(self, body, length):
        super().__init__(body[:length])


class Failing(Ending):
    """The same where the server says that reading failed."""

    def read(self, *size):
        found = super().read(*size)
        if not found:
            raise OSError("the connection was reset")
        return found


@pytest.mark.parametrize("stream", [Ending, Failing])
def test_an_upload_that_is_cut_at_any_tenth_leaves_nothing_and_the_same_file_is_taken_afterwards(
    swing, alice, arriving, stream
):
    desk = Desk().sign_in(alice)
    desk.get(PAGE)
    token = desk.client.cookies["__Host-csrf"].value
    form = {
        "csrfmiddlewaretoken": token, "kind": "import", "file": SimpleUploadedFile("roster.csv", ROSTER), "end": "yes",
    }  # fmt: skip
    body = encode_multipart(BOUNDARY, form)

    def send(length):
        """What a page answers; 0 where the server has nobody left to answer."""
        try:
            return desk.client.generic(
                "POST", PAGE, b"-", MULTIPART_CONTENT, secure=True,
                **{"wsgi.input": stream(body, length), "CONTENT_LENGTH": str(len(body))},
            ).status_code  # fmt: skip
        except UnreadablePostError:
            return 0

    for tenth in range(10):
        assert send(len(body) * tenth // 10) in (0, 400, 403, 422), tenth
        assert list(arriving.iterdir()) == [], tenth
        assert not PendingImport.objects.exists(), tenth
    assert not Participant.objects.exists()

    assert send(len(body)) == 303
    assert PendingImport.objects.count() == 1
