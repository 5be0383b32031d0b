"""`equipoise messages`: what leaves a workspace as a file, for a partner or the post, and what comes back."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.workspaces import at_work_in
from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.platform.delivery.files import FileOf

__all__ = ["app"]

app = typer.Typer(
    help="Messages that a partner sends, or the post.", no_args_is_help=True, rich_markup_mode=None
)

Workspace = Annotated[Path, typer.Argument(help="The folder of the workspace.")]
Name = Annotated[str, typer.Argument(help="The id of the study.")]
Send = Annotated[str, typer.Argument(help="What is sent: the name of a contact, or WAVE.invite and so on.")]
Number = Annotated[int, typer.Argument(min=1, help="Which occasion of it, from 1.")]


@app.command("list")
def list_(workspace: Workspace, study: Name, json: Json = False) -> None:
    """List the files that wait: to be made, or for what came of them."""
    with at_work_in(workspace):
        from equipoise.platform.delivery.files import files_of
        from equipoise.platform.registry.queries import study_named

        rows = [_said(each) for each in files_of(study_named(study))]
    lines = [
        f"{each['send']} {each['occasion']:<3} {each['partner'] or each['carrier']:<16} due {each['due']}: "
        f"{each['planned']:,} in no file yet, {each['sending']:,} in one of which nothing came back"
        for each in rows
    ]
    answer(lines or ["Nothing waits for a file."], {"files": rows}, json=json)


@app.command("file")
def file(
    workspace: Workspace,
    study: Name,
    send: Send,
    occasion: Number,
    out: Annotated[Path, typer.Option("--out", help="The folder in which the file is to lie.")],
    partner: Annotated[
        str | None,
        typer.Option("--partner", help="Whose people, where several partners have some; or none."),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--form", help="For a partner: xlsx, which is usual, or csv.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make it anew for those in a file that was lost and never sent.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make the mail-merge file of an occasion for a partner, or its letters for the post.

    Whoever is in it counts as passed on from then on. Whoever has the file can answer for these people, and
    the workspace keeps no copy of it.
    """
    if not out.is_dir():
        raise InputError(Problem(str(out), "--out", "there is no such folder; make it first"))
    with at_work_in(workspace), working("Making the file", quiet=quiet or json):
        from django.conf import settings

        from equipoise.platform.delivery.files import make_file
        from equipoise.platform.operations.held import sending_held
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine

        if sending_held(settings.WORKSPACE):
            message = "is a restored copy, from which nothing is sent; see `equipoise release`"
            raise InputError(Problem(str(workspace), "", message))
        made = make_file(
            CommandLine(),
            study_named(study),
            send,
            occasion,
            partner=partner,
            form=form,
            again=again,
            folder=out,
        )
    line = f"{study}: {send} {occasion} is in {made}; pass it on safely, and delete it."
    answer([line], {"study": study, "file": str(made)}, json=json, quiet=quiet)


@app.command("receipts")
def receipts(
    workspace: Workspace,
    study: Name,
    file: Annotated[Path, typer.Argument(help="The partner's list: CSV, XLSX or Parquet.")],
    send: Annotated[str, typer.Option("--send", help="What it says was sent.")],
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="Which column is which; proposed when left out.")
    ] = None,
    header: Annotated[
        int | None, typer.Option("--header", min=1, help="The line with the names of the columns.")
    ] = None,
    look: Annotated[bool, typer.Option("--look", help="Say what would be noted, and store nothing.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Note what a partner says was sent and was not, by reference, number and day.

    The file is taken as a whole: while a row of it is refused, nothing is noted.
    """
    with at_work_in(workspace), working("Reading the receipts", quiet=quiet or json):
        from equipoise.platform.delivery.files import ReceiptFile, look_at_receipts, read_receipts
        from equipoise.platform.delivery.files.reading import receipt_columns
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine
        from equipoise.roster import read_mapping

        found = study_named(study)
        columns = None if mapping is None else read_mapping(mapping, receipt_columns(found))
        upload = ReceiptFile(file, send, columns, header=header)
        if look:
            looked = look_at_receipts(found, upload)
            counts, problems = dict(looked.counts), [str(each) for each in looked.refusals()]
        else:
            counts, problems = read_receipts(CommandLine(), found, upload).counts, []
    told = ", ".join(f"{number:,} {word}" for word, number in counts.items() if number)
    lines = [f"{file.name}: {'would be: ' if look else ''}{told or 'nothing new'}.", *problems]
    said: dict[str, Any] = {"study": study, "send": send, "counts": counts, "problems": problems}
    answer(lines, said | {"stored": not look}, json=json, quiet=quiet)


@app.command("posted")
def posted(
    workspace: Workspace,
    study: Name,
    send: Send,
    occasion: Number,
    day: Annotated[
        datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="On which day they were posted.")
    ],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Note that the letters of an occasion were posted: all that were made and not yet posted."""
    with at_work_in(workspace):
        from equipoise.platform.delivery.files import mark_posted
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine

        letters = mark_posted(CommandLine(), study_named(study), send, occasion, day.date())
    line = f"{study}: {letters:,} letters of {send} {occasion} are noted as posted on {day.date()}."
    answer([line], {"study": study, "letters": letters}, json=json, quiet=quiet)


def _said(each: "FileOf") -> dict[str, Any]:
    return {
        "send": each.send,
        "occasion": each.occasion,
        "carrier": each.carrier,
        "partner": each.partner.name if each.partner is not None else None,
        "due": each.due.strftime("%Y-%m-%d %H:%M UTC"),
        "planned": each.counts.get("planned", 0),
        "sending": each.counts.get("sending", 0),
    }
