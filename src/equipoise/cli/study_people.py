"""`equipoise study commit`, `draw`, `links`: lots for a study's people, and their way to its surveys."""

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.study import Name, Workspace
from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.workspaces import at_work_in
from equipoise.cli.writing import refuse_existing, write_files

__all__ = ["commit", "draw", "links"]

StageName = Annotated[
    str | None, typer.Option("--stage", help="Which stage of allocation, where there are several.")
]


def commit(
    workspace: Workspace,
    study: Name,
    secret: Annotated[
        Path | None, typer.Option("--secret", help="The team's secret, as `equipoise lock` wrote it.")
    ] = None,
    stage: StageName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fix who is drawn and in which strata, and say which public round will decide.

    The secret is kept encrypted from here on; it is checked against the lock's commitment.
    """
    with at_work_in(workspace), working("Fixing who is drawn", quiet=quiet or json):
        from equipoise.allocation import read_secret
        from equipoise.platform.people.allocation import commit_stage, expected_round, hand_in_secret
        from equipoise.platform.registry.queries import stage_named, study_named
        from equipoise.platform.staff.actions import CommandLine

        found = stage_named(study_named(study), stage)
        if secret is not None:
            found = hand_in_secret(CommandLine(), found, read_secret(secret).hex())
        found = commit_stage(CommandLine(), found)
        public = expected_round(found)
    lines = [f"{study}: {found.name} is committed; roster hash {found.roster_hash or 'none (rolling)'}"]
    if public is not None:
        lines.append(
            f"Public round {public.number} decides; it appears at {public.appears}, at {public.address}"
        )
    record = {
        "study": study,
        "stage": found.name,
        "roster_hash": found.roster_hash,
        "round": public.number if public else None,
    }
    answer(lines, record, json=json, quiet=quiet)


def draw(
    workspace: Workspace,
    study: Name,
    public_round: Annotated[
        str | None,
        typer.Option("--round", help="The public round that decides, as NUMBER:HEX or NUMBER:HEX:SIGNATURE."),
    ] = None,
    stage: StageName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw the arms of everybody who was committed, once; nobody is told them here."""
    with at_work_in(workspace), working("Drawing", quiet=quiet or json):
        from equipoise.platform.people.allocation import draw_stage, strata_counts
        from equipoise.platform.registry.queries import stage_named, study_named
        from equipoise.platform.staff.actions import CommandLine

        found = draw_stage(CommandLine(), stage_named(study_named(study), stage), public_round)
        strata = strata_counts(found)
    people = sum(strata.values())
    line = f"{study}: {people:,} allocated in {len(strata):,} strata; the arms are concealed."
    answer([line], {"study": study, "stage": found.name, "allocated": people}, json=json, quiet=quiet)


def links(
    workspace: Workspace,
    study: Name,
    wave: Annotated[str, typer.Argument(help="The wave to be answered.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write the links, as CSV, by pseudonym.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a personal link for everybody who has not finished a wave.

    A link can be read this once: only its hash is kept. Whoever has the file can answer for these people.
    """
    refuse_existing([out], "Links are never overwritten: name another file")
    with at_work_in(workspace), working("Making links", quiet=quiet or json):
        import csv
        import io

        from equipoise.platform.fieldwork.links import make_links
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine

        made = make_links(CommandLine(), study_named(study), wave)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["participant", "link", "stop_link"])
        writer.writerows([each.participant, each.link, each.stop_link] for each in made)
    write_files({out: text.getvalue()})
    out.chmod(0o600)
    said = {"study": study, "wave": wave, "links": len(made), "file": str(out)}
    line = f"{study}: {len(made):,} links to {wave} in {out}; keep the file to yourself."
    answer([line], said, json=json, quiet=quiet)
