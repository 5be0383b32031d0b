"""Lee's bounds against people copied until parts are whole, Lee's own formula, and derivatives by steps."""

from itertools import combinations, product

import numpy as np
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.missing.any_direction import bounds_in_any_direction
from equipoise.estimation.missing.lee import lee_bounds
from equipoise.estimation.missing.partly_identified import effect_interval


def trial(seed, people=160, rates=(0.55, 0.8), yes_no=False):
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(people) % 2)
    y = rng.normal(0.4 * arm, 1.0)
    y = (y > 0.3).astype(float) if yes_no else y
    return np.where(answered := rng.random(people) < np.array(rates)[arm], y, np.nan), answered, arm


def copied(y, answered, arm):
    """Bounds from each answer of the fuller arm copied so often that a whole number of copies is kept."""
    shares = [answered[arm == k].mean() for k in (0, 1)]
    more, less = int(np.argmax(shares)), int(np.argmin(shares))
    copies = int((arm == less).sum())
    values = np.sort(np.repeat(y[answered & (arm == more)], copies))
    kept = int((arm == more).sum() * answered[arm == less].sum())
    whole = y[answered & (arm == less)].mean()
    ends = [values[:kept].mean() - whole, values[len(values) - kept :].mean() - whole]
    return ends if more == 1 else [-ends[1], -ends[0]]


