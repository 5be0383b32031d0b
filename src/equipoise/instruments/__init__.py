"""How an answer becomes a score: instruments as data, their published scoring, reliability, wording packs."""

from importlib import import_module
from typing import TYPE_CHECKING

from equipoise.instruments.composite import ReferenceSample, composite_values, part_scores, reference_sample
from equipoise.instruments.definition import Composite, Instrument, Score
from equipoise.instruments.library import instrument, instrument_ids, load, read
from equipoise.instruments.quality import Quality, quality
from equipoise.instruments.scoring import Answers, Scores, rule_of, score
from equipoise.instruments.wording import WordingPack, blank_pack, check_pack, demonstration_pack, read_pack

if TYPE_CHECKING:
    from equipoise.instruments.simulate import (
        answers_for,
        answers_for_composite,
        counts_for,
        latent_shift,
        planning_values,
    )

__all__ = [
    "Answers",
    "Composite",
    "Instrument",
    "Quality",
    "ReferenceSample",
    "Score",
    "Scores",
    "WordingPack",
    "answers_for",
    "answers_for_composite",
    "blank_pack",
    "check_pack",
    "composite_values",
    "counts_for",
    "demonstration_pack",
    "instrument",
    "instrument_ids",
    "latent_shift",
    "load",
    "part_scores",
    "planning_values",
    "quality",
    "read",
    "read_pack",
    "reference_sample",
    "rule_of",
    "score",
]

_SIMULATION = ("answers_for", "answers_for_composite", "counts_for", "latent_shift", "planning_values")


def __getattr__(name: str) -> object:
    # Simulation needs scipy's distributions, which take half a second to import: loading a protocol does not.
    if name in _SIMULATION:
        return getattr(import_module("equipoise.instruments.simulate"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
