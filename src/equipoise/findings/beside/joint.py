"""One test that none of several contrasts of an analysis differs from nought, beside the first of them."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Floats, Labels, codes_of
from equipoise.estimation.inference import JointTest
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.findings.deciding.claims import effect_id
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.sample import sample_of, supported_contrast

__all__ = ["all_contrasts_together"]


def all_contrasts_together(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """Whether the arms differ at all: for linear and mixed models with several contrasts of the same arms."""
    analysis = measured.analysis
    texts = analysis.contrast
    first = len(texts) > 1 and effect.contrast == texts[0]
    least_squares = analysis.model in ("linear", "lin-interacted") and analysis.variance not in _NOT_JOINT
    if not first or not (least_squares or fitted.jointly):
        return
    if analysis.average_over != "people" or analysis.kind != "as-randomised" or analysis.target != "all":
        return
    rows = _independent([_weights(measured, text) for text in texts])
    if rows is None:
        return
    base = Finding(
        id=effect_id(measured.name, measured.outcome, measured.at, "joint"),
        analysis=measured.name,
        kind="test",
        outcome=measured.outcome,
        at=effect.at,
        among=effect.among,
        role=effect.role,
        tier="supplementary" if effect.planned else "exploratory",
        planned=effect.planned,
        n=effect.n,
        n_randomised=effect.n_randomised,
        model=f"joint test that {len(rows)} contrasts are 0, as the effects were fitted: {'; '.join(texts)}",
    )
    try:
        found = _tested(measured, rows) if fitted.jointly is None else fitted.jointly(rows)
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    yield base.model_copy(
        update={"statistic": found.statistic, "dof": found.dof_denominator, "p_value": found.p_value}
    )


_NOT_JOINT = ("two-way", "wild-bootstrap")


def _weights(measured: Measured, text: str) -> Floats | None:
    """A contrast's weights on the arms of the first; None where it compares others."""
    study = measured.study
    cells = sample_of(study, measured.data, measured.analysis, supported_contrast(study, text)).cells
    return cells.weights if cells.names == measured.arm_names else None


def _independent(rows: list[Floats | None]) -> Floats | None:
    """The contrasts that do not repeat earlier ones; None where fewer than two are left."""
    kept: list[Floats] = []
    for row in rows:
        if row is None:
            return None
        if np.linalg.matrix_rank(np.array([*kept, row])) > len(kept):
            kept.append(row)
    return np.array(kept) if len(kept) > 1 else None


def _tested(measured: Measured, rows: Floats) -> JointTest:
    """As the model itself is fitted, so that one contrast would give the square of its own t test."""
    arms = np.unique(measured.arm)
    lin = measured.analysis.model == "lin-interacted"
    own = arms if lin else arms[1:]  # the first arm's mean is what the intercept or the strata hold
    indicators = (measured.arm[:, None] == own).astype(np.float64)
    strata = measured.strata if measured.strata is not None else np.zeros(len(measured.y), dtype=np.int64)
    extra = _centred(measured, strata if lin else None)
    parts = [indicators * column[:, None] for column in extra.T] if lin else [extra]
    design = np.concatenate([indicators, *parts], axis=1)
    fit = fit_linear(
        measured.y,
        design,
        variance=cast(Variance, measured.analysis.variance),
        strata=None if lin else strata,
        cluster=measured.cluster,
        dof="residual" if measured.analysis.dof == "residual" else "satterthwaite",
    )
    matrix = np.zeros((len(rows), design.shape[1]))
    matrix[:, : len(own)] = rows[:, own]
    return fit.joint_test(matrix)


def _centred(measured: Measured, strata: Labels | None) -> Floats:
    """Covariates, and indicators of the strata where they are interacted, each less its mean."""
    parts = [] if measured.columns is None else [measured.columns]
    if strata is not None:
        codes, labels = codes_of(strata, "strata")
        parts.append((codes[:, None] == np.arange(1, len(labels))).astype(np.float64))
    columns = np.concatenate(parts, axis=1) if parts else np.empty((len(measured.y), 0))
    return np.asarray(columns - columns.mean(axis=0))
