"""What `dictionary.json` beside the data says of them.

Where they come from, whether they are masked, how they were sealed, and who looked at results by arm.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from equipoise.errors import Problem, RosterError
from equipoise.findings.results import SeenByArm

__all__ = ["DataSource", "Dictionary", "Sealed", "read_dictionary"]

DataSource = Literal["collected", "simulated", "outside"]
_FILE = "dictionary.json"


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Sealed(_Said):
    """A seal: the hash of data, exclusions and protocol, its parts, and when it was set and the arms named.

    `erased_since` people have had everything erased since, which changes the data.
    """

    hash: str
    data_hash: str
    exclusions_hash: str = ""
    protocol_hash: str
    sealed_at: datetime
    unmasked_at: datetime | None = None
    erased_since: int = 0


class Dictionary(_Said):
    """What is known of the data beside them; nothing where there is no dictionary."""

    source: DataSource = "outside"
    masked: bool = False
    seal: Sealed | None = None
    looks: tuple[SeenByArm, ...] = ()


def read_dictionary(path: Path) -> Dictionary:
    """The dictionary beside a file or in a folder of data.

    Raises:
        RosterError: it is there and is none.
    """
    beside = (path if path.is_dir() else path.parent) / _FILE
    if not beside.is_file():
        return Dictionary()
    try:
        said = json.loads(beside.read_text("utf-8"))
    except ValueError:
        raise RosterError(Problem(_FILE, "", "this is not the JSON of a data dictionary")) from None
    return _read(said)


def _read(said: Any) -> Dictionary:
    if isinstance(said, dict) and said.get("source") not in ("collected", "simulated", "outside"):
        said = {**said, "source": "outside"}  # somebody else's dictionary
    try:
        return Dictionary.model_validate(said)
    except ValidationError as error:
        wrong = ".".join(str(part) for part in error.errors()[0]["loc"])
        message = "this is not what an export writes there; take the dictionary of the export again"
        raise RosterError(Problem(_FILE, wrong, message)) from None
