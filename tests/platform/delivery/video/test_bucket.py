"""Films served from a bucket, in parts, and from the folder of the study wherever the bucket does not do."""

import re
import subprocess
import sys
from io import BytesIO

import pytest
from django.conf import settings as configured
from django.core.files.storage import storages
from moto.server import ThreadedMotoServer
from tests.platform.delivery.video.conftest import page_link, sent

from equipoise.errors import InputError
from equipoise.platform.operations.checks.media import copies
from equipoise.platform.registry import media
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.settings import buckets
from equipoise.platform.workspace import Bucket, create_workspace

pytestmark = pytest.mark.django_db
KEYS = {"EQUIPOISE_MEDIA_KEY": "a key of the tests", "EQUIPOISE_MEDIA_SECRET": "a secret of the tests"}


@pytest.fixture(scope="module")
def store():
    """A server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bucket(store, settings, monkeypatch):
    """A bucket in which the workspace has its media, new and empty."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    address = "http://{}:{}".format(*store.get_host_and_port())
    said = Bucket(bucket="films", endpoint=address, region="eu-west-2")
    changed = configured.WORKSPACE.settings.model_copy(update={"media": said})
    monkeypatch.setattr(configured.WORKSPACE, "settings", changed)
    settings.STORAGES = {**settings.STORAGES, "media": buckets.bucket_storage(said)}
    monkeypatch.setattr(media, "_copied", set())
    monkeypatch.setattr(media, "_rests_until", 0.0)
    there = storages["media"].bucket
    there.create(CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    yield there
    there.objects.delete()
    there.delete()


@pytest.fixture
def film(awards, person, browser):
    """A function that asks for the film of somebody's message, or a part of it."""
    page = browser.open(page_link(sent(person))).send()
    source = re.search(r'<source src="([^"]+)"', page.html)[1]

    def ask(part=""):
        headers = {"Range": part} if part else {}
        return page.client.get(source, headers=headers, secure=True)

    return ask


def body(response):
    return b"".join(response.streaming_content)


def told(caplog):
    """What our own log says."""
    return [each.getMessage() for each in caplog.records if each.name.startswith("equipoise")]


def test_the_worker_copies_each_file_once_by_its_hash_and_pages_take_parts_from_there(bucket, awards, film):
    folder = folder_of(awards)
    assert media.copy_media() == len({media.key_of(folder, name) for name in folder.media})
    assert media.copy_media() == 0
    whole = (folder.folder / "media" / "northmoor.mp4").read_bytes()
    key = media.key_of(folder, "media/northmoor.mp4")
    assert key == f"media/{folder.media['media/northmoor.mp4']}.mp4"
    assert bucket.Object(key).get()["Body"].read() == whole
    assert [str(each) for each in copies(configured.WORKSPACE)] == [
        f"good   media      the bucket films has all {len(set(folder.media.values()))} files"
    ]

    other = bytes(len(whole))  # so that it can be told which of the two is served
    bucket.upload_fileobj(BytesIO(other), key)
    part = film("bytes=4-11")
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 4-11/{len(whole)}")
    assert body(part) == other[4:12]
    assert body(film()) == other
    assert film("bytes=999999999-").status_code == 416


def test_what_is_not_copied_yet_and_what_cannot_be_reached_is_served_by_the_folder(
    bucket, awards, film, monkeypatch, caplog
):
    whole = (folder_of(awards).folder / "media" / "northmoor.mp4").read_bytes()
    assert body(film()) == whole
    assert [str(each)[:17] for each in copies(configured.WORKSPACE)] == ["note   media     "]
    assert told(caplog) == []

    away = storages["media"]
    monkeypatch.setattr(media, "bucket", lambda: away)
    monkeypatch.setattr(type(away), "bucket", property(lambda self: 1 / 0))
    monkeypatch.setattr(media, "_failures", lambda: (ZeroDivisionError,))
    for _ in range(2):  # and it is left alone for a while
        assert body(film("bytes=0-7")) == whole[:8]
    assert told(caplog) == ["the bucket of media cannot be read (ZeroDivisionError); folders serve"]


def test_a_bucket_that_refuses_us_is_told_without_its_keys(bucket, awards, monkeypatch):
    there = storages["media"]
    monkeypatch.setattr(type(there), "exists", lambda *_: there.bucket.Object("none").get())
    (said,) = [str(each) for each in copies(configured.WORKSPACE)]
    assert said.startswith("wrong  media      the bucket films cannot be read (NoSuchKey); folders serve")
    assert "EQUIPOISE_MEDIA_SECRET" in said
    assert not any(value in said for value in KEYS.values())


def test_without_what_speaks_to_buckets_the_workspace_says_what_to_install(monkeypatch):
    monkeypatch.setattr(buckets, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"install it: pip install 'equipoise\[s3\]'"):
        buckets.bucket_storage(Bucket(bucket="films"))


@pytest.mark.parametrize("address", ["http://films.example.org", "ftp://films.example.org", "films"])
def test_an_address_without_tls_is_refused(tmp_path, address):
    create_workspace(tmp_path / "workspace", mode="rehearsal")
    with (tmp_path / "workspace" / "workspace.yaml").open("a", encoding="utf-8") as file:
        file.write(f"media: {{bucket: films, endpoint: '{address}'}}\n")
    command = [sys.executable, "-m", "equipoise", "doctor", str(tmp_path / "workspace")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "media.endpoint" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
