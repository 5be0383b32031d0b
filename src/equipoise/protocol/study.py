"""A study as loaded: one frozen record of everything that its folder says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from equipoise.instruments.wording import WordingPack
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.models.files import (
    Amendment,
    Codebook,
    Guide,
    LogicModel,
    Message,
    Vignette,
)
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.models.registration import Registration
from equipoise.protocol.models.surveys import Survey, Translation
from equipoise.protocol.reading import Document

__all__ = ["Study"]


@dataclass(frozen=True)
class Study:
    """What a study folder says, spelled out.

    Files are keyed by their path inside the folder (`messages/week-1.md`), surveys by name (their
    translations by path), narrative sections by stem. `registration` is None for a study that is not locked;
    `documents` finds lines for problems.
    """

    folder: Path
    protocol: Protocol
    surveys: Mapping[str, Survey] = field(default_factory=dict)
    translations: Mapping[str, Translation] = field(default_factory=dict)
    wording: Mapping[str, WordingPack] = field(default_factory=dict)
    messages: Mapping[str, Message] = field(default_factory=dict)
    vignettes: Mapping[str, Vignette] = field(default_factory=dict)
    guides: Mapping[str, Guide] = field(default_factory=dict)
    codebook: Codebook | None = None
    logic_model: LogicModel | None = None
    narrative: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, str] = field(default_factory=dict)
    explore: Mapping[str, Analysis] = field(default_factory=dict)
    amendments: tuple[Amendment, ...] = ()
    registration: Registration | None = None
    documents: Mapping[str, Document] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """For another process: views that nobody may write to cannot travel, so they go as copies."""
        held = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in held.items()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """What came from another process."""
        self.__dict__.update(state)
