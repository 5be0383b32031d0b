"""`equipoise import roster --workspace`: the people of a roster enrolled, or brought up to date."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.terminal import answer, each
from equipoise.cli.workspaces import at_work_in
from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.platform.people.comparison import Comparison
    from equipoise.platform.people.previews import Preview
    from equipoise.platform.people.reading import RosterSource
    from equipoise.platform.registry.models import Study

__all__ = ["Wanted", "enrol_from"]

_WORDS = {
    "new": "enrolled",
    "known": "taking part already",
    "kept_out": "left earlier and kept out",
    "ineligible": "not eligible",
    "unknown": "of unknown eligibility",
    "late": "too late",
    "refused": "refused",
    "contact": "with changed contact details",
    "facts": "with changed attributes",
    "moved": "moved",
    "left": "left their employer",
    "returned": "came back",
    "kept": "kept in their stratum",
    "unchanged": "unchanged",
    "absent": "not in the file",
}
_SHOWN = 20


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line."""

    files: Sequence[Path]
    study: str
    workspace: Path
    mapping: Path | None
    constants: Sequence[str]
    good_rows_only: bool
    partner: str | None


def enrol_from(
    wanted: Wanted, *, update: bool, whole: bool, look: bool, json: bool = False, quiet: bool = False
) -> None:
    """Enrol the people of each file, or bring them up to date; every file is looked at before one is stored.

    Args:
        wanted: the files and how to read them.
        update: change those who take part already.
        whole: whoever is not in the file has left.
        look: say what would happen only.
        json: answer in JSON.
        quiet: say nothing when all is well.
    """
    if whole and not update:
        raise InputError(Problem("", "--whole", "goes with --update"))
    hushed = quiet or json
    with at_work_in(wanted.workspace):
        from equipoise.platform.registry.queries import study_named

        study = study_named(wanted.study)
        sources = list(_sources(wanted, study))
        seen = [_looked(study, source, update, whole) for source in each(sources, "Reading", quiet=hushed)]
        counts = [one.counts for one in seen]
        if not look:
            _refuse(seen)
            counts = [_stored(study, one, update, whole) for one in each(sources, "Storing", quiet=hushed)]
    files = list(zip(seen, counts, strict=True))
    lines = [line for one, numbers in files for line in _lines(one, numbers, look)]
    record = {"study": study.name, "stored": not look, "files": [_record(*one) for one in files]}
    answer(lines, record, json=json, quiet=quiet)


def _sources(wanted: Wanted, study: "Study") -> "Iterator[RosterSource]":
    from equipoise.cli.rosters import roster_files
    from equipoise.platform.people.reading import RosterSource
    from equipoise.platform.registry.queries import folder_of

    files = roster_files(folder_of(study), wanted.files, mapping=wanted.mapping, constants=wanted.constants)
    for file in files:
        yield RosterSource(
            file.path, file.mapping, file.constants, wanted.partner, wanted.good_rows_only, file.encoding
        )


def _looked(study: "Study", source: "RosterSource", update: bool, whole: bool) -> "Preview | Comparison":
    from equipoise.platform.people.actions import look_at_update
    from equipoise.platform.people.previews import look_at_import

    return look_at_update(study, source, whole=whole) if update else look_at_import(study, source)


def _refuse(seen: "list[Preview | Comparison]") -> None:
    if problems := [problem for one in seen for problem in one.refusals()]:
        raise InputError(problems)


def _stored(study: "Study", source: "RosterSource", update: bool, whole: bool) -> dict[str, int]:
    from equipoise.platform.people.actions import import_source, update_from
    from equipoise.platform.staff.actions import CommandLine

    if update:
        imported = update_from(CommandLine(), study, source, whole=whole)
    else:
        imported = import_source(CommandLine(), study, source)
    return dict(imported.counts)


def _lines(seen: "Preview | Comparison", counts: Mapping[str, int], look: bool) -> Iterator[str]:
    from equipoise.platform.people.comparison import Comparison

    read = (seen.preview if isinstance(seen, Comparison) else seen).read
    told = [f"{counts[name]:,} {text}" for name, text in _WORDS.items() if counts.get(name) or name == "new"]
    yield f"{read.source.path.name}: {'would be: ' if look else ''}{', '.join(told)}."
    if look:
        yield from (f"  {problem}" for problem in seen.refusals())
        for one in seen.changes if isinstance(seen, Comparison) else ():
            yield f"  {one.place or 'not in the file'}: {one.participant.key}: {'; '.join(one.said)}"
    for double in read.report.duplicates[:_SHOWN]:
        places = ", ".join(read.place(row) for row in double.rows[:_SHOWN])
        yield f"  perhaps one person: {places}: {double.reason}"


def _record(seen: "Preview | Comparison", counts: Mapping[str, int]) -> dict[str, Any]:
    from equipoise.platform.people.comparison import Comparison

    read = (seen.preview if isinstance(seen, Comparison) else seen).read
    problems = read.report.problems()
    return {
        "file": read.source.path.name,
        "file_hash": read.file_hash,
        "counts": dict(counts),
        "problems": [{"place": one.place, "where": one.where, "message": one.message} for one in problems],
        "duplicates": [
            {"reason": one.reason, "places": [read.place(row) for row in one.rows]}
            for one in read.report.duplicates
        ],
    }
