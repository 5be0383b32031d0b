"""Rerandomisation against Morgan and Rubin's formula, brute-force rejection and Li, Ding and Rubin's variance."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from equipoise.allocation import allocate, design, simulate, unit_probabilities
from equipoise.allocation.beside import Beside

EQUAL = {"control": 1, "texts": 1}
PINNED = json.loads((Path(__file__).parent / "pinned-rerandomised.json").read_text("utf-8"))["cases"]


def mahalanobis(values: np.ndarray, treated: np.ndarray) -> float:
    """Morgan and Rubin (2012), eq. 1."""
    n, taken = len(values), treated.sum()
    apart = values[treated].mean(axis=0) - values[~treated].mean(axis=0)
    covariance = np.atleast_2d(np.cov(values.T)) * n / (taken * (n - taken))
    return float(apart @ np.linalg.solve(covariance, apart))


def units(n: int, columns: int, seed: int = 4) -> tuple[np.ndarray, dict[str, list[str]]]:
    values = np.random.default_rng(seed).normal(size=(n, columns)).round(3)
    values[:, 1:] += 0.7 * values[:, :1]
    values = values.round(3)
    return values, {f"x{place}": [str(value) for value in values[:, place]] for place in range(columns)}


def drawn(columns: dict[str, list[str]], accept: float, seed: int = 7, **more):
    n, names = len(columns["x0"]), tuple(columns)
    return allocate(
        [f"p{place:03}" for place in range(n)], more.pop("strata", None), more.pop("ratio", EQUAL),
        method="rerandomised", stage="main", seed=bytes([seed]) * 32,
        beside=Beside(columns, accept=accept, numbers=names),
    )  # fmt: skip


def test_the_distance_is_that_of_morgan_and_rubin_and_the_first_within_the_threshold_is_kept() -> None:
    values, columns = units(50, 3)
    found = drawn(columns, 0.1)
    distance = mahalanobis(values, found.codes == 1)
    assert found.accepted.distance == pytest.approx(distance, rel=1e-5)
    assert distance <= found.accepted.threshold
    assert found.accepted.threshold == pytest.approx(chi2.ppf(0.1, 3), rel=0.15)


def test_the_rows_order_and_the_names_of_levels_are_of_no_account() -> None:
    _, columns = units(40, 2)
    columns["site"] = ["north", "south"] * 20
    turned = np.random.default_rng(1).permutation(40)
    first = allocate(
        [f"p{place:02}" for place in range(40)], None, EQUAL, method="rerandomised", stage="main",
        seed=bytes(32), beside=Beside(columns, accept=0.1, numbers=("x0", "x1")),
    )  # fmt: skip
    again = allocate(
        [f"p{place:02}" for place in turned], None, EQUAL, method="rerandomised", stage="main", seed=bytes(32),
        beside=Beside(
            {name: [given[place] for place in turned] for name, given in columns.items()}, accept=0.1,
            numbers=("x0", "x1"),
        ),
    )  # fmt: skip
    assert again.accepted == first.accepted
    assert dict(zip(again.units, again.arms, strict=True)) == dict(zip(first.units, first.arms, strict=True))


def test_draws_are_those_that_rejection_by_definition_leaves_each_as_likely_as_any_other() -> None:
    values, columns = units(10, 2)
    found = drawn(columns, 0.3)
    kept = {
        tuple(int(place in chosen) for place in range(10))
        for chosen in combinations(range(10), 5)
        if mahalanobis(values, np.isin(np.arange(10), chosen)) <= found.accepted.threshold * (1 + 1e-5)
    }
    codes = simulate(found.design, 20_000, np.random.default_rng(2))
    seen, counts = np.unique(codes, axis=0, return_counts=True)
    assert {tuple(row) for row in seen.tolist()} == kept
    expected = 20_000 / len(kept)
    assert ((counts - expected) ** 2 / expected).sum() < chi2.ppf(0.9999, len(kept) - 1)
    assert len(kept) / 252 == pytest.approx(0.3, abs=0.05)
    keyed = {tuple(drawn(columns, 0.3, seed=seed).codes.tolist()) for seed in range(60)}
    assert keyed <= kept
    assert len(keyed) > 20


def test_a_tenth_of_draws_is_accepted_with_three_arms_strata_and_unequal_shares() -> None:
    _, columns = units(60, 2)
    strata = ["a"] * 25 + ["b"] * 35
    ratio = {"calls": 1, "control": 2, "texts": 1}
    found = drawn(columns, 0.1, strata=strata, ratio=ratio)
    blocked = design(strata, ratio, method="blocked")
    from equipoise.allocation.methods.rerandomised import _criterion_of

    criterion = _criterion_of(found.design)
    share = criterion.accepts(criterion.distances(simulate(blocked, 20_000, np.random.default_rng(3)))).mean()
    assert share == pytest.approx(0.1, abs=4 * (0.1 * 0.9 / 1000) ** 0.5)
    assert found.counts.sum(axis=1).tolist() == [25, 35]


def test_the_variance_falls_as_li_ding_and_rubin_say() -> None:
    """Li, Ding and Rubin (2018), PNAS 115:9157: var / var of complete = 1 - (1 - v) R2, v = P(chi2(k + 2) <= a) / P(chi2(k) <= a)."""
    values, columns = units(200, 2)
    found = drawn(columns, 0.1)
    outcome = values @ [1.0, 0.5] + np.random.default_rng(5).normal(size=200)
    codes = simulate(found.design, 20_000, np.random.default_rng(6))
    effect = (codes @ outcome - (1 - codes) @ outcome) / 100
    wide = np.column_stack([np.ones(200), values])
    fitted = wide @ np.linalg.lstsq(wide, outcome, rcond=None)[0]
    r2 = np.var(fitted) / np.var(outcome)
    complete = 4 * np.var(outcome, ddof=1) / 200
    a = found.accepted.threshold
    left = 1 - (1 - chi2.cdf(a, 4) / chi2.cdf(a, 2)) * r2
    assert np.var(effect) / complete == pytest.approx(left, rel=4 * (2 / 20_000) ** 0.5 + 0.02)


def test_chances_are_the_shares_where_these_are_equal_and_estimated_elsewhere() -> None:
    columns = {"x0": [str(value) for value in np.exp(1.5 * units(12, 1)[0][:, 0]).round(3)]}
    even = unit_probabilities(drawn(columns, 0.3).design)
    assert even.estimated is None
    assert (even.of_units == 0.5).all()
    plan = drawn(columns, 0.3, ratio={"control": 2, "texts": 1}).design
    found = unit_probabilities(plan)
    assert found.estimated is not None
    codes = simulate(plan, 20_000, np.random.default_rng(9))
    assert np.abs((codes == 1).mean(axis=0) - found.of_units[:, 1]).max() < 6 * found.estimated.error
    assert np.abs(found.of_units[:, 1] - 1 / 3).max() > 5 * found.estimated.error  # not the shares


@pytest.mark.parametrize("case", PINNED, ids=lambda case: case["name"])
def test_a_rerandomised_allocation_of_version_1_never_changes(case) -> None:
    """If this fails, every rerandomised trial on record could no longer be verified: never renew the file."""
    beside = Beside(case["columns"], accept=case["accept"], numbers=tuple(case["numbers"]))
    found = allocate(
        case["units"], case["strata"], case["ratio"], method="rerandomised", stage="main",
        seed=bytes.fromhex(case["seed"]), beside=beside,
    )  # fmt: skip
    assert found.arms == case["arms"]
    told = (found.accepted.candidate, found.accepted.distance, found.accepted.threshold)
    assert told == (case["candidate"], case["distance"], case["threshold"])
