"""`equipoise import`: rosters and HR extracts in; surveys come later."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.writing import write_files
from equipoise.cli.yaml_text import yaml_text
from equipoise.errors import InputError, NotSupportedError, Problem

if TYPE_CHECKING:
    from equipoise.protocol import Study
    from equipoise.roster import Eligibility, ImportReport, RosterFile, RosterImport

__all__ = ["app"]

_MISSING = {
    "--out": "say where to write the eligible people, or enrol them with --workspace",
    "--workspace": "--partner, --update, --whole and --look are for people in a workspace",
}
app = typer.Typer(help="Bring people in from files.", no_args_is_help=True, rich_markup_mode=None)


@app.command("roster")
def roster(
    files: Annotated[list[Path], typer.Argument(help="CSV, XLSX or Parquet files, one row a person.")],
    study: Annotated[
        Path, typer.Option("--study", help="The folder of the study; its id where it is in a workspace.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write the eligible people, as .csv or .parquet.")
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", help="Enrol the people in this workspace.")
    ] = None,
    partner: Annotated[
        str | None,
        typer.Option("--partner", help="In a workspace: whose people they are, where rows do not say."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="In a workspace: bring people up to date, by identifier.")
    ] = False,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="With --update: whoever is not in the file has left their employer."),
    ] = False,
    look: Annotated[
        bool, typer.Option("--look", help="In a workspace: say what would happen, and store nothing.")
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", help="Which column is which; the one stored with the study when left out."),
    ] = None,
    constants: Annotated[
        list[str] | None,
        typer.Option(
            "--with", help="A column that is the same for all of a file: COLUMN=VALUE, FILE:COLUMN=VALUE."
        ),
    ] = None,
    good_rows_only: Annotated[
        bool,
        typer.Option("--good-rows-only", help="Take the good rows and write the refused ones to a file."),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read rosters as the protocol declares them, and write who may take part.

    While a row is refused nothing is written, unless the good rows only were asked for. Possible doubles are
    listed for a decision; nobody is merged. The matching of columns is stored with the study, in
    `data/mappings`.

    With `--workspace` the eligible people are enrolled there instead, with their contact details encrypted.
    """
    if workspace is not None:
        from equipoise.cli.import_enrol import Wanted, enrol_from

        if out is not None:
            raise InputError(Problem("", "--out", "goes without --workspace, which enrols people instead"))
        wanted = Wanted(files, str(study), workspace, mapping, constants or (), good_rows_only, partner)
        enrol_from(wanted, update=update, whole=whole, look=look, json=json, quiet=quiet)
        return
    if out is None or update or whole or look or partner:
        option = "--out" if out is None else "--workspace"
        raise InputError(Problem("", option, f"is missing; {_MISSING[option]}"))
    from equipoise.cli.rosters import roster_files
    from equipoise.protocol import load_study
    from equipoise.roster import declared_columns, eligible_people, read_rosters

    loaded = load_study(study)
    columns = declared_columns(loaded)
    sources = roster_files(loaded, files, mapping=mapping, constants=constants or ())
    if any(out.resolve() == file.resolve() for file in files):
        raise InputError(Problem(str(out), "", "is one of the files to read; write to another"))
    with working("Reading the roster", quiet=quiet or json):
        read = read_rosters(sources, columns, good_rows_only=good_rows_only)
        parts = eligible_people(loaded, read.participants)
    if not parts.eligible.height:
        message = (
            f"nobody of {read.participants.height:,} people is eligible; look at `participants.eligible`"
        )
        raise InputError(Problem(str(out), "", message))
    written = _files(loaded, read, parts, out)
    write_files({**written, **_mappings(loaded, sources, read.report)})
    record = _record(read.report, parts, list(written))
    answer(_lines(read.report, parts, list(written), study), record, json=json, quiet=quiet)


