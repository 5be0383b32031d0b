"""A whole journey of one person, whose every detail is a word of its own: it stands where it belongs and nowhere else.

Looked for in the log as the server writes it (and as Python would), in what is printed, in the record, on pages of
faults, and in the rows that are not encrypted.
"""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.platform.fieldwork.conftest import Browser, items
from tests.platform.office.conftest import Desk

from equipoise.platform.audit.models import Entry
from equipoise.platform.clock import set_clock
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Participant
from equipoise.platform.worker.loop import DUTIES

pytestmark = pytest.mark.django_db

DETAILS = {
    "identifier": "quagga-7731",
    "address": "wombat.canary@trainees.example.org",
    "telephone": "07700 900771",
    "answer": "my neighbour ocelot kept me awake",
}
FORMS = ("quagga", "wombat", "900771", "447700900771", "ocelot")
HEADER = "Trainee ID,Email,Mobile,Region,Start date\n"
ROW = "{identifier},{address},{telephone},{region},2020-07-13\n"


@pytest.fixture
def said(log, capfd):
    """A function that gives everything logged and printed so far, every level and every logger included."""

    def everything():
        printed = capfd.readouterr()
        return " ".join([*log.lines, printed.out, printed.err])

    yield everything
    assert logging.getLogger("django.db.backends").level <= logging.WARNING


def met(text):
    """Which of the details stand in a text, in whatever form."""
    plain = text.lower()
    return {form for form in FORMS if form in plain or form in re.sub(r"\D", "", plain)}


def test_a_person_is_nowhere_but_where_they_belong(swing, alice, said, monkeypatch):
    desk = Desk().sign_in(alice)
    desk.client.raise_request_exception = False
    tokens = _journey(desk, swing, monkeypatch)
    told = said()
    assert met(told) == set()
    assert not [token for token in tokens if token in told]
    entries = " ".join(map(str, Entry.objects.values_list("actor", "verb", "details")))
    assert met(entries) == set()
    assert not [token for token in tokens if token in entries]
    assert _rows_with_a_person() == {"fieldwork.Submission"}  # the answer, as it was given


def _journey(desk, study, monkeypatch):
    """Imported, with faults on the way; found, looked at, asked, answering, asking for the link again, erased."""
    root = "/office/studies/swing/people/"
    for region, kind in (("nowhere", "import"), ("north", "import")):
        file = SimpleUploadedFile("new-people.csv", (HEADER + ROW.format(region=region, **DETAILS)).encode())
        desk.act(f"{root}import/", {"kind": kind, "end": "yes", "file": file})
        at = desk.page["Location"]
        desk.act(at, {f"column-{name}": column for name, column in COLUMNS.items()} | {"same-cohort": "2020"})
        desk.follow()
        desk.post(desk.page.request["PATH_INFO"], _hidden(desk.html))
    person = Participant.objects.get()
    for sought in DETAILS.values():
        desk.get(root)
        desk.post(f"{root}find", sought=sought)
    desk.act(f"{root}{person.key}/")
    assert met(desk.text) >= {"quagga", "wombat"}
    desk.act(f"{root}{person.key}/link", wave="before")
    link = re.search(r"/s/[a-z2-7]{32}", desk.html)[0]
    _answered(link, study)
    desk.act(f"{root}{person.key}/report", {"as": "page"})
    assert "ocelot" in desk.text
    _faults(desk, person, link, monkeypatch)
    Client().post("/link/swing", {"email": DETAILS["address"]}, secure=True)
    set_clock(datetime(2021, 2, 11, 12, tzinfo=UTC))
    for duty in DUTIES:
        duty.do()
    return [link.rpartition("/")[2], Session.objects.get().code]


COLUMNS = {
    "staff_ref": "Trainee ID",
    "email": "Email",
    "mobile": "Mobile",
    "region": "Region",
    "started_on": "Start date",
}


def _hidden(html):
    return dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"', html))


def _answered(link, study):
    browser = Browser().open(link).send()
    browser.send({f"consent.{name}": "yes" for name in ("survey", "interview", "recording", "quotation")})
    for page in ("wellbeing", "burnout", "connection", "absence"):
        browser.send(items(study, "wellbeing", page))
    browser.send({"comment": DETAILS["answer"]})
    assert browser.heading == "Thank you"


def _faults(desk, person, link, monkeypatch):
    """Pages that fail with the person in their hands: each tells only that it failed."""
    root, stranger = "/office/studies/swing/people/", Client(raise_request_exception=False)
    with monkeypatch.context() as broken:
        broken.setattr("equipoise.platform.office.people.person.disclose_contact", _fails)
        broken.setattr("equipoise.platform.office.people.everybody.identifier_digest", _fails)
        broken.setattr("equipoise.platform.fieldwork.views.landing.find_link", _fails)
        broken.setattr("equipoise.platform.fieldwork.views.again.ask_for_link", _fails)
        pages = [
            desk.act(f"{root}{person.key}/"),
            desk.post(f"{root}find", sought=DETAILS["identifier"]),
            stranger.get(link, secure=True),
            stranger.post("/link/swing", {"email": DETAILS["address"]}, secure=True),
        ]
    assert [page.status_code for page in pages] == [500] * 4
    assert met(" ".join(page.content.decode() for page in pages)) == set()


def _fails(*given, **named):
    detail = " ".join(DETAILS.values())
    raise RuntimeError(f"it failed for {detail} with {given} {named}")


def _rows_with_a_person():
    """The tables of which a row that is not encrypted holds a detail."""
    return {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if met(json.dumps(list(model._base_manager.values()), default=str))
    }


def test_what_is_looked_for_would_be_found():
    assert met("Wombat.Canary@Trainees.example.org rang from +44 7700 900771") == {
        "wombat",
        "900771",
        "447700900771",
    }
    try:
        _fails()
    except RuntimeError:
        assert met("".join(traceback.format_exception(*sys.exc_info()))) >= {"quagga", "ocelot"}
