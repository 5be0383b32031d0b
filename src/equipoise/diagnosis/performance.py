"""How well a design performs: sums over trials that can be merged, and the figures read off them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.trials import Trials
from equipoise.estimation.arrays import Floats

__all__ = ["ClaimPerformance", "Family", "Performance", "Rated", "Sums", "performance_of"]

_ALIKE = 1e-12
"""A planted effect below this is none."""


@dataclass(frozen=True)
class Rated:
    """A figure with its Monte-Carlo error; None where it is not defined, or not yet."""

    value: float | None
    mc_error: float | None = None


@dataclass(frozen=True)
class ClaimPerformance:
    """What a design shows of one effect, over trials.

    Attributes:
        claim: which effect.
        truth: the effect planted, averaged over the trials; None where it is not known.
        power: share of trials whose locked test rejects; not estimable counts as not rejected.
        bias, rmse: of the estimate, around the truth of its trial.
        coverage: share of intervals that hold the truth.
        mean_estimate, sd_estimate, mean_std_error, mean_width: over trials, in the outcome's unit.
        type_s: share of rejections with the wrong sign (Gelman & Carlin 2014); None at no effect.
        exaggeration: mean size of the rejected estimates over the size of the truth; None at no effect.
        not_estimable: share of trials that give no estimate.
        mean_analysed: people analysed.
    """

    claim: Claim
    truth: float | None
    power: Rated
    bias: Rated
    rmse: Rated
    coverage: Rated
    mean_estimate: Rated
    sd_estimate: Rated
    mean_std_error: Rated
    type_s: Rated
    exaggeration: Rated
    mean_width: Rated
    not_estimable: Rated
    mean_analysed: Rated


@dataclass(frozen=True)
class Family:
    """Of all effects that a step of the testing order decides on.

    `any_false` is the share of trials that reject an effect that is not there, None where each is;
    `any_true` the share that reject one that is there.
    """

    any_false: Rated
    any_true: Rated


@dataclass(frozen=True)
class Performance:
    """The performance of a design, from so many simulated trials."""

    trials: int
    claims: tuple[ClaimPerformance, ...]
    family: Family

    def of(self, claim: str) -> ClaimPerformance:
        """The performance for the claim of an id."""
        return next(each for each in self.claims if each.claim.id == claim)


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over trials: of a fixed size however many these are, and the same when merged in the same order.

    Attributes:
        claims: what the columns are.
        trials: how many.
        by_claim: shape (claims,) each, by name.
        family: trials with a false and with a true rejection, and in how many each could be.
    """

    claims: tuple[Claim, ...]
    trials: int
    by_claim: Mapping[str, Floats]
    family: Mapping[str, float]

    @classmethod
    def of(cls, trials: Trials) -> Self:
        """The sums of some trials."""
        return cls(trials.claims, trials.count, _claim_sums(trials), _family_sums(trials))

    def __add__(self, other: Self) -> Self:
        """Both together; to get the same bits, add chunks in their order."""
        by_claim = {name: sums + other.by_claim[name] for name, sums in self.by_claim.items()}
        family = {name: count + other.family[name] for name, count in self.family.items()}
        return type(self)(self.claims, self.trials + other.trials, by_claim, family)

    @classmethod
    def none(cls, claims: Sequence[Claim]) -> Self:
        """Of no trials."""
        empty = np.empty((0, len(claims)))
        return cls.of(
            Trials(
                claims=tuple(claims),
                estimate=empty,
                std_error=empty,
                low=empty,
                high=empty,
                p_value=empty,
                rejected=np.empty(empty.shape, dtype=bool),
                analysed=empty,
                truth=empty,
            )
        )

    def as_record(self) -> dict[str, Any]:
        """Numbers that JSON keeps to the last bit."""
        by_claim = {name: sums.tolist() for name, sums in self.by_claim.items()}
        return {"trials": self.trials, "by_claim": by_claim, "family": dict(self.family)}

    @classmethod
    def from_record(cls, claims: Sequence[Claim], record: Mapping[str, Any]) -> Self:
        """What `as_record` gave, read back."""
        by_claim = {name: np.asarray(sums, dtype=np.float64) for name, sums in record["by_claim"].items()}
        return cls(tuple(claims), record["trials"], by_claim, dict(record["family"]))