@app.command("data")
def data(
    file: Annotated[Path, typer.Argument(help="A CSV, XLSX or Parquet file from an HR system.")],
    study: Annotated[str, typer.Option("--study", help="The study's id in the workspace.")] = "",
    workspace: Annotated[
        Path | None, typer.Option("--workspace", help="The workspace with the study's people.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Which of the protocol's sources, where there are several.")
    ] = None,
    window: Annotated[
        str | None, typer.Option("--window", help="Which of its windows, where there are several.")
    ] = None,
    partner: Annotated[
        str | None, typer.Option("--partner", help="Whose people it holds; everybody's when left out.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="Which column is which; proposed when left out.")
    ] = None,
    header: Annotated[
        int | None, typer.Option("--header", help="The line with the names of the columns.", min=1)
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why it takes the place of an earlier file, where there is one.")
    ] = "",
    look: Annotated[bool, typer.Option("--look", help="Say what would be kept, and keep nothing.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Link an HR extract with the participants of a study, as its protocol declares it under `sources`.

    The identifier is compared and not kept. Whoever did not agree, or has left the study, is left out. Rows
    of people who are not in the study are told by line with `--look` and never kept.
    """
    if workspace is None or not study:
        raise NotSupportedError(
            f"{file}: data other than HR extracts into a workspace (--workspace, --study) are not yet "
            "supported; `equipoise analyse STUDY --data FILE` reads them"
        )
    from equipoise.cli.import_extract import Wanted, import_file

    wanted = Wanted(file, study, workspace, source, window, partner, mapping, header, reason)
    import_file(wanted, look=look, json=json, quiet=quiet)


@app.command("survey")
def survey(file: Annotated[Path, typer.Argument(help="The file.")]) -> None:
    """Import a survey from another system: not yet supported."""
    raise NotSupportedError(
        f"{file}: importing surveys is not yet supported; write the questions in the study's surveys/ folder"
    )


def _files(study: "Study", read: "RosterImport", parts: "Eligibility", out: Path) -> dict[Path, bytes]:
    """The roster and, beside it, who is not in it."""
    from equipoise.exchange import spreadsheet_csv
    from equipoise.roster import roster_bytes

    files = {out: roster_bytes(parts.eligible, out)}
    if study.protocol.participants is not None and study.protocol.participants.eligible is not None:
        for name in ("ineligible", "unknown"):
            beside = out.with_suffix(f".{name}.csv")
            files[beside] = roster_bytes(getattr(parts, name), beside)
    if read.refused.height:
        beside = out.with_suffix(".refused.csv")
        files[beside] = spreadsheet_csv(read.refused)  # to be looked at; its cells are somebody else's
    return files


def _mappings(study: "Study", sources: "list[RosterFile]", report: "ImportReport") -> dict[Path, str]:
    """The matching of columns that this import has used, where the study does not hold it already."""
    from equipoise.roster import mapping_path

    used = zip(sources, report.mappings, strict=True)
    places = [(mapping_path(study.folder, source.path), source.mapping, mapping) for source, mapping in used]
    return {
        place: yaml_text(
            {"columns": mapping.columns} | ({"constants": mapping.constants} if mapping.constants else {})
        )
        for place, known, mapping in places
        if known != mapping or not place.is_file()
    }


def _lines(report: "ImportReport", parts: "Eligibility", written: list[Path], study: Path) -> list[str]:
    counts = ", ".join(f"{count:,} {what}" for what, count in parts.counts.items())
    return [
        report.in_words(),
        f"Eligible: {counts}",
        f"Wrote {', '.join(map(str, written))}.",
        f"Next: equipoise allocate {study} --roster {written[0]} --out FILE",
    ]


def _record(report: "ImportReport", parts: "Eligibility", written: list[Path]) -> dict[str, Any]:
    return {
        "read": report.read,
        "accepted": report.accepted,
        "refused": report.refused,
        **parts.counts,
        "mappings": [
            {
                "file": file.file,
                "proposed": proposed,
                "columns": mapping.columns,
                "constants": mapping.constants,
            }
            for file, mapping, proposed in zip(report.files, report.mappings, report.proposed, strict=True)
        ],
        "problems": [
            {"place": each.place, "where": each.where, "message": each.message} for each in report.problems()
        ],
        "notes": [
            {"file": note.file, "column": note.column, "message": note.message, "rows": note.rows}
            for note in report.notes
        ],
        "duplicates": [
            {"reason": each.reason, "places": [report.place(row) for row in each.rows]}
            for each in report.duplicates
        ],
        "files": [str(path) for path in written],
    }
