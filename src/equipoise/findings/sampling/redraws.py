"""The allocation of a stage, drawn again by its own procedure, from the study and its data.

For that the data must hold everybody who was randomised, answered or not, the columns within which the arms
were drawn, the unit that was drawn and, where people were allocated as they came, when each was enrolled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import lgamma

import numpy as np
import polars as pl

from equipoise.allocation import Design, Units, every_allocation, is_rolling, simulate, units_of
from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.randomisation.redraws import Codes, Redraws, drawn, listed
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.sample import Ints
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.registration import current_hash
from equipoise.protocol.study import Study
from equipoise.streams import analysis_seed, generator

__all__ = ["Drawing", "drawing_of"]

ENROLLED = "enrolled_at"
EXCHANGEABLE = ("simple", "complete", "blocked", "permuted-blocks", "matched-pairs")
"""Methods in which, given the numbers by arm, every order of a stratum's arms is as likely as any other."""
IN_ANY_ORDER = ("simple",)
"""Methods of rolling enrolment that look at nobody who came before."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """How the arms of a stage were drawn.

    Attributes:
        stage: its name.
        plan: the procedure, with each unit's stratum.
        observed: (units,) the code of each unit's arm, its place in `plan.arms`.
        place: (participants,) the unit of each, -1 for those whom the stage did not draw.
        possible: whether the numbers by arm are such as the procedure gives; they are not where the data
            lack people who were randomised.
        root: the seed of the study's analyses.
    """

    stage: str
    plan: Design
    observed: Codes
    place: Ints
    possible: bool
    root: str

    @property
    def exchangeable(self) -> bool:
        """Whether arms may change places within a stratum, given their numbers."""
        return self.plan.method in EXCHANGEABLE and not (
            self.plan.arrival and self.plan.method not in IN_ANY_ORDER
        )

    def redraws(self, draws: int, compared: Sequence[int] | None = None) -> Redraws:
        """Allocations to compare with: all, where they are no more than `draws`; else so many drawn.

        Args:
            draws: how many.
            compared: codes of the arms that a contrast compares. Where arms may change places, the other
                arms keep their people and the numbers stay as they are: then nothing is assumed of those
                arms. Elsewhere, and where None, every arm is drawn again.
        """
        everything = compared is None or set(compared) == set(range(len(self.plan.arms)))
        if (everything and self.possible) or not self.exchangeable:
            return self._redraws(self.plan, np.arange(len(self.observed)), self._all, draws)
        arms = self._all if compared is None else np.array(sorted(compared), dtype=np.int8)
        members = np.flatnonzero(np.isin(self.observed, arms))
        return self._redraws(self._given_numbers(members, arms), members, arms, draws)

    @property
    def _all(self) -> Codes:
        return np.arange(len(self.plan.arms), dtype=np.int8)

    def _given_numbers(self, members: Ints, arms: Codes) -> Design:
        """The arms of these units in any order within their strata, their numbers as observed."""
        plan = self.plan.pooled() if self.plan.method == "complete" else self.plan
        labels, stratum = np.unique(plan.stratum[members], return_inverse=True)
        numbers = np.zeros((len(labels), len(arms)), dtype=np.int64)
        np.add.at(numbers, (stratum, np.searchsorted(arms, self.observed[members])), 1)
        return Design(
            "blocked",
            tuple(plan.arms[arm] for arm in arms),
            tuple(str(label) for label in labels),
            stratum.astype(np.intp),
            numbers,
        )

    def _redraws(self, plan: Design, members: Ints, arms: Codes, draws: int) -> Redraws:
        def whole(codes: Codes) -> Codes:
            if len(members) == len(self.observed):
                return codes
            rows = np.tile(self.observed, (len(codes), 1))
            rows[:, members] = arms[codes]
            return rows

        every = _every(plan, draws)
        if every is not None:
            return listed(whole(every[0]), every[1], self.observed)
        name = ",".join(plan.arms)
        return drawn(
            lambda size, stream: whole(simulate(plan, size, stream)),
            self.observed,
            draws,
            lambda piece: generator(self.root, "permutation", self.stage, name, str(piece)),
        )


def drawing_of(study: Study, data: StudyData, stage: str) -> Drawing:
    """How a stage was drawn, as far as the data tell.

    Raises:
        DesignError: the data lack a column that the draw hung on, or say what cannot have been drawn.
    """
    spec, column = study.protocol.allocation[stage], study.protocol.arm_column(stage)
    rows = np.flatnonzero(data.participants[column].is_not_null().to_numpy())
    _refuse_missing(study, data, stage, spec)
    rolling = is_rolling(study)
    if rolling and spec.method not in IN_ANY_ORDER:
        rows = _in_order(data, rows, stage, spec)
    units = units_of(study, stage, spec.model_copy(update={"among": None}), _at(data, rows), data.identifier)
    plan = units.plan(spec, arrival=rolling)
    place = np.full(data.participants.height, -1, dtype=np.int64)
    place[rows] = _places(units)
    observed = _observed(plan, data.participants[column].to_list(), place, units)
    root = analysis_seed(current_hash(study))
    return Drawing(stage, plan, observed, place, _possible(plan, observed), root)


def _at(data: StudyData, rows: Ints) -> pl.DataFrame:
    people: pl.DataFrame = data.participants[rows.tolist()]
    return people


def _refuse_missing(study: Study, data: StudyData, stage: str, spec: Stage) -> None:
    """Everything that the draw hung on, besides what is derived from it, must be there."""
    derived = study.protocol.participants.derived if study.protocol.participants else {}
    schema = before_allocation(study.protocol, stage)
    texts = [derived[name] for name in (*spec.drawn_within, *spec.balanced_on) if name in derived]
    texts += [rule.where for rule in spec.ratio if rule.where is not None]
    needed = [name for name in (*spec.drawn_within, *spec.balanced_on) if name not in derived]
    needed += [name for text in texts for name in compile_expression(text, schema).columns]
    needed += [spec.unit] if spec.unit != "participant" else []
    for name in needed:
        if not data.has(name) and name not in derived:
            raise DesignError(
                f'the data have no column "{name}", on which the draw of {stage} hung, so it cannot be drawn '
                "again; add the column, or take `test: t`"
            )


def _in_order(data: StudyData, rows: Ints, stage: str, spec: Stage) -> Ints:
    """People in the order in which they were enrolled, in which they got their arms."""
    remedy = f"so the draw of {stage}, in order of arrival, cannot be made again; take `test: t`"
    if not data.has(ENROLLED):
        raise DesignError(f'the data have no column "{ENROLLED}", {remedy}, or add it')
    enrolled = data.participants[ENROLLED][rows.tolist()]
    if enrolled.null_count():
        raise DesignError(f'{enrolled.null_count()} of those randomised have no "{ENROLLED}", {remedy}')
    within = [name for name in spec.drawn_within if data.has(name)]
    together = _at(data, rows).select(*within, ENROLLED).is_duplicated().sum()
    if together:
        raise DesignError(
            f'{together} people have the same "{ENROLLED}" as another in their stratum, {remedy}'
        )
    return np.asarray(rows[enrolled.arg_sort().to_numpy()])


def _places(units: Units) -> Ints:
    """The unit of each person of the draw."""
    if units.cluster is None:
        return np.arange(len(units.units))
    place = {unit: number for number, unit in enumerate(units.units)}
    return np.array([place[cluster] for cluster in units.cluster])


def _observed(plan: Design, arms: list[str | None], place: Ints, units: Units) -> Codes:
    code = {arm: number for number, arm in enumerate(plan.arms)}
    found: list[int | None] = [None] * len(units.units)
    for arm, unit in zip(arms, place.tolist(), strict=True):
        if unit < 0:
            continue
        if arm not in code:
            raise DesignError(f'somebody is in arm "{arm}", which the protocol gives no share to')
        if found[unit] is not None and found[unit] != code[arm]:
            raise DesignError(
                f'people of "{units.units[unit]}" are in different arms, though it was drawn as a whole'
            )
        found[unit] = code[arm]
    return np.array(found, dtype=np.int8)


def _possible(plan: Design, observed: Codes) -> bool:
    """Whether a draw with fixed numbers could have given these: whole sets, and different slots left over."""
    if plan.method not in ("complete", "blocked", "matched-pairs", "rerandomised"):
        return True
    plan = plan.pooled() if plan.method == "complete" else plan
    counts = np.zeros(plan.shares.shape, dtype=np.int64)
    np.add.at(counts, (plan.stratum, observed), 1)
    left = counts - plan.shares * (plan.sizes // plan.shares.sum(axis=1))[:, None]
    return bool(((left >= 0) & (left <= plan.shares)).all())


def _every(plan: Design, most: int) -> tuple[Codes, list[float]] | None:
    """All allocations with their chances; None where they are more than `most`, or cannot be listed."""
    if _at_least(plan) > np.log(most) + 1e-9:
        return None
    try:
        found = list(islice(every_allocation(plan), most + 1))
    except (DesignError, NotSupportedError):
        return None
    if len(found) > most:
        return None
    return np.array([codes for codes, _ in found], dtype=np.int8), [float(chance) for _, chance in found]


def _at_least(plan: Design) -> float:
    """The logarithm of a number that the allocations reach, quickly found."""
    if plan.method == "simple":
        return len(plan.stratum) * float(np.log(len(plan.arms)))
    plan = plan.pooled() if plan.method == "complete" else replace(plan)
    sets = plan.shares * (plan.sizes // plan.shares.sum(axis=1))[:, None]
    return float(sum(lgamma(row.sum() + 1) - sum(lgamma(n + 1) for n in row) for row in sets))