def _claim_sums(trials: Trials) -> dict[str, Floats]:
    known = np.isfinite(trials.estimate)
    estimate, truth = np.where(known, trials.estimate, 0.0), trials.truths
    has_truth = np.isfinite(truth)
    error = np.where(known & has_truth, estimate - np.where(has_truth, truth, 0.0), 0.0)
    bounded = np.isfinite(trials.low) & np.isfinite(trials.high) & known
    width = np.where(bounded, trials.high - trials.low, 0.0)
    rejected = trials.rejected & known
    there = has_truth & (np.abs(truth) > _ALIKE)
    size = np.where(there, np.abs(truth), 1.0)
    exaggerated = np.where(rejected & there, np.abs(estimate) / size, 0.0)
    std_error = np.where(known, np.nan_to_num(trials.std_error), 0.0)
    sums = {
        "known": known,
        "with_truth": known & has_truth,
        "truth": np.where(has_truth, truth, 0.0),
        "truth_known": has_truth,
        "rejected": rejected,
        "rejected_there": rejected & there,
        "wrong_sign": rejected & there & (estimate * truth < 0),
        "exaggeration": exaggerated,
        "exaggeration_2": exaggerated**2,
        "bounded": bounded & has_truth,
        "covered": bounded & has_truth & (trials.low <= truth) & (truth <= trials.high),
        "intervals": bounded,
        "analysed": trials.analysed,
        "analysed_2": trials.analysed**2,
    }
    for name, values in (("estimate", estimate), ("error", error)):
        sums |= {f"{name}_{power}": values**power for power in (1, 2, 3, 4)}
    for name, values in (("std_error", std_error), ("width", width)):
        sums |= {f"{name}_{power}": values**power for power in (1, 2)}
    return {name: np.asarray(values, dtype=np.float64).sum(axis=0) for name, values in sums.items()}


def _family_sums(trials: Trials) -> dict[str, float]:
    tested = np.array([claim.tested for claim in trials.claims], dtype=bool)
    truth = trials.truths
    nothing, there = np.abs(truth) <= _ALIKE, np.abs(truth) > _ALIKE
    found = {}
    for name, rows in (("false", nothing & tested), ("true", there & tested)):
        found[f"any_{name}"] = float((trials.rejected & rows).any(axis=1).sum())
        found[f"could_{name}"] = float(rows.any(axis=1).sum())
    return found


def performance_of(sums: Sums) -> Performance:
    """The figures that the sums give, each with its Monte-Carlo error.

    Rates have the error sqrt(p (1 - p) / m); means sd / sqrt(m); the SD and the RMSE theirs by the delta
    method from fourth moments (Morris, White & Crowther 2019, Statistics in Medicine 38:2074, table 6, gives
    the errors under normal estimates).
    """
    claims = tuple(
        _claim_performance(claim, {name: float(each[place]) for name, each in sums.by_claim.items()}, sums)
        for place, claim in enumerate(sums.claims)
    )
    family = sums.family
    return Performance(
        sums.trials,
        claims,
        Family(
            _rate(family["any_false"], family["could_false"]), _rate(family["any_true"], family["could_true"])
        ),
    )


def _claim_performance(claim: Claim, of: Mapping[str, float], sums: Sums) -> ClaimPerformance:
    known, with_truth = of["known"], of["with_truth"]
    return ClaimPerformance(
        claim=claim,
        truth=of["truth"] / of["truth_known"] if of["truth_known"] else None,
        power=_rate(of["rejected"], sums.trials),
        bias=_mean(of["error_1"], of["error_2"], with_truth),
        rmse=_root_mean(of["error_2"], of["error_4"], with_truth),
        coverage=_rate(of["covered"], of["bounded"]),
        mean_estimate=_mean(of["estimate_1"], of["estimate_2"], known),
        sd_estimate=_spread([of[f"estimate_{power}"] for power in (1, 2, 3, 4)], known),
        mean_std_error=_mean(of["std_error_1"], of["std_error_2"], known),
        type_s=_rate(of["wrong_sign"], of["rejected_there"]),
        exaggeration=_mean(of["exaggeration"], of["exaggeration_2"], of["rejected_there"]),
        mean_width=_mean(of["width_1"], of["width_2"], of["intervals"]),
        not_estimable=_rate(sums.trials - known, sums.trials),
        mean_analysed=_mean(of["analysed"], of["analysed_2"], sums.trials),
    )


def _rate(count: float, trials: float) -> Rated:
    if not trials:
        return Rated(None)
    share = count / trials
    return Rated(share, float(np.sqrt(share * (1 - share) / trials)))


def _mean(total: float, squares: float, trials: float) -> Rated:
    if not trials:
        return Rated(None)
    mean = total / trials
    if trials < 2:
        return Rated(mean)
    variance = max(squares - trials * mean**2, 0.0) / (trials - 1)
    return Rated(mean, float(np.sqrt(variance / trials)))


def _root_mean(squares: float, fourths: float, trials: float) -> Rated:
    """The root of a mean square, with its error by the delta method."""
    square = _mean(squares, fourths, trials)
    if square.value is None or square.value <= 0:
        return Rated(square.value)
    root = float(np.sqrt(square.value))
    return Rated(root, None if square.mc_error is None else square.mc_error / (2 * root))


def _spread(powers: Sequence[float], trials: float) -> Rated:
    """The SD, with its error by the delta method: root of (m4 - s^4) / trials, over 2 s."""
    if trials < 2:
        return Rated(None)
    mean, second, third, fourth = (power / trials for power in powers)
    variance = max(second - mean**2, 0.0)
    centred = fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4
    sd = float(np.sqrt(variance * trials / (trials - 1)))
    if sd == 0:
        return Rated(0.0)
    return Rated(sd, float(np.sqrt(max(centred - variance**2, 0.0) / trials)) / (2 * sd))
