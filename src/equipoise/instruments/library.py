"""The library of instruments: one YAML file each, read when it is asked for and kept."""

from functools import cache
from importlib.resources import files

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from equipoise.errors import Problem, ScoringError, nearest
from equipoise.instruments.definition import Composite, Instrument

__all__ = ["instrument", "instrument_ids", "load", "read"]

_LIBRARY = files("equipoise.instruments") / "library"


@cache
def instrument_ids() -> tuple[str, ...]:
    """The ids of all instruments that the package ships, in alphabetical order."""
    names = (entry.name for entry in _LIBRARY.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


@cache
def load(name: str) -> Instrument | Composite:
    """The instrument or composite of this id.

    Raises:
        ScoringError: there is none; the message lists what there is and the nearest name.
    """
    if name not in instrument_ids():
        raise ScoringError(
            Problem(
                "",
                "instrument",
                f'"{name}" is not in the library. It holds: {nearest(name, instrument_ids())}',
            )
        )
    place = f"instruments/library/{name}.yaml"
    definition = read((_LIBRARY / f"{name}.yaml").read_text("utf-8"), place)
    if definition.id != name:
        raise ScoringError(Problem(place, "id", f'found "{definition.id}"; the file name says "{name}"'))
    return definition


def instrument(name: str) -> Instrument:
    """The instrument of this id, which has items of its own.

    Raises:
        ScoringError: there is none, or it is a composite of other instruments.
    """
    definition = load(name)
    if isinstance(definition, Composite):
        parts = ", ".join(sorted({part.instrument for part in definition.parts.values()}))
        raise ScoringError(
            Problem("", "instrument", f'"{name}" is a composite and has no items of its own; ask {parts}')
        )
    return definition


def read(text: str, place: str) -> Instrument | Composite:
    """An instrument's definition from YAML, a team's own as well as one of the library.

    Args:
        text: the YAML.
        place: the file, as errors should name it.
    Raises:
        ScoringError: every fault of the definition at once, with its path inside the file.
    """
    try:
        raw = YAML(typ="safe").load(text)
    except MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise ScoringError(Problem(f"{place}:{line}", "", f"not YAML: {fault.problem}")) from fault
    if not isinstance(raw, dict):
        raise ScoringError(Problem(place, "", "expected a mapping that starts with id, version and title"))
    model = Composite if raw.get("kind") == "composite" else Instrument
    try:
        return model.model_validate(raw)
    except ValidationError as fault:
        raise ScoringError(
            Problem(place, ".".join(str(part) for part in error["loc"]), error["msg"])
            for error in fault.errors()
        ) from fault
