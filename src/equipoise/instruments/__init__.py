"""How an answer becomes a score: instruments as data, their published scoring, reliability, wording packs."""

from equipoise.instruments.composite import ReferenceSample, composite_values, part_scores, reference_sample
from equipoise.instruments.definition import Composite, Instrument, Score
from equipoise.instruments.library import instrument, instrument_ids, load, read
from equipoise.instruments.quality import Quality, quality
from equipoise.instruments.reliability import Coefficient, Reliability, reliability
from equipoise.instruments.scoring import Answers, Scores, rule_of, score
from equipoise.instruments.simulate import (
    answers_for,
    answers_for_composite,
    counts_for,
    latent_shift,
    planning_values,
)
from equipoise.instruments.wording import WordingPack, blank_pack, check_pack, demonstration_pack, read_pack

__all__ = [
    "Answers",
    "Coefficient",
    "Composite",
    "Instrument",
    "Quality",
    "ReferenceSample",
    "Reliability",
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
    "reliability",
    "rule_of",
    "score",
]
