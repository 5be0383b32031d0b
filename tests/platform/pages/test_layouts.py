"""The frame of every page, the parts for staff, and what a page weighs."""

import re
from importlib.resources import files

import pytest
from django.test import RequestFactory
from jinja2 import DictLoader, UndefinedError
from tests.platform.markup import assert_valid_html
from tests.platform.pages.gallery import KINDS, gallery, participant_page

from equipoise.platform.pages import errors
from equipoise.platform.pages.environment import environment
from equipoise.platform.pages.words import words_for

STATIC = files("equipoise.platform.pages").joinpath("static", "equipoise")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return gallery()


def test_every_page_is_valid_html(pages):
    assert_valid_html(pages)


def test_every_page_has_a_language_a_title_one_heading_and_a_way_past_the_frame(pages):
    for name, html in pages.items():
        assert re.search(r'<html lang="(en-GB|cy)"', html), name
        assert html.count("<h1") == 1, name
        assert re.search(r"<title>[^<]+</title>", html), name
        assert '<a href="#main-content" class="govuk-skip-link">' in html, name
        assert html.count("<main") == html.count("<header") == 1, name


def test_a_page_with_problems_says_so_first_in_its_title(pages):
    assert "<title>Error: Your work in the last four weeks – How you are at work</title>" in pages["wrong"]
    assert "<title>Gwall: " in pages["welsh"]
    assert "Error:" not in re.search("<title>.*</title>", pages["answered"])[0]


def test_every_problem_in_the_summary_leads_to_a_field(pages):
    for name in ("wrong", "welsh"):
        targets = re.findall(r'<li><a href="#([^"]+)"', pages[name])
        assert len(targets) == sum(asked.answered for asked in KINDS)
        assert set(targets) <= set(re.findall(r' id="([^"]+)"', pages[name]))


def test_pages_hold_no_style_script_or_address_of_somebody_else(pages):
    for name, html in pages.items():
        assert not re.search(
            r"<style|<script(?! src=)| style=| on[a-z]+=\"", html.replace("&lt;script", "")
        ), name
        links = re.findall(r'(?:src|href)="(https?:[^"]+)"', html)
        assert set(links) <= {"https://example.org"}, name


def test_nothing_says_whose_components_they_are(pages):
    for name, html in pages.items():
        shown = re.sub(r"<[^>]*>", " ", html)
        assert not re.search(r"GOV\.UK|crown", shown, re.IGNORECASE), name
    for sheet in ("participant.css", "staff.css"):
        assert not re.search(r"GDS Transport|crown|url\(", STATIC.joinpath(sheet).read_text(), re.IGNORECASE)


def test_a_page_of_three_questions_weighs_less_than_60_kilobytes_with_all_that_it_loads():
    html = participant_page(KINDS[:3])
    loaded = [path.split("/")[-1] for path in re.findall(r'<link[^>]* href="([^"]+)"', html)]
    assert sorted(loaded) == ["mark.svg", "participant.css"]
    assert len(html.encode()) + sum(len(STATIC.joinpath(name).read_bytes()) for name in loaded) < 60_000


def test_a_page_whose_language_the_platform_does_not_speak_marks_what_is_in_it():
    html = participant_page(KINDS[:1], language="fr")
    assert '<html lang="en-GB"' in html
    assert re.search(r'<main [^>]*lang="fr"', html)


def test_a_name_that_nobody_gave_is_an_error():
    with pytest.raises(UndefinedError, match="participnat"):
        environment().from_string("{{ participnat }}").render()


def test_the_macros_of_the_component_library_work_in_our_templates():
    template = (
        '{% from "govuk_frontend_jinja/components/radios/macro.html" import govukRadios %}'
        '{{ govukRadios({"name": "a", "items": [{"value": "x", "text": "<b>"}]}) }}'
    )
    made = environment(loader=DictLoader({"page.html": template})).get_template("page.html").render()
    assert "&lt;b&gt;" in made
    assert 'class="govuk-radios__input"' in made


def test_values_are_escaped_whatever_is_asked_for():
    assert environment(autoescape=False).from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (errors.bad_request, 400),
        (errors.forbidden, 403),
        (errors.not_found, 404),
        (errors.server_error, 500),
        (errors.csrf_failure, 403),
        (errors.too_many_requests, 429),
    ],
)
def test_an_error_page_says_what_to_do_and_nothing_of_what_was_asked(view, status):
    request = RequestFactory().get("/survey/secret-token/", {"email": "alice@example.org"})
    more = (
        ()
        if view in (errors.server_error, errors.csrf_failure, errors.too_many_requests)
        else (ValueError("secret"),)
    )
    response = view(request, *more)
    said = response.content.decode()
    assert response.status_code == status
    assert not re.search("secret|alice", said)
    assert re.search(r"try again|go back|open it again|sign in again|wait", said, re.IGNORECASE)


@pytest.mark.parametrize("status", [400, 403, 404, 410, 429, 500, 503])
def test_every_error_page_speaks_welsh_too(status):
    welsh = errors.error_page(status, "cy").content.decode()
    assert '<html lang="cy"' in welsh
    assert words_for("cy")["errors"][str(status)]["title"] in welsh
