"""Markdown on pages holds nothing but prose; moments name their zone."""

from datetime import UTC, date, datetime

import pytest

from equipoise.platform.pages.filters import day, iso, moment, number
from equipoise.platform.pages.prose import prose


def test_html_in_a_text_is_shown_as_text():
    html = prose("A <script>alert(1)</script> and <b>bold</b>")
    assert "<script>" not in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "//other.example.org"]
)  # fmt: skip
def test_a_link_that_could_do_harm_stays_text(address):
    assert "<a" not in prose(f"[press]({address})")
    assert "<a" not in prose(f"<{address}>")


@pytest.mark.parametrize("address", ["https://example.org/a?b=c", "mailto:study@example.org", "tel:07700900001", "/privacy", "#more"])  # fmt: skip
def test_a_link_does_not_say_where_it_is_followed_from(address):
    html = prose(f"[press]({address})")
    assert f'href="{address}"' in html
    assert 'rel="noreferrer noopener"' in html


def test_pictures_from_elsewhere_are_not_fetched():
    assert "<img" not in prose("![a picture](https://example.org/x.png)")


def test_headings_are_under_that_of_the_page():
    assert "<h2" in prose("# One")
    assert "<h3" in prose("# One", 3)
    assert "<h1" not in prose("# One\n\nTwo\n===")
    assert "<h6" in prose("##### Five", 3)


def test_a_moment_is_in_the_zone_of_the_study_and_names_it():
    opens = datetime(2021, 7, 1, 8, 0, tzinfo=UTC)
    assert moment(opens, "Europe/London") == "Thursday 1 July 2021, 09:00 (London time)"
    assert moment(opens, "America/New_York") == "Thursday 1 July 2021, 04:00 (New York time)"
    assert moment(opens, "Europe/London", "cy") == "dydd Iau 1 Gorffennaf 2021, 09:00 (amser London)"


def test_a_day_is_that_of_the_zone():
    late = datetime(2021, 7, 1, 23, 30, tzinfo=UTC)
    assert day(late, "Europe/London") == "2 July 2021"
    assert day(date(2021, 7, 1)) == "1 July 2021"
    assert iso(late) == "2021-07-01T23:30:00+00:00"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="must say its zone"):
        moment(datetime(2021, 7, 1, 8, 0), "Europe/London")  # noqa: DTZ001


def test_numbers_have_thousands_apart_and_a_true_minus():
    assert [number(12345), number(-0.5, 2), number(-0.001, 2), number(None)] == [
        "12,345",
        "−0.50",
        "0.00",
        "–",
    ]
