"""Every kind of question in every state, and every part of the pages for staff, as whole pages."""

from dataclasses import replace
from datetime import UTC, datetime

from jinja2 import DictLoader
from markupsafe import Markup

from equipoise.platform.pages.environment import environment
from equipoise.platform.pages.fields import id_of
from equipoise.platform.pages.questions import question_html
from equipoise.protocol.asked import Asked, Choice

__all__ = ["ANSWERED", "KINDS", "LIKERT", "gallery", "participant_page"]

SCALE = tuple(
    Choice(str(code), label)
    for code, label in enumerate(
        ("None of the time", "Rarely", "Some of the time", "Often", "All of the time")
    )
)
SEVEN = tuple(
    Choice(str(code), label)
    for code, label in enumerate(
        ("Strongly disagree", "Moderately disagree", "Slightly disagree", "Neither agree nor disagree",
         "Slightly agree", "Moderately agree", "Strongly agree"), start=1
    )
)  # fmt: skip
OPTIONS = (
    Choice("visits", "Notes of a visit"),
    Choice("calls", "Notes of a call or of a meeting with another organisation"),
    Choice("something_else", "Something else", other=True),
)
PARTS = (
    Choice("pay", "Pay"),
    Choice("time", "More time with families and with children"),
    Choice("team", "My team"),
)

KINDS = (
    Asked("scale.calm", "choice", "I have been calm at work.", choices=SCALE, numeric=True, prefer_not_to_say=True),
    Asked("scale.team", "choice", "My team stands by me.", choices=SEVEN, numeric=True),
    Asked("role", "choice", "What do you write most?", "Think of the last week.", OPTIONS, dont_know=True, prefer_not_to_say=True),
    Asked("uses", "choices", "What did you dictate?", choices=OPTIONS, dont_know=True),
    Asked("hours", "number", "How many hours did you work last week?", "Your best guess is enough.", low=0, high=168, unit="hours", prefer_not_to_say=True),
    Asked("gain", "number", "How many minutes did it save?", low=-300, high=600, unit="minutes per week"),
    Asked("word", "text", "One word for last week?", prefer_not_to_say=True),
    Asked("more", "long-text", "Is there anything that you would like to add?", "Please name nobody."),
    Asked("began", "date", "When did you begin here?", dont_know=True),
    Asked("first", "ranking", "What matters most to you?", choices=PARTS, dont_know=True),
    Asked("warm", "slider", "How warm is your room?", low=0, high=100, step=5, unit="points", end_labels=("Cold", "Hot"), prefer_not_to_say=True),
    Asked("money", "allocation", "Share out the budget.", choices=PARTS, total=100, unit="pounds"),
    Asked("agree", "consent", "May we ask you again in a year?", choices=(Choice("yes", "Yes, I agree"), Choice("no", "No"))),
    Asked("news", "information", "You said **40** hours.\n\n- one [link](https://example.org)\n- two"),
    Asked("film", "video", "The plan in a minute", media="/media/plan.mp4", captions="/media/plan.vtt", transcript="/media/plan.txt"),
)  # fmt: skip

ANSWERED = {
    "scale.calm": ("2",),
    "scale.team": ("7",),
    "role": ("something_else",),
    "role.other": ('Letters & "cards" <b>',),
    "uses": ("visits", "something_else"),
    "uses.other": ("Lists",),
    "hours": ("forty",),
    "gain": ("−5",),
    "word": ("__refused",),
    "more": ("First line\n\n<script>alert(1)</script>",),
    "began__day": ("31",),
    "began__month": ("February",),
    "began__year": ("2020",),
    "first.pay": ("1",),
    "first.time": ("1",),
    "warm": ("55",),
    "money.pay": ("60",),
    "money.team": ("10",),
    "agree": ("no",),
}
LIKERT = tuple(
    Asked(
        f"scale.item_{number}", "choice", f"Statement number {number}.", choices=SCALE, prefer_not_to_say=True
    )
    for number in range(1, 20)
)

_QUESTIONS = """{% extends "layouts/participant.html" %}{% from "components/journey.html" import submit %}
{% block content %}<form method="post" novalidate>{% for each in questions %}{{ each }}{% endfor %}
{{ submit("", words, later=true) }}</form>{% endblock %}"""

