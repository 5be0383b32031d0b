"""From a study and a change of its assumptions to an engine that simulates its trials, chunk by chunk."""

from collections.abc import Collection
from typing import Protocol

import polars as pl

from equipoise import streams
from equipoise.diagnosis.batch.engine import BatchEngine
from equipoise.diagnosis.batch.suited import why_not_drawn
from equipoise.diagnosis.claims import Claim, claims_of
from equipoise.diagnosis.scenario import UNCHANGED, Scenario
from equipoise.diagnosis.simulated.people import invent_participants
from equipoise.diagnosis.simulated.refusals import refuse_unassumed
from equipoise.diagnosis.trials import Trials
from equipoise.diagnosis.whole import WholeEngine
from equipoise.errors import DesignError, nearest
from equipoise.findings.walk import refuse_unsupported
from equipoise.protocol.study import Study
from equipoise.roster import identifier_of

__all__ = ["Engine", "compile_study"]


class Engine(Protocol):
    """Simulates the trials of one study under one scenario.

    Attributes:
        size: trials in a chunk.
        claims: the effects that are estimated.
    """

    size: int
    claims: tuple[Claim, ...]

    def trials(self, chunk: int, seed: int) -> Trials:
        """The trials of a chunk, from a stream of chance that seed and chunk alone decide."""
        ...


def compile_study(
    study: Study,
    scenario: Scenario = UNCHANGED,
    *,
    participants: pl.DataFrame | None = None,
    only: Collection[str] | None = None,
) -> Engine:
    """An engine: the quick way where the analyses allow it, else the whole way.

    Args:
        study: `diagnosis.assume` says what is assumed.
        scenario: what is changed of it.
        participants: typed rows of real or synthetic people; None to invent as many as the study expects.
            Where the scenario says how many take part they are drawn from these with replacement.
        only: ids of claims, or names of analyses, to look at; None for all. A step of the testing order is
            reached only through the claims of those before it, so these have to be among them.
    Returns:
        An engine whose people, with their strata and clusters, are the same in every trial.
    Raises:
        DesignError, NotSupportedError: assumptions that are missing, or a design that cannot be simulated.
    """
    refuse_unassumed(study)
    refuse_unsupported(study)
    claims = _chosen(study, only)
    changed, people = scenario.applied(study), _people(study, scenario, participants)
    if why_not_drawn(changed, claims) is None:
        return BatchEngine(changed, people, claims)
    return WholeEngine(changed, people, claims)


def _chosen(study: Study, only: Collection[str] | None) -> tuple[Claim, ...]:
    claims = claims_of(study)
    if not claims:
        raise DesignError(
            f"{study.protocol.study.id}: no analysis estimates an effect for everybody, so there is nothing "
            "to diagnose; add an analysis without `by`"
        )
    if only is None:
        return claims
    known = [name for claim in claims for name in (claim.analysis, claim.id)]
    for name in only:
        if name not in known:
            listed = nearest(name, list(dict.fromkeys(known)))
            raise DesignError(f'"{name}" is no analysis and no effect of {study.protocol.study.id}: {listed}')
    return tuple(claim for claim in claims if claim.id in only or claim.analysis in only)


def _people(study: Study, scenario: Scenario, given: pl.DataFrame | None) -> pl.DataFrame:
    rng = streams.generator("0", "simulation", "diagnosis", "people")
    if given is None:
        return invent_participants(study, scenario.people, rng)
    if scenario.people is None or scenario.people == given.height:
        return given
    identifier = identifier_of(study)
    rows = rng.integers(0, given.height, size=scenario.people)
    numbers = pl.Series(identifier, [f"P{number + 1:06d}" for number in range(scenario.people)])
    return given[rows].with_columns(numbers)
