"""A template made ready once, and filled for each participant."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Compiled"]


@dataclass(frozen=True)
class Compiled:
    """A message of one language: its subject and body, with the fields that they use."""

    subject: str
    body: str
    fields: tuple[str, ...]

    def text(self, fields: Mapping[str, str]) -> str:
        """The body as plain text."""
        raise NotImplementedError
