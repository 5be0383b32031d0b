"""`equipoise instruments`: what the library can score, and blank wording to fill."""

from typing import Annotated, Any

import typer

from equipoise.cli.terminal import Json, answer
from equipoise.cli.yaml_text import yaml_text
from equipoise.errors import InputError, Problem

__all__ = ["app"]

app = typer.Typer(
    help="The instruments that can be scored.", invoke_without_command=True, rich_markup_mode=None
)
Id = Annotated[str, typer.Argument(metavar="ID", help="The instrument, such as swemwbs.")]


@app.callback()
def _listed(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_instruments(json=False)


@app.command("list")
def list_instruments(json: Json = False) -> None:
    """List the instruments of the library with their items and licence class."""
    from equipoise.instruments import instrument_ids, load

    found = [(name, load(name)) for name in instrument_ids()]
    width = max(len(name) for name, _ in found)
    lines = [f"{name:<{width}}  {_short(definition)}" for name, definition in found]
    record = {"instruments": [{"id": name, "title": definition.title} for name, definition in found]}
    answer([*lines, "More of one: equipoise instruments show ID"], record, json=json)


@app.command("show")
def show(instrument: Id, json: Json = False) -> None:
    """Show an instrument: its scores, items, answers, source and licence; never its published wording."""
    from equipoise.instruments import load

    definition = load(instrument)
    record = definition.model_dump(mode="json", by_alias=True, exclude={"demonstration"}, exclude_none=True)
    answer(yaml_text(record).splitlines(), record, json=json)


@app.command("wording")
def wording(instrument: Id) -> None:
    """Print a wording pack to fill: every item and answer, empty, and what the licence asks for."""
    from equipoise.instruments import Instrument, blank_pack, load

    definition = load(instrument)
    if not isinstance(definition, Instrument):
        raise InputError(
            Problem("", "instrument", f'"{instrument}" is a composite and has no items of its own')
        )
    typer.echo(blank_pack(definition), nl=False)


def _short(definition: Any) -> str:
    items = getattr(definition, "items", ())
    size = f"{len(items)} items" if items else "composite"
    licence = getattr(definition, "licence", None)
    return f"{definition.title} ({size}{f', licence class {licence.class_}' if licence else ''})"
