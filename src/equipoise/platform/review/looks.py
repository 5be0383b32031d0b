"""Looks at results by arm before the planned final analysis: what counts as one, and what is kept of it.

The planned final analysis comes once the last wave has closed by the protocol. Unmasking before that is a
look, because the study was ended early, and so is each export of data that name the arms. So has looked
whoever was told results by arm in another way, which only people can say. What the protocol's `looks`
declares is a look too, and a declared one.
"""

from datetime import date, datetime

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.answers import answered_sessions
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, rolling, wave_times
from equipoise.platform.review.models import Look

__all__ = ["final_analysis", "note_early", "tell_look"]

_EARLY = {"export": "Data that name the arms", "unmasked": "The results were unmasked"}


def final_analysis(study: Study) -> datetime | None:
    """When the last wave closes for the last person, by the protocol; None for a study without waves."""
    last = None
    if rolling(study):
        newest = Participant.objects.filter(study=study).order_by("-enrolled_at").first()
        last = newest.enrolled_at if newest is not None else None
    return max((wave.closes for wave in wave_times(study, last).values()), default=None)


def note_early(who: Acting, study: Study, kind: str) -> Look | None:
    """Keep that the arms get known where it is too early for that; inside the transaction in which they do.

    Args:
        who: does it.
        study: whose arms.
        kind: `unmasked`, or `export` of data that name them.
    """
    final = final_analysis(study)
    if not folder_of(study).protocol.allocation or final is None or now() >= final:
        return None
    return _keep(who, study, kind, _EARLY[kind], now().date())


def tell_look(who: Acting, study: Study, seen: str, on: str) -> Look:
    """Keep that somebody has seen results by arm.

    Args:
        who: needs `data.review`.
        study: whose results.
        seen: what was seen, and by whom in general words; nobody is named.
        on: the day, as `2021-05-01`.
    Raises:
        InputError: nothing is said, or the day is none or is still to come.
    """
    check_permission(who, "data.review", study)
    day, problems = _day(on), []
    if not seen.strip():
        problems.append(Problem(study.name, "seen", "is empty; say what was seen, and name nobody"))
    if len(seen) > 300:
        problems.append(Problem(study.name, "seen", "is too long; 300 characters at most"))
    if day is None or day > now().date():
        problems.append(Problem(study.name, "on", "is not a day that has come; write it as 2021-05-01"))
    if problems or day is None:
        raise InputError(problems)
    with writing():
        return _keep(who, study, "told", seen.strip(), day)


def _keep(who: Acting, study: Study, kind: str, seen: str, day: date) -> Look:
    """A look is declared as long as the protocol declares more of them than there were."""
    held = Study.objects.select_for_update().get(pk=study.pk)
    answered, asked = _answers(study)
    look = Look.objects.create(
        study=held,
        kind=kind,
        seen=seen,
        answered=answered,
        asked=asked,
        declared=held.looks.count() < len(folder_of(study).protocol.looks),
        sealed=held.results != "masked",
        on=day,
        at=now(),
        actor=who.actor,
    )
    said = {
        "kind": kind,
        "seen": seen,
        "on": day.isoformat(),
        "answered": answered,
        "declared": look.declared,
    }
    record(held.name, who.actor, "results.look", said)
    return look


def _answers(study: Study) -> tuple[int, int]:
    """How many have answered the last wave, and how many take part."""
    last = next(reversed(folder_of(study).protocol.waves), "")
    people = Participant.objects.filter(study=study, state__in=("enrolled", "withdrawn"))
    return answered_sessions(study).filter(wave=last).count(), people.count()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
