"""A mail in Chromium: nothing that axe finds, and no wider than a telephone."""

import pytest
from tests.platform.markup import (
    assert_no_axe_violations,
    assert_nothing_scrolls_sideways,
    chromium,
    show,
)

from equipoise.messages import compile_message
from equipoise.protocol.models.files import Message

pytestmark = pytest.mark.browser
BODY = """# Your view, {name}

[Start the survey]({link}), or read on.

- one thing
- another, with `code`

## Why you

> Somebody said so.

To get no more messages: {stop_link}
"""
LINK = f"https://survey.example.org/s/{'a2b4' * 8}"


def test_a_mail_is_accessible_and_fits_a_telephone():
    mail = compile_message(Message(subject="Your view", body=BODY), language="en-GB")
    html = mail.html({"name": "Zoë", "link": LINK, "stop_link": LINK})
    with chromium() as browser:
        page = show(browser.new_context(viewport={"width": 320, "height": 640}), html)
        assert_no_axe_violations(page)
        assert_nothing_scrolls_sideways(page)
