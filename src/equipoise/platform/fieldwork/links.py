"""Links: personal ones to a wave or to one's choices, open ones for whoever comes; only hashes are stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.crypto import token, token_hash
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.models import Link, OpenLink
from equipoise.platform.kept import KeptQuery
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["PersonalLink", "close_open_link", "find_link", "find_open_link", "make_links", "make_open_link"]

_AT_ONCE = 2_000
_BY_HASH: KeptQuery[Link] = KeptQuery(
    lambda digest: Link.objects.select_related("participant__study").filter(token_hash=digest), "digest"
)


@dataclass(frozen=True)
class PersonalLink:
    """A link just made, the only time that it can be read: to the survey, and to stop messages or leave."""

    participant: str
    link: str
    stop_link: str


def make_links(
    who: Acting, study: Study, wave: str, participants: Sequence[Participant] | None = None
) -> list[PersonalLink]:
    """New personal links to a wave; earlier ones go on working.

    Args:
        who: needs `surveys.links`.
        study: live or paused.
        wave: its name.
        participants: for whom; everybody enrolled who has not finished the wave when left out.
    Raises:
        InputError: no such wave, or the study is not live.
    """
    check_permission(who, "surveys.links", study)
    check_state("surveys.links", study.state, of=study.name)
    _check_wave(study, wave)
    if participants is None:
        open_to = Participant.objects.filter(study=study, state="enrolled").order_by("key")
        participants = list(open_to.exclude(sessions__wave=wave, sessions__state="complete"))
    made = [(participant, token(), token()) for participant in participants]
    moment = now()
    rows = [
        Link(participant=participant, wave=to, token_hash=token_hash(text), made_at=moment)
        for participant, survey, stop in made
        for to, text in ((wave, survey), ("", stop))
    ]
    with writing():
        Link.objects.bulk_create(rows, batch_size=_AT_ONCE)
        record(study.name, who.actor, "surveys.links", {"wave": wave, "links": len(made)})
    return [
        PersonalLink(participant.key, address("survey-link", survey), address("stop-link", stop))
        for participant, survey, stop in made
    ]


def make_open_link(who: Acting, study: Study, wave: str, label: str) -> str:
    """A new open link to a wave, and its address, which is told this once.

    Raises:
        InputError: no such wave, no label or that of another open link, or a study that enrols from a
            roster.
    """
    check_permission(who, "surveys.links", study)
    check_state("surveys.links", study.state, of=study.name)
    _check_wave(study, wave)
    participants = folder_of(study).protocol.participants
    if participants is None or participants.enrolment != "open-link":
        message = "is not open-link, so people come in by a roster and have links of their own"
        raise InputError(Problem(study.name, "participants.enrolment", message))
    if not label.strip():
        raise InputError(Problem("", "label", "is empty; say where the link will be put up"))
    text, called = token(), label.strip()[:80]
    with writing():
        if OpenLink.objects.filter(study=study, wave=wave, label=called, closed_at=None).exists():
            message = "is that of a link which is open; choose another, so that the two can be told apart"
            raise InputError(Problem("", "label", message))
        OpenLink.objects.create(
            study=study, wave=wave, label=called, token_hash=token_hash(text), made_at=now()
        )
        record(study.name, who.actor, "surveys.open-link", {"wave": wave, "label": called})
    return address("open-link", text)


def close_open_link(who: Acting, link: OpenLink) -> None:
    """Let nobody new in by an open link; whoever has begun can finish."""
    check_permission(who, "surveys.links", link.study)
    with writing():
        OpenLink.objects.filter(pk=link.pk, closed_at=None).update(closed_at=now())
        record(link.study.name, who.actor, "surveys.open-link-closed", {"label": link.label})


def find_link(text: str) -> Link | None:
    """The personal link of a token, with its participant and study."""
    return _BY_HASH.first(token_hash(text))


def find_open_link(text: str) -> OpenLink | None:
    """The open link of a token, with its study."""
    return next(iter(OpenLink.objects.select_related("study").filter(token_hash=token_hash(text))), None)


def address(name: str, *parts: str) -> str:
    """A whole address, from the configured origin only: what a request says of its host is never believed."""
    return settings.WORKSPACE.settings.origin.rstrip("/") + reverse(name, args=parts)


def _check_wave(study: Study, wave: str) -> None:
    waves = list(folder_of(study).protocol.waves)
    if wave not in waves:
        raise InputError(
            Problem(study.name, "wave", f'"{wave}" is not a wave. Waves: {nearest(wave, waves)}')
        )