@pytest.mark.parametrize("rates", [(0.55, 0.8), (0.8, 0.55), (0.7, 0.71)])
@pytest.mark.parametrize("yes_no", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_bounds_are_those_of_answers_copied_until_nobody_is_trimmed_in_part(seed, rates, yes_no):
    y, answered, arm = trial(seed, rates=rates, yes_no=yes_no)
    found = lee_bounds(y, answered, arm, (-1, 1))
    assert (found.low, found.high) == pytest.approx(copied(y, answered, arm), rel=1e-10)
    shares = [answered[arm == k].mean() for k in (0, 1)]
    assert found.trimmed_arm == int(np.argmax(shares))
    assert found.trimmed_share == pytest.approx(1 - min(shares) / max(shares))


def of_proposition_3(y, answered, arm):
    """The variance of the lower bound as Lee (2009) prints it, arm by arm with n / (n - 1)."""
    n = [int((arm == k).sum()) for k in (0, 1)]
    share = [answered[arm == k].mean() for k in (0, 1)]
    values = np.sort(y[answered & (arm == 1)])
    kept = len(values) * share[0] / share[1]
    part = np.clip(kept - np.arange(len(values)), 0, 1)
    mean, edge = part @ values / kept, values[int(np.ceil(kept)) - 1]
    spread = part @ (values - mean) ** 2 / kept
    gap, trimmed = (edge - mean) ** 2, 1 - kept / len(values)
    treated = spread / kept + gap * trimmed / kept + gap * (1 - share[1]) / (n[1] * share[1])
    control = y[answered & (arm == 0)]
    other = gap * (1 - share[0]) / (n[0] * share[0]) + control.var() / len(control)
    return treated * n[1] / (n[1] - 1) + other * n[0] / (n[0] - 1)


@pytest.mark.parametrize("yes_no", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_errors_are_those_of_lees_proposition_3(seed, yes_no):
    y, answered, arm = trial(seed, yes_no=yes_no)
    found = lee_bounds(y, answered, arm, (-1, 1))
    assert found.low_error**2 == pytest.approx(of_proposition_3(y, answered, arm), rel=1e-9)
    assert found.high_error**2 == pytest.approx(of_proposition_3(-y, answered, arm), rel=1e-9)


def of_weights(y, answered, arm, cell, weight):
    """The lower bound where every person counts with a weight, strata as large as they were."""
    ends, masses = [], []
    for one in np.unique(cell):
        rows = cell == one
        share = [np.average(answered[rows & (arm == k)], weights=weight[rows & (arm == k)]) for k in (0, 1)]
        inside = rows & answered & (arm == 1)
        order = np.argsort(y[inside])
        values, w = y[inside][order], weight[inside][order]
        kept = w.sum() * share[0] / share[1]
        part = np.clip(kept - (np.cumsum(w) - w), 0, w)
        control = rows & answered & (arm == 0)
        ends.append(part @ values / kept - np.average(y[control], weights=weight[control]))
        masses.append(rows.sum() * share[0])
    return np.average(ends, weights=masses)


def by_strata(seed):
    rng = np.random.default_rng(seed)
    cell, arm = np.arange(240) % 3, rng.permutation(240) % 2
    answered = rng.random(240) < np.where(arm, 0.75, 0.4) + 0.08 * cell
    return np.where(answered, rng.normal(cell, 1.0, 240), 0.0), answered, arm, cell


@pytest.mark.parametrize("clustered", [False, True])
def test_errors_by_stratum_are_the_derivatives_by_each_persons_weight(clustered):
    y, answered, arm, cell = by_strata(4)
    cluster = np.arange(240) // 12 * 6 + 2 * cell + arm if clustered else np.arange(240)
    found = lee_bounds(y, answered, arm, (-1, 1), cells=cell, cluster=cluster if clustered else None)
    ones, step = np.ones(len(y)), 1e-6
    assert found.low == pytest.approx(of_weights(y, answered, arm, cell, ones), rel=1e-12)
    moves = []
    for person in range(len(y)):
        up, down = ones.copy(), ones.copy()
        up[person], down[person] = 1 + step, 1 - step
        moves.append(
            (of_weights(y, answered, arm, cell, up) - of_weights(y, answered, arm, cell, down)) / (2 * step)
        )
    variance = 0.0
    for one, k in product(range(3), (0, 1)):
        rows = (cell == one) & (arm == k)
        sums = np.array([np.array(moves)[rows & (cluster == c)].sum() for c in np.unique(cluster[rows])])
        variance += len(sums) / (len(sums) - 1) * (sums**2).sum()
    assert found.low_error**2 == pytest.approx(variance, rel=1e-5)


def test_with_everybody_answering_they_are_neymans_difference_and_error():
    y, answered, arm = trial(1, rates=(2, 2))
    found, plain = lee_bounds(y, answered, arm, (-1, 1)), difference_in_means(y, arm, (-1, 1))
    assert (found.low, found.high) == pytest.approx((plain.estimate, plain.estimate), rel=1e-12)
    assert found.low_error == pytest.approx(plain.std_error, rel=1e-12)
    assert found.trimmed_arm is None
    assert found.trimmed_share == 0


def test_turning_the_contrast_round_turns_the_bounds_round():
    y, answered, arm = trial(2)
    one, other = (lee_bounds(y, answered, arm, sign) for sign in ((-1, 1), (2, -2)))
    assert (other.low, other.high) == pytest.approx((-2 * one.high, -2 * one.low), rel=1e-12)
    assert (other.low_error, other.high_error) == pytest.approx((2 * one.high_error, 2 * one.low_error))


def test_the_interval_is_that_of_imbens_and_manski():
    found = lee_bounds(*trial(3), (-1, 1), level=0.9)
    assert found.interval == effect_interval(
        (found.low, found.high), (found.low_error, found.high_error), 0.9
    )


def test_the_interval_covers_the_effect_on_people_who_would_answer_under_either_arm():
    rng = np.random.default_rng(5)
    held = draws = 0
    for _ in range(700):
        arm = rng.permutation(400) % 2
        latent = rng.normal(size=400)
        lean = rng.random(400) + 0.1 * latent
        answered = lean < np.where(arm == 1, 0.75, 0.6)
        found = lee_bounds(latent + arm * 0.5, answered, arm, (-1, 1))
        held += found.interval.contains(0.5)
        draws += 1
    assert held / draws > 0.95 - 3 * np.sqrt(0.95 * 0.05 / draws)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contrast": (-1, 0.5, 0.5)}, "contrast: compares 3 arms"),
        ({"nobody": 1}, 'answered: nobody in arm "texts" answered'),
        ({"cells": "opposed"}, "cells: response is higher in an arm in some strata"),
        ({"cells": "lonely"}, 'cells: a stratum has nobody who answered in arm "usual"'),
    ],
)
def test_what_lee_cannot_bound_is_refused(change, message):
    y, answered, arm = trial(6)
    cells = None
    if change.get("cells") == "opposed":
        cells = np.where(np.arange(len(arm)) < 80, "a", "b")
        answered = (arm == 1) ^ (cells == "b") | (np.arange(len(arm)) % 3 == 0)
    if change.get("cells") == "lonely":
        cells = np.where(arm == 1, "a", "b")
    if "nobody" in change:
        answered = answered & (arm != change["nobody"])
    if "contrast" in change:
        arm = np.arange(len(arm)) % 3
    with pytest.raises(DesignError, match=message):
        lee_bounds(
            np.nan_to_num(y), answered, arm, change.get("contrast", (-1, 1)), cells=cells,
            arm_names=("usual", "texts", "calls"),
        )  # fmt: skip