_OFFICE = """{% extends "layouts/staff.html" %}
{% from "components/office.html" import bars, button_link, copyable, data_table, facts, pages, tag %}
{% from "govuk_frontend_jinja/components/file-upload/macro.html" import govukFileUpload %}
{% from "govuk_frontend_jinja/components/button/macro.html" import govukButton %}
{% from "govuk_frontend_jinja/components/warning-text/macro.html" import govukWarningText %}
{% block actions %}{{ button_link("Import people", "/import") }}{% endblock %}
{% block content %}
<p class="govuk-body">The first wave opens on {{ opens | moment("Europe/London") }}. {{ tag("Live", "green") }} {{ tag("Paused", "yellow") }}</p>
{{ facts([("Title", "Swing"), ("Launch", opens | day("Europe/London"), {"href": "/launch", "text": "Change"})]) }}
<h2 class="govuk-heading-m">Response</h2>
{{ bars("Answers by wave", [{"text": "Before", "value": 420, "of": 1204}, {"text": "After", "value": 0, "of": 0}]) }}
<h2 class="govuk-heading-m">People</h2>
{{ data_table("People in the study", columns, rows) }}
{{ data_table("Withdrawals", columns, [], "Nobody has left the study.") }}
{{ pages(2, 31, "?page={page}") }}
{{ copyable("The commitment of the draw", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08") }}
{{ govukWarningText({"text": "An import cannot be undone after the draw.", "iconFallbackText": "Warning"}) }}
<form method="post" enctype="multipart/form-data">{{ govukFileUpload({"id": "file", "name": "file", "label": {"text": "Upload a roster"}}) }}
{{ govukButton({"text": "Upload"}) }}</form>
{% endblock %}"""

_SIGN_IN = """{% extends "layouts/sign_in.html" %}{% block content %}<form method="post" novalidate>
<div class="govuk-form-group"><label class="govuk-label" for="login">E-mail address</label><input class="govuk-input" id="login" name="login" type="email" autocomplete="username" spellcheck="false"></div>
<button type="submit" class="govuk-button">Continue</button></form>{% endblock %}"""

_TEMPLATES = {"questions.html": _QUESTIONS, "office.html": _OFFICE, "sign_in.html": _SIGN_IN}
_AROUND = {
    "site_title": "How you are at work",
    "contact": "study@example.org",
    "contact_email": "study@example.org",
    "privacy_url": "/privacy",
    "choices_url": "/choices",
    "back_url": "/back",
    "progress": {"page": 2, "pages": 7},
    "page_title": "Your work in the last four weeks",
}


def gallery() -> dict[str, str]:
    """Pages by name."""
    wrong = {asked.key: "Enter this again, for example 40" for asked in KINDS if asked.answered}
    problems = [{"id": id_of(key), "text": text} for key, text in wrong.items()]
    french = tuple(replace(asked, lang="fr") for asked in KINDS)
    return {
        "blank": participant_page(KINDS, demonstration=True),
        "answered": participant_page(KINDS, form=ANSWERED),
        "wrong": participant_page(KINDS, form=ANSWERED, wrong=wrong, problems=problems),
        "welsh": participant_page(KINDS, language="cy", wrong=wrong, problems=problems, demonstration=True),
        "mixed": participant_page(french, language="cy"),
        "items": participant_page(LIKERT, scripts=["slider"]),
        "alone": participant_page((KINDS[2],), heading=True, page_title=""),
        "office": _office(),
        "sign-in": _rendered("sign_in.html", page_title="Sign in", csrf_input="", home_url="/"),
        **{f"error-{status}": _rendered(f"errors/{status}.html") for status in (404, 500)},
    }


def participant_page(asked, form=None, wrong=(), language="en-GB", heading=False, **values):
    """A page with these questions."""
    messages = dict(wrong)
    questions = [
        question_html(each, form, messages.get(each.key), language=language, heading=heading)
        for each in asked
    ]
    return _rendered("questions.html", **{**_AROUND, "lang": language, "questions": questions, **values})


def _office() -> str:
    columns = [
        {"key": "name", "text": "Participant", "sort_url": "?sort=name", "sorted": "ascending"},
        {"key": "team", "text": "Team"},
        {"key": "sent", "text": "Messages sent", "number": True, "sort_url": "?sort=-sent"},
        {"key": "share", "text": "Share read (%)", "number": True},
    ]
    rows = [
        {"name": {"text": f"P-{row:04}", "href": f"/people/{row}"}, "team": "Northmoor, duty and assessment", "sent": f"{row * 911:,}", "share": row}
        for row in range(1, 6)
    ]  # fmt: skip
    return _rendered(
        "office.html",
        page_title="Overview",
        study_title="Swing: letters from peers to new prison officers",
        study_url="/studies/swing",
        navigation=[
            {"text": name, "href": f"/{name}", "current": name == "Overview"}
            for name in ("Overview", "Protocol", "People", "Allocation", "Messages", "Surveys", "Results", "Audit")
        ],
        breadcrumbs=[{"text": "Studies", "href": "/studies"}],
        messages=[Message("1,204 people were imported.", "success"), Message("The first wave opens today.", "info")],
        signed_in_as="alice@example.org",
        sign_out_url="/out",
        home_url="/",
        csrf_input=Markup('<input type="hidden" name="csrfmiddlewaretoken" value="x">'),
        opens=datetime(2021, 7, 1, 8, 0, tzinfo=UTC),
        columns=columns,
        rows=rows,
    )  # fmt: skip


class Message(str):
    """A message as Django's framework gives it: a text with tags."""

    tags: str

    def __new__(cls, text: str, tags: str) -> "Message":
        made = super().__new__(cls, text)
        made.tags = tags
        return made


def _rendered(template: str, **values: object) -> str:
    return environment(loader=DictLoader(_TEMPLATES)).get_template(template).render(**values)
