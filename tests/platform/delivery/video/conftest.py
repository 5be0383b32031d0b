"""A live study that sends videos, its participants, and messages that were sent to them."""

from datetime import timedelta

import pytest
from tests.platform.fieldwork.conftest import Browser

from equipoise.platform.clock import now
from equipoise.platform.crypto import token, token_hash
from equipoise.platform.delivery.engine.sealing import seal_events
from equipoise.platform.delivery.models import (
    ClosedAddress,
    Dispatch,
    DispatchEvent,
    MessageLink,
    Receipt,
    Watch,
)
from equipoise.platform.fieldwork.models import Link
from equipoise.platform.people.models import Participant, RosterFacts
from equipoise.platform.registry.actions import move_study


@pytest.fixture
def awards(add_example, alice):
    """The example `symbolic-awards`, live."""
    return move_study(alice, add_example("symbolic-awards"), "live")


@pytest.fixture
def person(awards):
    """Somebody of Northmoor in the study."""
    return enrolled(awards)


@pytest.fixture
def browser():
    return Browser()


def enrolled(study, **facts):
    said = {"authority": "northmoor", "team": "Fostering", "started_on": "2020-01-11", **facts}
    person = Participant.objects.create(study=study, enrolled_at=now())
    RosterFacts.objects.create(participant=person, values=said)
    return person


def sent(person, contact="thank-you-video", occasion=1, *, state="sent", at=None, **more):
    """A message that went out to somebody."""
    when = at or now()
    times = {"due_at": when, "next_at": when, "last_at": when + timedelta(days=7)}
    gone = (
        {"sent_at": when, "version": person.study.version} if state in ("sent", "delivered", "failed") else {}
    )
    return Dispatch.objects.create(
        study=person.study,
        participant=person,
        contact=contact,
        occasion=occasion,
        channel="email",
        carrier="smtp",
        state=state,
        **{**times, **gone, **more},
    )


def everything_kept(person, contact):
    """A message with all that can come of it, under a seal as far as seals go."""
    dispatch = sent(
        person, contact, state="delivered", reference=f"r{person.pk}", provider_id=f"p{person.pk}"
    )
    page_link(dispatch)
    moment = now()
    dispatch.links.update(opened_at=moment, started_at=moment)
    Watch.objects.create(
        dispatch=dispatch, seconds=30.0, length=77.0, ranges=[[0, 30]], first_at=moment, last_at=moment
    )
    for kind in ("sending", "sent", "delivered"):
        DispatchEvent.objects.create(dispatch=dispatch, kind=kind, source="worker", at=moment)
    told = {"carrier": dispatch.carrier, "status": "delivered", "told_at": moment, "at": moment}
    Receipt.objects.create(provider_id=f"p{person.pk}", **told)
    Receipt.objects.create(provider_id=f"q{person.pk}", reference=f"r{person.pk}", **told)
    ClosedAddress.objects.create(
        participant=person, column="email", digest="0" * 64, reason="bounced", at=moment
    )
    seal_events()
    return dispatch


def page_link(dispatch):
    """The address of a message's page."""
    text = token()
    MessageLink.objects.create(dispatch=dispatch, token_hash=token_hash(text), made_at=now())
    return f"/m/{text}"


def stop_token(person):
    text = token()
    Link.objects.create(participant=person, wave="", token_hash=token_hash(text), made_at=now())
    return text
