"""A worker that has just shown itself, and a workspace whose settings a test can change."""

import os
import time
from pathlib import Path

import pytest
from django.conf import settings
from tests.platform.running.conftest import answered

from equipoise.platform import health
from equipoise.platform.operations.marker import HEARTBEAT, HELD

__all__ = ["answered"]


@pytest.fixture(autouse=True)
def _looked_at_anew():
    """Each test asks for itself; nothing is held when it begins or ends."""
    health.kept.forget()
    health.kept_messages.forget()
    held = Path(settings.WORKSPACE.folder) / HELD
    held.unlink(missing_ok=True)
    yield
    held.unlink(missing_ok=True)


@pytest.fixture
def beat():
    """A function that lets the worker have shown itself so many seconds ago; None for never."""
    place = Path(settings.WORKSPACE.folder) / HEARTBEAT

    def at(seconds):
        place.unlink(missing_ok=True)
        if seconds is not None:
            place.touch()
            moment = time.time() - seconds
            os.utime(place, (moment, moment))

    at(0)
    yield at
    place.unlink(missing_ok=True)


@pytest.fixture
def told(monkeypatch):
    """A function that gives the workspace other settings."""

    def change(**said):
        changed = settings.WORKSPACE.settings.model_copy(update=said)
        monkeypatch.setattr(settings.WORKSPACE, "settings", changed)

    return change
