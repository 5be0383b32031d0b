"""`equipoise rehearse`: the whole trial with invented people, before anybody real is asked."""

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working

__all__ = ["rehearse"]


def rehearse(
    workspace: Annotated[Path, typer.Argument(help="The workspace that the study is in; it is only read.")],
    study: Annotated[str, typer.Argument(help="The id of the study there, or the folder of a study.")],
    people: Annotated[int, typer.Option("--people", min=10, help="How many people to invent.")] = 500,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed invents the same people.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A new folder for everything; STUDY-rehearsal when left out."),
    ] = None,
    browser: Annotated[
        int, typer.Option("--browser", min=0, help="How many of the people use Chromium; needs Playwright.")
    ] = 0,
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds",
            min=0,
            help="Draw people, arms and answers again so often, and count how often the interval holds what "
            "was planted; a second or so each.",
        ),
    ] = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Rehearse a whole trial by real mail, links, pages and workers; only people and clock are invented.

    A copy of the study is locked in a workspace of its own. Invented people read what arrives on this
    machine, answer page by page, break off, come back and opt out, with the effect planted that
    `diagnosis.assume` says. Then the data are exported, analysed and reported, and everything is held against
    the protocol. The exit code is 1 if something is broken.
    """
    from equipoise.platform.rehearsal.rehearsing import rehearse as play
    from equipoise.platform.rehearsal.staging import study_folder

    folder = study_folder(workspace, study)
    place = out or Path(f"{Path(study).name}-rehearsal")
    with working(f"Rehearsing {study} with {people:,} people", quiet=quiet or json):
        verdict = play(folder, people, seed, place, browsers=browser, seeds=seeds)
    said = {"study": verdict.study, "ok": verdict.ok, "verdict": str(place / "verdict.json")}
    lines = [*verdict.lines(), f"Everything is in {place}; the report is in {place / 'reports'}."]
    answer(lines, said, json=json, quiet=quiet and verdict.ok)
    if not verdict.ok:
        raise typer.Exit(1)
