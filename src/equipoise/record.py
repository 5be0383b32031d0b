"""The base of every part of a study folder: frozen, strict about keys, and spelled with hyphens in YAML."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

__all__ = ["Identifier", "Name", "Record", "Text"]

# Names are used inside expressions and contrasts; identifiers only name things.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _hyphenated(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


class Record(BaseModel):
    """A frozen record whose unknown keys are errors. `per_person` is written `per-person` in YAML."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=_hyphenated,
        populate_by_name=True,
        strict=False,
        hide_input_in_errors=True,
    )
