"""A button that is pressed eight times at once, by staff or by a participant: one effect, and no page of a fault."""

import copy
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client
from tests.platform.fieldwork.conftest import Browser, enrolled
from tests.platform.office.conftest import Desk

from equipoise.platform.audit.models import Chain, Entry
from equipoise.platform.audit.queries import chain_faults
from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.models import Session, Submission
from equipoise.platform.people.models import Consent, Participant, Withdrawal
from equipoise.platform.staff.actions import CommandLine
from equipoise.platform.staff.models import Role

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def pressed(client, path, fields):
    """The answers to eight presses of one button in one browser, each with a connection of its own."""
    token, ready = client.cookies["__Host-csrf"].value, Barrier(AT_ONCE)

    def press(_):
        mine = Client(
            enforce_csrf_checks=True, raise_request_exception=False, HTTP_ORIGIN="https://testserver"
        )
        mine.cookies = copy.deepcopy(client.cookies)
        ready.wait()
        try:
            return mine.post(path, {"csrfmiddlewaretoken": token, **fields}, secure=True).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(press, range(AT_ONCE)))


def recorded(verb):
    return Entry.objects.filter(verb=verb).count()


def test_what_staff_press_eight_times_is_done_once(swing, alice):
    desk, person = Desk().sign_in(alice), enrolled(swing)[0]
    root = "/office/studies/swing/"
    desk.get(f"{root}move/paused")
    told = pressed(desk.client, f"{root}move/paused", {"name": "swing", "reason": "A pause"})
    assert (recorded("study.pause"), told[303] >= 1, set(told) <= {303, 422}) == (1, True, True), told
    desk.get(f"{root}people/{person.key}/leave")
    said = {"name": person.key, "reason": "They rang", "choice": "everything", "channel": "telephone"}
    told = pressed(desk.client, f"{root}people/{person.key}/leave", said)
    assert (Withdrawal.objects.count(), Participant.objects.get().state) == (1, "withdrawn")
    assert set(told) <= {303, 422}, told
    desk.get(f"{root}staff/")
    before = recorded("staff.grant")
    told = pressed(desk.client, f"{root}staff/", {"email": "bob@example.org", "role": "auditor"})
    assert (Role.objects.filter(role="auditor").count(), recorded("staff.grant") - before) == (1, 1), told
    assert set(told) <= {303, 422}, told
    assert [list(chain_faults(chain)) for chain in Chain.objects.all()] == [[]] * Chain.objects.count()


def test_what_a_participant_presses_eight_times_is_done_once(swing):
    person = enrolled(swing)[0]
    link = make_links(CommandLine(), swing, "before", [person])[0]
    browser = Browser().open(link.link)
    told = pressed(browser.client, browser.path, {})
    assert (set(told), Session.objects.count()) == ({303}, 1)
    browser.send()
    consent = {f"consent.{name}": "yes" for name in ("survey", "interview", "recording", "quotation")}
    told = pressed(browser.client, browser.path, {**browser.hidden(), **consent})
    assert set(told) == {303}
    assert Consent.objects.filter(activity="survey", given=True).count() == 1
    browser.open(f"/survey/{Session.objects.get().code}/page/absence").open(
        f"/survey/{Session.objects.get().code}/"
    )
    told = pressed(browser.client, browser.path, {**browser.hidden(), "__later": "1"})
    assert (set(told), Submission.objects.count()) == ({303}, 1)
    browser.open(link.stop_link)
    told = pressed(browser.client, browser.path, {"choice": "erase", "sure": "yes"})
    assert set(told) <= {200, 410}
    assert Withdrawal.objects.filter(choice="erase").count() == 1
    assert Participant.objects.get().state == "erased"
