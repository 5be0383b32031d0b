"""The arms before the intervention, with standardised differences: described, never tested."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import polars as pl

from equipoise.allocation.balance import balance_table
from equipoise.findings.describe.arms import FEWEST, WITHHELD
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding, Standardised
from equipoise.instruments.scoring import Floats
from equipoise.protocol.factors import reference_arm
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["baseline", "covariates_before"]

Covariate = Floats | Sequence[str | None]
_ALL = "all"


def baseline(study: Study, data: StudyData) -> Iterator[Finding]:
    covariates = covariates_before(study, data)
    if not study.protocol.allocation or not covariates:
        return
    if data.masked:
        yield from _of_everybody(covariates)
        return
    column = data.participants[study.protocol.arm_column(study.protocol.main_stage)].to_list()
    reference = str(reference_arm(study.protocol.drawn(study.protocol.main_stage)))
    kept = [place for place, arm in enumerate(column) if arm is not None]
    chosen = {name: _at(values, kept) for name, values in covariates.items()}
    for row in balance_table([column[place] for place in kept], chosen, reference=reference):
        stem = f"baseline.{row.covariate}" + ("" if row.level is None else f"={row.level}")
        withheld = WITHHELD if row.n < FEWEST else None
        yield Finding(
            id=f"{stem}.{row.arm}",
            analysis="baseline",
            kind="mean" if row.level is None else "rate",
            outcome=row.covariate,
            level=row.level,
            arm=row.arm,
            n={row.arm: row.n},
            n_missing={row.arm: row.missing},
            estimate=None if withheld else (row.mean if row.level is None else row.share),
            sd=None if withheld or row.level is not None else row.sd,
            not_estimable=withheld,
        )
        if row.arm != reference and not withheld and np.isfinite(row.difference):
            yield Finding(
                id=f"{stem}.{row.arm} - {reference}",
                analysis="baseline",
                kind="effect",
                outcome=row.covariate,
                level=row.level,
                contrast=f"{row.arm} - {reference}",
                standardised=Standardised(
                    estimate=row.difference, sd=1.0, sd_source="both arms, before allocation"
                ),
                model="standardised difference; described, not tested",
            )


def _of_everybody(covariates: dict[str, Covariate]) -> Iterator[Finding]:
    """While the arms are masked, everybody together; differences between arms come with unmasking."""
    for row in balance_table([_ALL] * len(next(iter(covariates.values()))), covariates, reference=_ALL):
        stem = f"baseline.{row.covariate}" + ("" if row.level is None else f"={row.level}")
        withheld = WITHHELD if row.n < FEWEST else None
        yield Finding(
            id=stem,
            analysis="baseline",
            kind="mean" if row.level is None else "rate",
            outcome=row.covariate,
            level=row.level,
            n={_ALL: row.n},
            n_missing={_ALL: row.missing},
            estimate=None if withheld else (row.mean if row.level is None else row.share),
            sd=None if withheld or row.level is not None else row.sd,
            not_estimable=withheld,
        )


def _at(values: Covariate, rows: list[int]) -> Covariate:
    return values[rows] if isinstance(values, np.ndarray) else [values[row] for row in rows]


def covariates_before(study: Study, data: StudyData) -> dict[str, Covariate]:
    """Roster columns that are not dates, contacts or what was allocated, then scores from before it.

    A column of the clusters that were allocated tells nothing of the arms: each lies in one of them whole.
    """
    protocol = study.protocol
    units = {stage.unit for stage in protocol.allocation.values()}
    found: dict[str, Covariate] = {}
    for name, column in (protocol.participants.roster if protocol.participants else {}).items():
        if column.role != "attribute" or name in units or not data.has(name):
            continue
        if column.type in ("integer", "number"):
            found[name] = data.numbers(name)
        elif column.type in ("category", "yes-no") and data.participants[name].n_unique() <= 20:
            found[name] = data.participants[name].cast(pl.String).to_list()
    for wave, name in product(waves_before(protocol, protocol.main_stage), protocol.outcomes):
        if data.has(f"{name}_{wave}"):
            found[f"{name}_{wave}"] = data.numbers(f"{name}_{wave}")
    return found
