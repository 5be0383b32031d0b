"""Nobody fills the disk: files come from staff alone, and no more of them than may be sent."""

from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.platform.office.conftest import Desk

from equipoise.platform import receiving


def sent(client, size=10_000):
    file = SimpleUploadedFile("roster.csv", b"x" * size)
    return client.post("/link/swing", {"email": "somebody@example.org", "file": file}, secure=True)


def noted(monkeypatch):
    """Which files were begun."""
    begun = []
    real = receiving.StaffUploads.receive_data_chunk
    monkeypatch.setattr(
        receiving.StaffUploads,
        "receive_data_chunk",
        lambda self, data, start: begun.append(Path(self.file.name)) or real(self, data, start),
    )
    return begun


def test_a_file_from_somebody_who_is_not_signed_in_is_never_stored(swing, arriving, monkeypatch):
    begun = noted(monkeypatch)
    assert sent(Client()).status_code == 200
    assert begun == []
    assert list(arriving.iterdir()) == []


def test_a_file_from_staff_is_stored_while_it_is_looked_at(swing, alice, arriving, monkeypatch):
    begun = noted(monkeypatch)
    client = Client()
    client.force_login(alice)
    sent(client)
    assert begun


def stored(monkeypatch):
    """How many bytes of files lie on the disk at most."""
    most = [0]
    real = receiving.StaffUploads.receive_data_chunk

    def receive(self, data, start):
        real(self, data, start)
        self.file.flush()
        most[0] = max(most[0], Path(self.file.temporary_file_path()).stat().st_size)

    monkeypatch.setattr(receiving.StaffUploads, "receive_data_chunk", receive)
    return most


def test_of_a_table_that_is_too_large_no_more_is_stored_than_a_page_takes_and_the_page_says_so(
    swing, alice, arriving, monkeypatch
):
    monkeypatch.setattr(receiving, "LARGEST_TABLE", 200_000)
    monkeypatch.setattr("equipoise.platform.office.uploads.LARGEST", 200_000)
    most = stored(monkeypatch)
    desk = Desk().sign_in(alice)
    desk.get("/office/studies/swing/people/import/")
    file = SimpleUploadedFile("roster.csv", b"x" * 2_000_000)
    desk.post("/office/studies/swing/people/import/", kind="import", file=file, end="yes")
    assert desk.page.status_code == 422
    assert "the file is larger than" in desk.text.lower()
    assert most == [200_000]
    assert list(arriving.iterdir()) == []


def test_a_form_with_more_than_one_file_is_refused(swing, alice, arriving):
    client = Client()
    client.force_login(alice)
    files = {name: SimpleUploadedFile("a.csv", b"x" * 100_000) for name in ("one", "two")}
    assert client.post("/link/swing", {"email": "a@example.org", **files}, secure=True).status_code == 400
    assert list(arriving.iterdir()) == []


def test_what_is_too_large_is_cut_off_and_gone(swing, alice, arriving, monkeypatch):
    monkeypatch.setattr(receiving, "LARGEST_UPLOAD", 100_000)
    client = Client()
    client.force_login(alice)
    sent(client, size=1_000_000)
    assert list(arriving.iterdir()) == []
