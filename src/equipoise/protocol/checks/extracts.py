"""HR extracts: their windows are days of the study, their columns outcomes, and people are told of them."""

from collections import Counter
from collections.abc import Iterator, Mapping

from equipoise.errors import EquipoiseError, Problem
from equipoise.protocol.checks.places import at, time_problems, unknown
from equipoise.protocol.extracts import LINKAGE, days_of, extracts
from equipoise.protocol.models.conduct import DataSource
from equipoise.protocol.models.extracts import Extract
from equipoise.protocol.reserved import reserved_problem
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import moment_of
from equipoise.protocol.times import parse_time

__all__ = ["check_extracts"]


def check_extracts(study: Study) -> Iterator[Problem]:
    """Every source with an extract, and every outcome that is taken from one."""
    declared = extracts(study.protocol)
    for name, source in declared.items():
        if source.extract is not None:
            yield from _columns(study, name, source.extract)
            yield from _windows(study, name, source.extract)
    yield from _outcomes(study, {name: one.extract for name, one in declared.items() if one.extract})
    yield from _shared(study, declared)
    if declared:
        yield from _people(study, next(iter(declared)))


def _columns(study: Study, name: str, extract: Extract) -> Iterator[Problem]:
    path = ("sources", name, "extract")
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    taken = {outcome.column for outcome in study.protocol.outcomes.values()}
    for column in dict.fromkeys((*extract.columns, *extract.gives)):
        where = (*path, "columns", column) if column in extract.columns else (*path, "spells", "gives")
        problem = reserved_problem(column)
        if column in roster:
            problem = f'"{column}" is a roster column already; choose another name'
        if problem is not None:
            yield at(study, *where, message=problem)
        elif column in extract.gives and column not in taken:
            message = (
                f"no outcome has `column: {column}`, and what nobody needs is not to be asked for; leave it "
                "out, or declare the outcome"
            )
            yield at(study, *where, message=message)
    if extract.spells is not None and extract.spells.gives in extract.columns:
        message = f'"{extract.spells.gives}" is a column of the file already; choose another name'
        yield at(study, *path, "spells", "gives", message=message)


def _windows(study: Study, name: str, extract: Extract) -> Iterator[Problem]:
    for window, written in extract.windows.items():
        path = ("sources", name, "extract", "windows", window)
        if window not in study.protocol.waves and len(extract.windows) > 1:
            what = "a wave of this study, by which a window goes"
            yield unknown(study, path, window, what, study.protocol.waves, "Waves")
        faults = []
        for key, text in (("from", written.from_), ("to", written.to)):
            try:
                moment_of(study.protocol, text)
                if parse_time(text).anchor == "enrolled":
                    message = "a window has the same days for everybody; begin from launch or a date"
                    faults.append(at(study, *path, key, message=message))
            except EquipoiseError as error:
                faults.append(time_problems(study, (*path, key), error))
        yield from faults
        if not faults:
            days = days_of(study.protocol, name, window)
            if days.last < days.first:
                message = f"the window has no day: it begins on {days.first} and its last day is {days.last}"
                yield at(study, *path, message=message)


def _outcomes(study: Study, declared: Mapping[str, Extract]) -> Iterator[Problem]:
    for name, outcome in study.protocol.outcomes.items():
        giving = [each for each in declared.values() if outcome.column in each.gives]
        windows = list(dict.fromkeys(window for each in giving for window in each.windows))
        if not giving:
            continue
        for place, wave in enumerate(outcome.waves):
            if wave not in windows:
                what = "a window of the extract that gives this outcome"
                yield unknown(study, ("outcomes", name, "waves", place), wave, what, windows, "Windows")
        if not outcome.waves and len(windows) > 1:
            message = f"`waves:` says in which windows this outcome is measured: {', '.join(windows)}"
            yield at(study, "outcomes", name, message=message)


def _shared(study: Study, declared: Mapping[str, DataSource]) -> Iterator[Problem]:
    """Two extracts may give one column, each for other partners."""
    given: dict[str, list[str]] = {}
    for name, source in declared.items():
        for column in source.extract.gives if source.extract else ():
            given.setdefault(column, []).append(name)
    for column, names in given.items():
        partners = Counter(partner for name in names for partner in declared[name].partners)
        everybody = any(not declared[name].partners for name in names)
        if len(names) > 1 and (everybody or max(partners.values()) > 1):
            message = (
                f'"{column}" comes from {" and ".join(names)}; `partners:` of each has to say for whom, and '
                "no partner may be named twice"
            )
            yield at(study, "sources", names[-1], message=message)


def _people(study: Study, name: str) -> Iterator[Problem]:
    """People are known by an identifier, and told that records are joined."""
    participants, privacy = study.protocol.participants, study.protocol.privacy
    path = ("sources", name, "extract")
    if participants is None or all(one.role != "identifier" for one in participants.roster.values()):
        message = "an extract finds people by the roster's identifier, and this study has none"
        yield at(study, *path, message=message)
        return
    if participants.enrolment == "open-link":
        message = "people who come by an open link have no identifier, so no extract finds them"
        yield at(study, *path, message=message)
    if privacy.answers == "unlinked":
        message = (
            "`privacy: answers: unlinked` promises that answers are not tied to people, and this ties them"
        )
        yield at(study, *path, message=message)
    if LINKAGE not in participants.consent and privacy.linkage is None:
        message = (
            "people have to be told: ask for it under `participants: consent: linkage`, or say it in "
            "`privacy: linkage`"
        )
        yield at(study, *path, message=message)