def test_unknown_outcomes_of_those_held_count_in_the_shares_alone():
    rng = np.random.default_rng(3)
    y, held, arm = trial(3, people=400, rates=(0.6, 0.9))
    known = held & (rng.random(400) < 0.7)
    found = lee_bounds(np.where(known, y, np.nan), held, arm, (-1, 1), known=known)
    share = held[arm == 0].mean() / held[arm == 1].mean()
    values, other = np.sort(y[known & (arm == 1)]), y[known & (arm == 0)].mean()
    part = np.clip(len(values) * share - np.arange(len(values)), 0, 1)
    ends = [part @ values / part.sum() - other, part @ values[::-1] / part.sum() - other]
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-12)


def test_the_errors_with_unknown_outcomes_are_the_spread_of_repeated_trials():
    rng, found = np.random.default_rng(4), []
    for seed in range(600):
        y, held, arm = trial(seed, people=500, rates=(0.6, 0.85))
        known = held & (rng.random(500) < 0.6)
        found.append(lee_bounds(y, held, arm, (-1, 1), known=known))
    for end in ("low", "high"):
        spread = np.std([getattr(one, end) for one in found], ddof=1)
        told = np.sqrt(np.mean([getattr(one, f"{end}_error") ** 2 for one in found]))
        assert told == pytest.approx(spread, rel=0.1)  # three Monte-Carlo errors of a spread: 0.087


def test_bounds_hold_the_effect_in_the_stratum_where_everybody_is_known_under_both_arms():
    rng, people = np.random.default_rng(6), 200_000
    stratum = rng.choice(["neither", "control only", "both"], people, p=[0.6, 0.25, 0.15])
    spared = np.stack([stratum == "neither", stratum != "both"], axis=1)  # the treatment prevents the event
    base = rng.normal(np.where(stratum == "neither", 1.0, 0.0), 1.0)
    y = np.stack([base, base + np.where(stratum == "neither", 0.5, -1.0)], axis=1)
    arm = rng.permutation(np.arange(people) % 2)
    held = spared[np.arange(people), arm]
    found = lee_bounds(y[np.arange(people), arm], held, arm, (-1, 1))
    naive = y[held & (arm == 1), 1].mean() - y[held & (arm == 0), 0].mean()
    assert found.low < 0.5 < found.high
    assert naive < 0.1  # comparing whoever is left says that nothing happened


def test_bounds_in_any_direction_hold_where_the_arm_causes_it_in_some_and_prevents_it_in_others():
    rng, people = np.random.default_rng(8), 200_000
    stratum = rng.choice(["neither", "treated only", "control only"], people, p=[0.6, 0.2, 0.2])
    spared = np.stack([stratum != "control only", stratum != "treated only"], axis=1)
    base = rng.normal(0.0, 1.0, people) + np.where(stratum == "treated only", 3.0, 0.0)
    y = np.stack([base, base + np.where(stratum == "neither", 0.5, 3.0)], axis=1)
    arm = rng.permutation(np.arange(people) % 2)
    held, seen = spared[np.arange(people), arm], y[np.arange(people), arm]
    low, high = bounds_in_any_direction(seen, held, arm, (-1, 1))
    assert low < 0.5 < high
    one_way = lee_bounds(seen, held, arm, (-1, 1))
    assert not one_way.low < 0.5 < one_way.high  # as many are spared in both arms, so it trims nobody


def test_bounds_in_any_direction_are_lees_where_one_arm_spares_everybody():
    y, held, arm = trial(5, people=300, rates=(0.7, 1.0))
    found, lee = bounds_in_any_direction(y, held, arm, (-1, 1)), lee_bounds(y, held, arm, (-1, 1))
    assert found == pytest.approx((lee.low, lee.high), rel=1e-12)
    turned = bounds_in_any_direction(y, held, arm, (1, -1))
    assert turned == pytest.approx((-found[1], -found[0]), rel=1e-12)


def test_bounds_in_any_direction_are_the_extremes_over_all_who_could_be_the_stratum():
    y = np.array([1.0, 4.0, 2.0, 8.0, 0.0, 5.0, 3.0, 7.0, 6.0, 9.0])
    arm, held = np.arange(10) % 2, np.array([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], dtype=bool)
    kept = 5 * (0.8 + 0.8 - 1)  # three of the four spared in each arm, at least
    means = [
        {part: [np.mean(some) for some in combinations(y[held & (arm == code)], part)] for part in (3, 4)}
        for code in (0, 1)
    ]
    every = [one - other for part in (3, 4) for one in means[1][part] for other in means[0][part]]
    assert kept == pytest.approx(3)
    assert bounds_in_any_direction(y, held, arm, (-1, 1)) == pytest.approx((min(every), max(every)))


def test_where_nobody_need_be_spared_under_both_arms_there_are_no_bounds():
    y, held, arm = trial(2, rates=(0.4, 0.5))
    with pytest.raises(DesignError, match="so it may be that nobody is spared under both"):
        bounds_in_any_direction(y, held, arm, (-1, 1))
