"""The blinded data review: deciding whose answers are left out of what, before the arms are known.

Everything is dated and kept, what is taken back too. Once the data are sealed nothing can be decided any
more.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.audit.actions import record
from equipoise.platform.audit.canonical import canonical
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_results_state
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.models import Exclusion, ExclusionWithdrawal

__all__ = ["Wanted", "exclude", "what_can_be_left_out", "withdraw_exclusion"]

_VERB = "data.review"
_LONGEST = 300
_AT_ONCE = 2_000


@dataclass(frozen=True)
class Wanted:
    """An exclusion that somebody asks for.

    Attributes:
        participant: their key.
        of: names of outcomes and analyses; empty for all of them.
        reason: why, without knowing the arm.
        place: where it was written, such as a line of a file.
    """

    participant: str
    of: tuple[str, ...]
    reason: str
    place: str = ""


def what_can_be_left_out(study: Study) -> dict[str, str]:
    """The outcomes and analyses of a study by name, with their words."""
    protocol = folder_of(study).protocol
    outcomes = {name: outcome.label or name for name, outcome in protocol.outcomes.items()}
    analyses = {name: f"Analysis: {each.label or name}" for name, each in protocol.analyses.items()}
    return {**analyses, **outcomes}


def exclude(who: Acting, study: Study, wanted: Sequence[Wanted]) -> int:
    """Enter exclusions, all of them or none.

    Args:
        who: needs `data.review`.
        study: with masked results.
        wanted: at least one.
    Returns:
        How many were entered.
    Raises:
        InputError: the data are sealed; or, for each that cannot be, its place and what is wrong: nobody by
            this key, no outcome or analysis of this name, no reason, or entered already.
    """
    check_permission(who, _VERB, study)
    check_results_state(_VERB, study.results, of=study.name)
    with writing():
        held = Study.objects.select_for_update().get(pk=study.pk)
        check_results_state(_VERB, held.results, of=held.name)
        people = _people(held, {one.participant for one in wanted})
        if problems := list(_problems(held, wanted, people)):
            raise InputError(problems)
        moment = now()
        Exclusion.objects.bulk_create(
            (
                Exclusion(study=held, participant_id=people[one.participant], of=sorted(one.of),
                          reason=one.reason.strip(), at=moment, actor=who.actor)
                for one in wanted
            ),
            batch_size=_AT_ONCE,
        )  # fmt: skip
        record(held.name, who.actor, f"{_VERB}.exclude", _said(wanted))
    return len(wanted)


def withdraw_exclusion(who: Acting, exclusion: Exclusion, reason: str) -> None:
    """Take an exclusion back; both stay in the list.

    Args:
        who: needs `data.review`.
        exclusion: with its study and participant.
        reason: why it no longer holds.
    Raises:
        InputError: the data are sealed, it was taken back already, or no reason is given.
    """
    study = exclusion.study
    check_permission(who, _VERB, study)
    if problem := _of_reason(study.name, reason):
        raise InputError(problem)
    with writing():
        held = Study.objects.select_for_update().get(pk=study.pk)
        check_results_state(_VERB, held.results, of=held.name)
        taken, new = ExclusionWithdrawal.objects.get_or_create(
            exclusion=exclusion, defaults={"reason": reason.strip(), "at": now(), "actor": who.actor}
        )
        if not new:
            message = f"was taken back already, on {taken.at:%Y-%m-%d}"
            raise InputError(Problem(study.name, "exclusion", message))
        said = {"participant": exclusion.participant.key, "of": exclusion.of, "reason": reason.strip()}
        record(held.name, who.actor, f"{_VERB}.take-back", said)


def _said(wanted: Sequence[Wanted]) -> dict[str, Any]:
    """One exclusion as it is; of many their number, and the hash of the list."""
    rows = [
        {"participant": one.participant, "of": sorted(one.of), "reason": one.reason.strip()} for one in wanted
    ]
    if len(rows) == 1:
        return rows[0]
    return {"exclusions": len(rows), "list": hashlib.sha256(canonical(rows)).hexdigest()}


def _people(study: Study, keys: Iterable[str]) -> dict[str, int]:
    """The numbers of those who have answers to leave out, by key."""
    found: dict[str, int] = {}
    listed = sorted(keys)
    for first in range(0, len(listed), _AT_ONCE):
        rows = Participant.objects.filter(study=study, key__in=listed[first : first + _AT_ONCE])
        found |= dict(rows.filter(state__in=("enrolled", "withdrawn")).values_list("key", "pk"))
    return found


def _problems(study: Study, wanted: Sequence[Wanted], people: dict[str, int]) -> Iterator[Problem]:
    if not wanted:
        yield Problem(study.name, "participant", "nobody is named; give the participant's code")
    known = what_can_be_left_out(study)
    held = Exclusion.objects.filter(study=study, withdrawn=None)
    entered = {(person, tuple(of)) for person, of in held.values_list("participant_id", "of")}
    for one in wanted:
        place = one.place or study.name
        if one.participant not in people:
            yield Problem(place, "participant", f'"{one.participant[:40]}" is nobody\'s code in this study')
        for name in one.of:
            if name not in known:
                listed = nearest(name, list(known))
                yield Problem(place, "of", f'"{name[:60]}" is no outcome or analysis. There are: {listed}')
        if problem := _of_reason(place, one.reason):
            yield problem
        same = (people.get(one.participant, 0), tuple(sorted(one.of)))
        if same in entered:
            yield Problem(place, "participant", f"{one.participant} is left out of that already")
        entered.add(same)


def _of_reason(place: str, reason: str) -> Problem | None:
    if not reason.strip():
        return Problem(place, "reason", "is empty; say why, it goes with the data. Name nobody")
    if len(reason.strip()) > _LONGEST:
        return Problem(place, "reason", f"is too long; {_LONGEST} characters at most")
    return None
