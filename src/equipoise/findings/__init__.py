"""What was found: `analyse` walks the plan, calls estimation and wraps the result with its provenance."""

from importlib import import_module
from typing import TYPE_CHECKING

from equipoise.findings.reading.data import StudyData, read_data
from equipoise.findings.results import Finding, Findings

if TYPE_CHECKING:
    from equipoise.findings.walk import analyse

__all__ = ["Finding", "Findings", "StudyData", "analyse", "read_data"]


def __getattr__(name: str) -> object:
    # Estimation needs scipy, which takes most of a second to import: reading data and hashing them does not.
    if name == "analyse":
        return import_module("equipoise.findings.walk").analyse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
