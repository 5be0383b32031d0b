"""Repeated waves: everybody who answered a wave after the allocation is analysed, with the waves answered."""

from dataclasses import replace
from typing import cast

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.mixed.fit import MixedDof
from equipoise.estimation.mixed.mmrm import RepeatedFit, fit_repeated
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.fitting.mixed import at_boundary
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.points import columns_of, own_waves, weights_at
from equipoise.protocol.names import in_words

__all__ = ["fit_waves"]

_CALLED = {"unstructured": "unstructured", "toeplitz": "Toeplitz", "ar1": "AR(1)"}


def fit_waves(measured: Measured) -> Fitted:
    """The contrast at a wave, on average, or as a slope, from all waves after the allocation together.

    Raises:
        DesignError: one wave only, or a design that cannot be estimated.
    """
    columns = columns_of(measured.study, measured.outcome)
    absent = [column for column in columns if not measured.data.has(column)]
    if absent:
        raise DesignError(f"a wave of the model is missing: {measured.data.why_lacking(absent[0])}")
    waves = np.stack([measured.data.numbers(column) for column in columns], axis=1)
    ever = np.where(np.isnan(waves).all(axis=1), np.nan, 0.0)
    whole = replace(measured, values=ever)
    fitted = fit_repeated(
        waves[whole.answered],
        whole.arm,
        arms=len(whole.arm_names),
        covariates=whole.columns,
        strata=whole.strata,
        cluster=whole.cluster,
        cluster_name="cluster" if whole.cluster is None else in_words(measured.analysis.cluster),
        arm_names=whole.arm_names,
        wave_names=own_waves(measured.study, measured.outcome),
    )
    at = weights_at(measured.study, measured.outcome, measured.at)
    analysis, dof = measured.analysis, cast(MixedDof, measured.analysis.dof)
    return Fitted(
        fitted.contrast(measured.weights, at, analysis.interval, dof),
        (*_notes(fitted, measured, whole), *at_boundary(fitted.fit)),
        analysed=whole,
        jointly=lambda rows: fitted.joint_test(rows, at, dof),
    )


def _notes(fitted: RepeatedFit, measured: Measured, whole: Measured) -> tuple[str, ...]:
    here, people = int(measured.answered.sum()), int(whole.answered.sum())
    notes = []
    if here < people:
        notes.append(
            f"{here} of the {people} people analysed answered at this point; the others count by other waves"
        )
    if fitted.failed:
        tried = ", ".join(_CALLED[structure] for structure in fitted.failed)
        notes.append(
            f"the covariance of the waves is {_CALLED[fitted.structure]}: what comes before it in the "
            f"locked order did not converge ({tried})"
        )
    return tuple(notes)
