"""What the tests of security share: a participant's link, a member at a desk, and what is written to the log."""

import logging
import os
import re

import pytest
from tests.platform.fieldwork.conftest import ORIGIN, enrolled
from tests.platform.staff.conftest import PASSWORD, App, Desk

from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.throttle import refused_tokens
from equipoise.platform.logs import NoSecrets, OneLine
from equipoise.platform.staff.actions import CommandLine

# What asks no database is tried once, with the first of them.
WITHOUT_A_DATABASE = (
    "test_hostile_texts.py",
    "test_outgoing.py",
    "test_planted_report.py",
    "test_sources.py",
)
if os.environ.get("EQUIPOISE_TEST_DATABASE") == "postgresql":
    collect_ignore = [*WITHOUT_A_DATABASE, "planted/test_planted_text_in_chromium.py"]


@pytest.fixture
def link(swing):
    """A new participant's links, as paths: to the survey, and to stop messages."""
    made = make_links(CommandLine(), swing, "before", enrolled(swing))[0]
    return made.link.removeprefix(ORIGIN), made.stop_link.removeprefix(ORIGIN)


@pytest.fixture
def desk(alice):
    """Alice at her desk, signed in by both factors; `app` is hers."""
    alice.set_password(PASSWORD)
    alice.save()
    desk = Desk()
    desk.app = App()
    desk.enter_password()
    desk.app.secret = re.search(r"<code[^>]*>([A-Z2-7]+)</code>", desk.page.content.decode())[1]
    desk.post("/staff/device", code=desk.app.code(-1))
    return desk


@pytest.fixture
def nobody_has_guessed():
    """Wrong links are counted anew."""
    refused_tokens.forget()
    yield
    refused_tokens.forget()


@pytest.fixture
def log():
    """Everything that is logged, as the platform's own handler writes it."""

    class Kept(logging.Handler):
        lines = ()

        def emit(self, record):
            self.lines = (*self.lines, self.format(record))

    kept = Kept()
    kept.addFilter(NoSecrets())
    kept.setFormatter(OneLine())
    root = logging.getLogger()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.INFO)
    yield kept
    root.removeHandler(kept)
    root.setLevel(level)
