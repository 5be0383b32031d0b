"""Reading the fieldwork: how many have answered, by wave, partner and day; what one person has sent."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, TextField
from django.db.models.functions import Cast, Substr

from equipoise.platform.clock import now
from equipoise.platform.fieldwork.models import OpenLink, Session
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import EVERYBODY, Reach
from equipoise.platform.registry.models import Partner, Study
from equipoise.platform.registry.queries import folder_of, partners, wave_times
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


_HOUR, _MINUTE = len("2021-03-01 09"), len("2021-03-01 09:00")


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
    partner_id: int | None = None

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


def responses(study: Study, whose: Reach = EVERYBODY) -> list[Response]:
    """Each wave, together and by partner, in three queries however many people there are.

    Args:
        study: of this workspace.
        whose: the people who are counted.
    """
    people = whose.narrow(Participant.objects.filter(study=study).exclude(state="ineligible"))
    asked = dict(people.values_list("partner_id").annotate(Count("pk")))
    titles = {partner.pk: partner.title for partner in partners(study)}
    found: Counter[tuple[str, int | None, str]] = Counter()
    sessions = whose.narrow(Session.objects.filter(study=study))
    by_state = sessions.values_list("wave", "state", "partner_id")
    for wave, state, partner, number in by_state.annotate(Count("pk")):
        found[wave, partner, "started"] += number
        if state == "complete":
            found[wave, partner, "complete"] = number
    rows = []
    for wave in folder_of(study).protocol.waves:
        parts = [
            Response(
                wave,
                titles.get(partner or 0),
                number,
                found[wave, partner, "started"],
                found[wave, partner, "complete"],
                partner,
            )
            for partner, number in sorted(asked.items(), key=lambda item: titles.get(item[0] or 0, ""))
        ]
        whole = [sum(getattr(part, name) for part in parts) for name in ("asked", "started", "complete")]
        rows += [Response(wave, None, *whole), *(part for part in parts if part.partner is not None)]
    return rows


def responses_by_day(study: Study, wave: str, partner: Partner | None = None) -> list[tuple[date, int]]:
    """How many finished on each day of a wave so far, in the study's zone.

    Args:
        study: of this workspace.
        wave: of the study.
        partner: whose people are counted; everybody's when left out.
    Returns:
        Every day from that on which the wave opened, or somebody finished, to today or its close.
    """
    zone = ZoneInfo(folder_of(study).protocol.study.timezone)
    done = Session.objects.filter(study=study, wave=wave, state="complete")
    if partner is not None:
        done = done.filter(partner=partner)
    # Moments are put together by the database to the hour, or the minute where the zone needs it, and by the
    # zone here: a date for each of 40,000 sessions would be a call into Python for each.
    text = Substr(Cast("ended_at", TextField()), 1, _HOUR if _whole_hours(zone) else _MINUTE)
    found: Counter[date] = Counter()
    for moment, number in done.annotate(moment=text).values_list("moment").annotate(Count("pk")):
        full = moment if len(moment) == _MINUTE else f"{moment}:00"
        at = datetime.strptime(full, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        found[at.astimezone(zone).date()] += number
    times = wave_times(study)[wave]
    opened, lately = (at.astimezone(zone).date() for at in (times.opens, min(now(), times.closes)))
    first, last = min([opened, *found]), max([lately, *found])
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [(day, found[day]) for day in days]


def _whole_hours(zone: ZoneInfo) -> bool:
    """Whether the zone's clock differs from UTC by whole hours, in winter and in summer."""
    moments = (datetime(now().year, month, 1, tzinfo=zone) for month in (1, 7))
    return all(not (moment.utcoffset() or timedelta()) % timedelta(hours=1) for moment in moments)


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
