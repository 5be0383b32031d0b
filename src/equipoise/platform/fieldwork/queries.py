"""Reading the fieldwork: how many have answered, by wave, partner and day; what one person has sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from equipoise.platform.fieldwork.models import OpenLink, Session
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.asked import WHY

__all__ = [
    "PersonAnswer",
    "Response",
    "answers_of",
    "open_links",
    "responses",
    "responses_by_day",
    "sessions_of",
]


@dataclass(frozen=True)
class Response:
    """How many of whom: those asked for, those who began, those who finished.

    `asked` are all who are enrolled (everybody who came, with open links); `partner` is None for all
    together.
    """

    wave: str
    partner: str | None
    asked: int
    started: int
    complete: int

    @property
    def rate(self) -> float | None:
        """The share that finished; None where nobody was asked."""
        return self.complete / self.asked if self.asked else None


@dataclass(frozen=True)
class PersonAnswer:
    """One answer of one person, for the report that they can ask for."""

    wave: str
    question: str
    answer: str
    at: str
    channel: str


def responses(study: Study) -> list[Response]:
    """Each wave, together and by partner, in three queries however many people there are."""
    people = Participant.objects.filter(study=study).exclude(state="ineligible")
    asked = dict(people.values_list("partner__title").annotate(n=Count("pk")))
    found = {
        (wave, partner): (started, complete)
        for wave, partner, started, complete in Session.objects.filter(participant__study=study)
        .values_list("wave", "participant__partner__title")
        .annotate(started=Count("pk"), complete=Count("pk", filter=Q(state="complete")))
    }
    rows = []
    for wave in folder_of(study).protocol.waves:
        parts = [
            Response(wave, partner, number, *found.get((wave, partner), (0, 0)))
            for partner, number in sorted(asked.items(), key=lambda item: item[0] or "")
        ]
        whole = [sum(getattr(part, name) for part in parts) for name in ("asked", "started", "complete")]
        rows += [Response(wave, None, *whole), *(part for part in parts if part.partner is not None)]
    return rows


def responses_by_day(study: Study, wave: str) -> list[tuple[date, int]]:
    """How many finished on each day, in the study's zone; days on which nobody did are left out."""
    zone = ZoneInfo(folder_of(study).protocol.study.timezone)
    done = Session.objects.filter(participant__study=study, wave=wave, state="complete")
    by_day = done.annotate(day=TruncDate("ended_at", tzinfo=zone)).values_list("day")
    return list(by_day.annotate(n=Count("pk")).order_by("day"))


def sessions_of(participant: Participant) -> list[Session]:
    """A person's sessions by wave, without any answer."""
    return list(participant.sessions.order_by("started_at"))


def open_links(study: Study) -> list[OpenLink]:
    """The study's open links with the number of people who came by each (`came`), newest first."""
    return list(study.open_links.annotate(came=Count("session")).order_by("-made_at"))


def answers_of(participant: Participant) -> Iterator[PersonAnswer]:
    """Everything that a person has sent and that counts, in the words in which it was asked."""
    from equipoise.platform.fieldwork.journeys import journey_of

    for session in participant.sessions.select_related("participant__study").order_by("started_at"):
        journey = journey_of(session)
        for page in journey.questionnaire.pages:
            for asked in page.asked:
                said = [
                    _said(asked.label(str(journey.answers[name])), name, asked.key)
                    for name in asked.columns
                    if name in journey.answers
                ]
                reason = journey.reasons.get(asked.why)
                if said or reason:
                    text = "; ".join(said) or f"({reason})"
                    at = session.started_at.isoformat(timespec="minutes")
                    yield PersonAnswer(session.wave, asked.text, text, at, session.channel)


def _said(label: str, column: str, key: str) -> str:
    part = column.removeprefix(f"{key}.") if column != key else ""
    return f"{part}: {label}" if part and not part.endswith(WHY) else label
