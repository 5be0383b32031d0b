"""Whether a participant can answer a wave now and, where not, which page tells them what to do."""

from dataclasses import dataclass
from datetime import datetime

from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import WaveTimes, rolling, wave_times

__all__ = ["ENDED", "Standing", "standing", "wave_of"]

# How a session can have ended, by the name of the page that says so.
ENDED = ("complete", "screened-out", "quota-full", "withdrawn")


@dataclass(frozen=True)
class Standing:
    """One of: open, declined, not-open, closed, paused, ended (the study), left, or how the session ended.

    `opens` and `closes` are in UTC.
    """

    name: str
    opens: datetime
    closes: datetime

    @property
    def answerable(self) -> bool:
        """Whether pages can be shown and sent."""
        return self.name in ("open", "declined")


def standing(participant: Participant | None, study: Study, wave: str, session: Session | None) -> Standing:
    """How things stand between a participant and a wave.

    Args:
        participant: None for somebody who has just come by an open link.
        study: its state counts.
        wave: its name.
        session: what there is of it.
    """
    times = wave_of(study, wave, participant)
    return Standing(_name(participant, study, session, times), times.opens, times.closes)


def wave_of(study: Study, wave: str, participant: Participant | None) -> WaveTimes:
    """The wave's times for this participant: with rolling enrolment they can be each person's own."""
    enrolled = participant.enrolled_at if participant is not None and rolling(study) else None
    return wave_times(study, enrolled)[wave]


def _name(participant: Participant | None, study: Study, session: Session | None, times: WaveTimes) -> str:
    if participant is not None and participant.state in ("withdrawn", "erased"):
        return "left"
    if session is not None and session.state in ENDED:
        return session.state
    if study.state == "locked" or times.state == "planned":
        return "not-open"
    if study.state in ("closed", "published") or times.state == "closed":
        return "closed"
    if study.state == "paused":
        return "paused"
    return "declined" if session is not None and session.state == "declined" else "open"
