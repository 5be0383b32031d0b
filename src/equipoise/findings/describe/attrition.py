"""Who answered, by arm and by what was known before: differences of those who answered, and whether they
depend on the arm."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from equipoise.allocation.balance import balance_table
from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import missing_indicator
from equipoise.estimation.inference import JointTest
from equipoise.estimation.missing.response import arm_by_characteristic
from equipoise.findings.describe.arms import FEWEST
from equipoise.findings.describe.baseline import covariates_before
from equipoise.findings.describe.flow import answered_by, clusters_of
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding, Standardised
from equipoise.findings.sampling.covariates import Labels, dummies
from equipoise.findings.sampling.sample import Bools, Ints
from equipoise.instruments.scoring import Floats
from equipoise.protocol.factors import reference_arm
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["attrition"]

_TEST = (
    "test that response depends on it in one arm as in another: least squares with the products of arm and"
)
_DIFFERENCE = "standardised difference among those who answered; described, not tested"


def attrition(study: Study, data: StudyData) -> Iterator[Finding]:
    """For each wave after the allocation: the arms compared again among those who answered."""
    protocol = study.protocol
    covariates = covariates_before(study, data)
    if not protocol.allocation or data.masked or not covariates:
        return
    arm = data.participants[protocol.arm_column(protocol.main_stage)].to_numpy()
    before = waves_before(protocol, protocol.main_stage)
    for wave in protocol.waves:
        answered = None if wave in before else answered_by(study, data, wave)
        if answered is None or answered.all() or not answered.any():
            continue
        yield from _differences(study, wave, arm, answered, covariates)
        yield from _tests(study, data, wave, arm, answered, covariates)


def _differences(
    study: Study,
    wave: str,
    arm: Labels,
    answered: Bools,
    covariates: dict[str, Floats | Sequence[str | None]],
) -> Iterator[Finding]:
    """Standardised differences between arms, of those who answered."""
    reference = str(reference_arm(tuple(study.protocol.arms)))
    rows = [int(at) for at in np.flatnonzero(answered) if arm[at] is not None]
    present = {arm[at] for at in rows}
    if reference not in present or len(present) < 2:
        return
    chosen = {
        name: values[rows] if isinstance(values, np.ndarray) else [values[at] for at in rows]
        for name, values in covariates.items()
    }
    for row in balance_table([str(arm[at]) for at in rows], chosen, reference=reference):
        if row.arm == reference or row.n < FEWEST or not np.isfinite(row.difference):
            continue
        stem = f"attrition.{wave}.{row.covariate}" + ("" if row.level is None else f"={row.level}")
        yield Finding(
            id=f"{stem}.{row.arm} - {reference}",
            analysis="attrition",
            kind="effect",
            outcome=row.covariate,
            at=wave,
            level=row.level,
            contrast=f"{row.arm} - {reference}",
            standardised=Standardised(
                estimate=row.difference, sd=1.0, sd_source="both arms, before allocation"
            ),
            model=_DIFFERENCE,
        )


def _tests(
    study: Study,
    data: StudyData,
    wave: str,
    arm: Labels,
    answered: Bools,
    covariates: dict[str, Floats | Sequence[str | None]],
) -> Iterator[Finding]:
    """Whether each characteristic, and all of them together, tells who answers otherwise in another arm."""
    inside = np.array([each is not None for each in arm])
    code = np.unique(arm[inside].astype(str), return_inverse=True)[1].astype(np.int64)
    cluster = clusters_of(study, data)
    labels = None if cluster is None else cluster[inside]
    columns = {name: _columns(values)[inside] for name, values in covariates.items()}
    for name, each in columns.items():
        yield _test(f"attrition.{wave}.{name}", name, wave, answered[inside], code, each, labels)
    if len(columns) > 1:
        whole = np.concatenate([*columns.values()], axis=1)
        yield _test(f"attrition.{wave}.together", None, wave, answered[inside], code, whole, labels)


def _test(
    id: str, name: str | None, wave: str, answered: Bools, code: Ints, columns: Floats, cluster: Labels | None
) -> Finding:
    what = "every characteristic" if name is None else "the characteristic"
    errors = "HC2" if cluster is None else "CR2"
    base = Finding(
        id=id, analysis="attrition", kind="test", outcome=name, at=wave, model=f"{_TEST} {what}; {errors}"
    )
    try:
        found: JointTest = arm_by_characteristic(answered, code, columns, cluster=cluster)
    except DesignError as error:
        return base.model_copy(update={"not_estimable": str(error)})
    return base.model_copy(
        update={"statistic": found.statistic, "dof": found.dof_denominator, "p_value": found.p_value}
    )


def _columns(values: Floats | Sequence[str | None]) -> Floats:
    """A characteristic as columns without gaps."""
    if isinstance(values, np.ndarray):
        return missing_indicator(values).columns
    return dummies(pl.Series(values, dtype=pl.String).fill_null("(missing)"))
