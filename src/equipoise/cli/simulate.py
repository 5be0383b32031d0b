"""`equipoise simulate`: a study's data from its assumptions, as `analyse --data` reads them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working

if TYPE_CHECKING:
    import polars as pl

    from equipoise.protocol import Study

__all__ = ["simulate"]


def simulate(
    study: Annotated[Path, typer.Argument(help="The folder of the study.")],
    out: Annotated[Path, typer.Option("--out", help="The folder for the simulated tables.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same data.")],
    people: Annotated[int | None, typer.Option("--people", min=2, help="How many people to invent.")] = None,
    roster: Annotated[
        Path | None, typer.Option("--roster", help="Take these people, as `import roster` wrote them.")
    ] = None,
    arms: Annotated[
        Path | None, typer.Option("--arms", help="Take these arms, as `allocate` wrote them.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a study's data from `diagnosis.assume`, with the effect that it assumes planted.

    People are invented and their arms drawn, unless --roster and --arms give them. The tables say in their
    dictionary that they are simulated, and every report of them says so too.
    """
    from equipoise.diagnosis import simulate_study, write_simulated
    from equipoise.protocol import load_study

    loaded = load_study(study)
    with working(f"Simulating {loaded.protocol.study.id}", quiet=quiet or json):
        known = given_people(loaded, roster, arms) if roster is not None else None
        simulated = simulate_study(loaded, seed, participants=known, people=people)
        write_simulated(loaded, simulated, out)
    count = simulated.data.participants.height
    tables = sorted(file.name for file in out.glob("*.csv"))
    lines = [
        f"{loaded.protocol.study.id}: {count:,} simulated participants in {out} ({', '.join(tables)}).",
        f"Next: equipoise analyse {study} --data {out} --out DIR",
    ]
    record = {"study": loaded.protocol.study.id, "participants": count, "tables": tables, "out": str(out)}
    answer(lines, record | {"planted": simulated.planted}, json=json, quiet=quiet)


def given_people(study: "Study", roster: Path, arms: Path | None) -> "pl.DataFrame":
    """Imported people, with the arms that were drawn for them.

    Raises:
        RosterError: the files are not what `import roster` and `allocate` wrote, or are of different people.
    """
    import polars as pl

    from equipoise.errors import Problem, RosterError
    from equipoise.roster import read_roster, read_table

    columns = study.protocol.participants.roster if study.protocol.participants else {}
    iso = {name: column.model_copy(update={"format": None}) for name, column in columns.items()}
    people = read_roster(roster, iso).participants
    if arms is None:
        return people
    identifier = next(name for name, column in columns.items() if column.role == "identifier")
    drawn = read_table(arms).cells
    stages = [study.protocol.arm_column(stage) for stage in study.protocol.allocation]
    chosen = [name for name in stages if name in drawn.columns]
    if identifier not in drawn.columns or not chosen:
        message = (
            f"expected the columns {identifier} and {', '.join(stages)}, as `equipoise allocate` writes them"
        )
        raise RosterError(Problem(arms.name, "", message))
    joined = people.join(drawn.select(identifier, *chosen), on=identifier, how="left", maintain_order="left")
    lacking = joined.select(pl.any_horizontal(pl.col(chosen).is_null()).sum()).item()
    if lacking:
        message = (
            f"{lacking} people of {roster.name} have no arm here; both files have to be of the same people"
        )
        raise RosterError(Problem(arms.name, "", message))
    return joined
