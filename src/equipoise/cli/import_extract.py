"""`equipoise import data --workspace`: an HR extract, linked with the participants of a study."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.terminal import answer, working
from equipoise.cli.workspaces import at_work_in
from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.platform.extracts.linking import Linkage
    from equipoise.platform.extracts.reading import ExtractFile
    from equipoise.platform.extracts.scopes import Scope
    from equipoise.platform.registry.models import Study

__all__ = ["Wanted", "import_file"]

_WORDS = {
    "linked": "linked",
    "none": "without a spell",
    "not_linked": "did not agree and left out",
    "left": "left the study and left out",
    "elsewhere": "of another partner and left out",
    "unmatched": "not in the study",
    "absent": "participants not in the file",
    "outside": "spells outside the window",
    "refused": "rows refused",
}


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line."""

    file: Path
    study: str
    workspace: Path
    source: str | None
    window: str | None
    partner: str | None
    mapping: Path | None
    header: int | None
    reason: str


def import_file(wanted: Wanted, *, look: bool, json: bool = False, quiet: bool = False) -> None:
    """Keep what a file says of participants, or say what would be kept.

    Args:
        wanted: the file and what it is.
        look: say what would be kept only, with the lines of rows that nobody matches.
        json: answer in JSON.
        quiet: say nothing when all is well.
    """
    with at_work_in(wanted.workspace), working("Reading the extract", quiet=quiet or json):
        from equipoise.platform.extracts.actions import import_extract, look_at_extract
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine

        study = study_named(wanted.study)
        scope = _scope(study, wanted)
        file = _file(study, scope, wanted)
        if look:
            looked = look_at_extract(study, scope, file)
            lines, record = list(_looked(looked)), _record(study, scope, looked.counts)
            record |= {"stored": False, "unmatched": list(looked.unmatched)}
        else:
            made = import_extract(CommandLine(), study, scope, file, reason=wanted.reason)
            lines = [f"{wanted.file.name}: {_told(made.counts)}; version {made.number}."]
            record = _record(study, scope, made.counts)
            record |= {"stored": True, "version": made.number, "file_hash": made.file_hash}
    answer(lines, record, json=json, quiet=quiet)


def _scope(study: "Study", wanted: Wanted) -> "Scope":
    """The source and window that were named, or the only ones."""
    from equipoise.platform.extracts.scopes import Scope, scopes

    there = list(scopes(study))
    if not there:
        message = "the protocol asks for no HR extract; declare one under `sources:`"
        raise InputError(Problem(wanted.study, "source", message))
    source = wanted.source or _only("--source", [each.source for each in there])
    window = wanted.window or _only("--window", [each.window for each in there if each.source == source])
    return Scope(source, window, wanted.partner)


def _only(option: str, found: Sequence[str]) -> str:
    known = list(dict.fromkeys(found))
    if len(known) != 1:
        raise InputError(Problem("", option, f"say which: {', '.join(known) or 'none'}"))
    return known[0]


def _file(study: "Study", scope: "Scope", wanted: Wanted) -> "ExtractFile":
    from equipoise.platform.extracts.reading import ExtractFile, columns_of
    from equipoise.platform.extracts.scopes import check_scope
    from equipoise.platform.registry.queries import folder_of
    from equipoise.roster import read_mapping

    check_scope(study, scope)
    if wanted.mapping is None:
        return ExtractFile(wanted.file, header=wanted.header)
    mapping = read_mapping(wanted.mapping, columns_of(folder_of(study), scope.source))
    return ExtractFile(wanted.file, mapping, header=wanted.header)


def _looked(looked: "Linkage") -> Iterator[str]:
    yield f"{looked.read.report.files[0].file}: would be: {_told(looked.counts)}."
    yield from (f"  {problem}" for problem in looked.refusals())
    yield from (f"  {place}: not in the study" for place in looked.unmatched)


def _told(counts: Mapping[str, int]) -> str:
    told = [f"{counts[name]:,} {text}" for name, text in _WORDS.items() if counts[name] or name == "linked"]
    return ", ".join(told)


def _record(study: "Study", scope: "Scope", counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "study": study.name,
        "source": scope.source,
        "window": scope.window,
        "partner": scope.partner,
        "counts": dict(counts),
    }
