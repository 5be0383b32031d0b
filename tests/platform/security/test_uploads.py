"""Nobody fills the disk: files come from staff alone, and no more of them than may be sent."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from equipoise.platform import receiving


@pytest.fixture
def place(settings, tmp_path):
    """Where uploads are stored on their way."""
    found = tmp_path / "arriving"
    found.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(found)
    return found


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


def test_a_file_from_somebody_who_is_not_signed_in_is_never_stored(swing, place, monkeypatch):
    begun = noted(monkeypatch)
    assert sent(Client()).status_code == 200
    assert begun == []
    assert list(place.iterdir()) == []


def test_a_file_from_staff_is_stored_while_it_is_looked_at(swing, alice, place, monkeypatch):
    begun = noted(monkeypatch)
    client = Client()
    client.force_login(alice)
    sent(client)
    assert begun


def test_what_is_too_large_is_cut_off_and_gone(swing, alice, place, monkeypatch):
    monkeypatch.setattr(receiving, "LARGEST_UPLOAD", 100_000)
    client = Client()
    client.force_login(alice)
    sent(client, size=1_000_000)
    assert list(place.iterdir()) == []
