"""Minimisation: repeated by an independent few lines, with exactly the declared chances, and well balanced."""

import hmac
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise
from statistics import pvariance

import numpy as np
import pytest

from equipoise.allocation import (
    Beside,
    allocate,
    arm_on_arrival,
    arrival_plan,
    design,
    given_seed,
    record_of,
    roster_hash,
    simulate,
    unit_probabilities,
    verify_allocation,
)
from equipoise.errors import CheckFailedError, DesignError

SEED = bytes(range(32))
EQUAL = {"control": 1, "messages": 1}
RATIOS = [EQUAL, {"control": 2, "messages": 1}, {"a": 1, "b": 2, "c": 1}, {"a": 1, "b": 1, "c": 1, "d": 1}]


def factors(units, levels=(3, 2), seed=5, **more):
    rng = np.random.default_rng(seed)
    columns = {
        f"f{number}": [f"level {v}" for v in rng.integers(0, k, units)] for number, k in enumerate(levels)
    }
    return Beside(columns, **{"coin": 0.8, "measure": "range", **more})


def of_first(beside, units):
    return replace(beside, columns={name: values[:units] for name, values in beside.columns.items()})


# Written anew from the published rule, by other means than the product's: with fractions and whole measures.


def parts_of_slots(rule, counts):
    """The chance of each slot, from the counts of the unit's levels: factor by factor, slot by slot."""
    weights, measure, coin = rule
    slots = len(counts[0])
    imbalance = []
    for slot in range(slots):
        after = [[count + (place == slot) for place, count in enumerate(row)] for row in counts]
        spread = [
            max(row) - min(row) if measure == "range" else pvariance(map(Fraction, row)) for row in after
        ]
        imbalance.append(sum(weight * value for weight, value in zip(weights, spread, strict=True)))
    best = [slot for slot in range(slots) if imbalance[slot] == min(imbalance)]
    chance = [Fraction(0)] * slots
    for taken in best:
        for slot in range(slots):
            part = coin if slot == taken else (1 - coin) / (slots - 1)
            chance[slot] += part / len(best)
    return chance


def again(units, strata, ratio, beside, arrival):
    """The arms of a minimisation, as somebody would draw them who has read its description."""
    rule = (beside.weights or [1] * len(beside.columns), beside.measure, Fraction(str(beside.coin)))
    slots = [arm for arm in sorted(ratio) for _ in range(ratio[arm])]
    arms = {}
    for stratum in set(strata):
        queue = [row for row in range(len(units)) if strata[row] == stratum]
        if not arrival:
            queue.sort(key=lambda row: hmac.digest(SEED, f"main{units[row]}".encode(), "sha256"))
        counts = {}
        for number, row in enumerate(queue, start=1):
            levels = [(name, values[row]) for name, values in beside.columns.items()]
            seen = [counts.setdefault(level, [0] * len(slots)) for level in levels]
            message = f"main\0coin\0{stratum}\0{number}".encode()
            left = Fraction(int.from_bytes(hmac.digest(SEED, message, "sha256"), "big"), 2**256)
            edges = accumulate(parts_of_slots(rule, seen))
            slot = next(slot for slot, edge in enumerate(edges) if left < edge)
            for row_of_counts in seen:
                row_of_counts[slot] += 1
            arms[row] = slots[slot]
    return [arms[row] for row in range(len(units))]


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("measure", ["range", "variance"])
@pytest.mark.parametrize(("weights", "arrival"), [((), True), ((3, 1, 2), False)])
def test_a_short_independent_program_gives_the_same_arms(ratio, measure, weights, arrival):
    units = [f"zoë {number}" for number in range(60)]
    beside = factors(60, (2, 3, 4), weights=weights, measure=measure)
    strata = ["north", "south", "a,b"] * 20
    drawn = allocate(
        units, strata, ratio, method="minimised", stage="main", seed=SEED, arrival=arrival, beside=beside
    )
    assert drawn.arms == again(units, strata, ratio, beside, arrival)


def listed(plan):
    """Every allocation of units in order of arrival with its chance, by going through the tree of choices."""
    rule = (plan.beside.weights or [1] * len(plan.beside.columns), plan.beside.measure)
    coin = Fraction(str(plan.beside.coin))
    levels = list(zip(*plan.beside.columns.values(), strict=True))
    arm_of = [arm for arm, share in enumerate(plan.shares[0].tolist()) for _ in range(share)]
    paths = {(): Fraction(1)}
    for unit, mine in enumerate(levels):
        longer = {}
        for path, chance in paths.items():
            counts = [
                [sum(levels[row][f] == mine[f] and path[row] == slot for row in range(unit)) for slot in
                 range(len(arm_of))]
                for f in range(len(mine))
            ]  # fmt: skip
            for slot, part in enumerate(parts_of_slots((*rule, coin), counts)):
                longer[(*path, slot)] = chance * part
        paths = longer
    found = Counter()
    for path, chance in paths.items():
        found[tuple(arm_of[slot] for slot in path)] += chance
    return found


@pytest.mark.parametrize("ratio", RATIOS[:3])
@pytest.mark.parametrize("measure", ["range", "variance"])
def test_each_unit_has_exactly_its_share_whatever_came_before(ratio, measure):
    units = 5 if len(ratio) == 2 else 4
    beside = of_first(factors(60, weights=(2, 1), measure=measure), units)
    plan = design(units, ratio, method="minimised", arrival=True, beside=beside)
    chances = listed(plan)
    shares = [Fraction(share, sum(ratio.values())) for _, share in sorted(ratio.items())]
    for unit in range(units):
        found = [sum(p for arms, p in chances.items() if arms[unit] == code) for code in range(len(shares))]
        assert found == shares
    assert unit_probabilities(plan).estimated is None
    assert unit_probabilities(plan).of_units[-1] == pytest.approx([float(share) for share in shares])


@pytest.mark.parametrize("how", ["simulated", "keyed"])
@pytest.mark.parametrize("ratio", RATIOS[:2])
def test_draws_have_the_chances_that_the_rule_gives(how, ratio):
    beside, draws = factors(4, weights=(2, 1)), 6_000
    plan = design(4, ratio, method="minimised", arrival=True, beside=beside)
    if how == "simulated":
        seen = Counter(map(tuple, simulate(plan, draws, np.random.default_rng(4)).tolist()))
    else:
        drawn = (
            allocate(
                list("abcd"), None, ratio, method="minimised", stage="main", seed=number.to_bytes(32, "big"),
                arrival=True, beside=beside,
            )
            for number in range(draws)
        )  # fmt: skip
        seen = Counter(tuple(one.codes.tolist()) for one in drawn)
    chances = listed(plan)
    chi_square = sum((seen[arms] - draws * float(p)) ** 2 / (draws * float(p)) for arms, p in chances.items())
    freedom = len(chances) - 1
    assert sum(seen[arms] for arms in chances) == draws
    assert chi_square < freedom + 5 * np.sqrt(2 * freedom)


def balances(codes):
    return np.abs((2 * codes.astype(int) - 1).cumsum(axis=1))


def test_one_factor_of_one_level_is_efrons_coin_and_as_balanced_as_published():
    """Zhao, Weng, Wu and Palesch (2011), Pharmaceutical Statistics 11:39-48, table III, BCD(0.7), 5,000 runs;
    the limits at 2/3 are those of Efron (1971), Biometrika 58:403-417, section 2."""
    published = {20: (0.298, 1.731, 2.963), 80: (0.287, 1.760, 4.374), 300: (0.287, 1.783, 5.807)}
    alike = Beside({"all": ["one"] * 300}, coin=0.7, measure="range")
    plan = design(300, EQUAL, method="minimised", arrival=True, beside=alike)
    apart = balances(simulate(plan, 10_000, np.random.default_rng(8)))
    for units, (exactly, spread, largest) in published.items():
        here = apart[:, :units]
        assert (here == 0).mean() == pytest.approx(exactly, abs=0.01)
        assert np.sqrt((here[:, -1].astype(float) ** 2).mean()) == pytest.approx(spread, abs=0.09)
        assert here.max(axis=1).mean() == pytest.approx(largest, abs=0.12)
    thirds = design(300, EQUAL, method="minimised", arrival=True, beside=replace(alike, coin=0.6666666667))
    apart = balances(simulate(thirds, 10_000, np.random.default_rng(9)))
    assert (apart[:, 199:300:2] == 0).mean() == pytest.approx(1 / 2, abs=0.01)
    assert (apart[:, 200:300:2] == 1).mean() == pytest.approx(3 / 4, abs=0.01)


def apart_by_level(plan, codes):
    """The difference between two arms at each level of each factor, shape (trials, levels)."""
    sign = 2 * codes.astype(int) - 1
    columns = plan.beside.columns.values()
    return np.stack(
        [np.abs(sign[:, np.array(c) == level].sum(axis=1)) for c in columns for level in set(c)], 1
    )


@pytest.mark.parametrize("measure", ["range", "variance"])
def test_many_factors_are_balanced_far_better_than_by_chance(measure):
    beside = factors(120, (2,) * 6, measure=measure)
    apart = {}
    for coin in (0.7, 0.8, 0.95):
        plan = design(120, EQUAL, method="minimised", arrival=True, beside=replace(beside, coin=coin))
        apart[coin] = apart_by_level(plan, simulate(plan, 1_000, np.random.default_rng(3))).mean()
    by_chance = simulate(design(120, EQUAL, method="simple"), 1_000, np.random.default_rng(3))
    assert all(
        more > less for more, less in pairwise([apart_by_level(plan, by_chance).mean(), *apart.values()])
    )
    assert apart[0.8] < apart_by_level(plan, by_chance).mean() / 2.5


def test_a_larger_weight_balances_its_factor_better():
    alike, weighted = factors(200, (8, 8)), factors(200, (8, 8), weights=(1, 10))
    apart = []
    for beside in (alike, weighted):
        plan = design(200, EQUAL, method="minimised", arrival=True, beside=beside)
        apart.append(apart_by_level(plan, simulate(plan, 1_000, np.random.default_rng(3)))[:, 8:].mean())
    assert apart[1] < apart[0] * 0.9


def test_without_chance_a_factor_alone_is_never_more_than_one_apart():
    beside = factors(200, (5,), coin=1.0)
    plan = design(200, EQUAL, method="minimised", arrival=True, beside=beside)
    assert apart_by_level(plan, simulate(plan, 50, np.random.default_rng(3))).max() == 1


def test_an_unequal_ratio_is_kept_from_the_first_unit_to_the_last():
    beside = factors(90, (3, 3))
    ratio = {"control": 3, "messages": 2}
    plan = design(90, ratio, method="minimised", arrival=True, beside=beside)
    codes = simulate(plan, 20_000, np.random.default_rng(6))
    assert np.abs(codes.mean(axis=0) - 0.4).max() < 4.5 * np.sqrt(0.24 / 20_000)
    assert codes.sum(axis=1).std() < 2.5  # 4.6 by plain chance


def test_strata_are_minimised_each_by_itself():
    beside = factors(40)
    units = [f"p{number}" for number in range(40)]
    strata = ["a"] * 25 + ["b"] * 15
    drawn = allocate(units, strata, EQUAL, method="minimised", stage="main", seed=SEED, beside=beside)
    alone = allocate(
        units[:25], strata[:25], EQUAL, method="minimised", stage="main", seed=SEED,
        beside=of_first(beside, 25),
    )  # fmt: skip
    assert drawn.arms[:25] == alone.arms


def recorded(beside):
    units = [f"p{number:02}" for number in range(80)]
    drawn = allocate(units, None, EQUAL, method="minimised", stage="main", seed=SEED, beside=beside)
    record = record_of(
        drawn,
        given_seed(SEED.hex()),
        stage="main",
        strata=(),
        roster_hash=roster_hash(units, beside.columns),
        protocol_hash=None,
    )
    return units, drawn, record


def test_a_changed_level_weight_or_measure_is_told_by_verification():
    beside = factors(80, (6, 2, 2), weights=(2, 1, 1))
    units, drawn, record = recorded(beside)
    assert verify_allocation(record, units, beside.columns, drawn.arms, SEED).units == 80
    assert (record.weights, record.measure, record.coin) == ((2, 1, 1), "range", 0.8)
    changed = {**beside.columns, "f1": ["level 7", *beside.columns["f1"][1:]]}
    with pytest.raises(CheckFailedError, match="a unit, or its f0 or f1 or f2, has changed"):
        verify_allocation(record, units, changed, drawn.arms, SEED)
    for other in ({"weights": (1, 9, 1)}, {"coin": 0.55}, {"measure": "variance"}):
        with pytest.raises(CheckFailedError, match="is said to be in arm"):
            verify_allocation(replace(record, **other), units, beside.columns, drawn.arms, SEED)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {}}, "minimisation has no factors"),
        ({"columns": {"f0": ["x"] * 3}}, "3 values for 60 units"),
        ({"columns": {"f0": [""] * 60}}, "row 1: f0: is empty"),
        ({"weights": (1,)}, "weights [1] for 2 factors"),
        ({"weights": (1, 0)}, "whole number from 1 upwards"),
        ({"measure": "spread"}, '"spread" measures no imbalance; use range or variance'),
        ({"coin": None}, "no probability"),
        ({"coin": 0.5}, "0.5 is no more than the 1/2 that plain chance gives"),
    ],
)
def test_what_cannot_be_minimised_is_refused_with_its_remedy(change, message):
    with pytest.raises(DesignError) as refusal:
        design(60, EQUAL, method="minimised", beside=replace(factors(60), **change))
    assert message in str(refusal.value)


def test_a_ratio_of_large_numbers_is_refused_with_its_remedy():
    with pytest.raises(DesignError, match=r"the shares sum to 199: .* use a simpler ratio"):
        design(60, {"a": 100, "b": 99}, method="minimised", beside=factors(60))
    assert design(60, {"a": 200, "b": 100}, method="minimised", beside=factors(60)).shares.tolist() == [
        [2, 1]
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"levels": ["east"]}, '"east" is no level of site. Levels: north, south'),
        ({"levels": []}, "0 levels for the factors site"),
        ({"levels": ["north"], "earlier": [["north"]]}, "place 1 in the queue, and 1 who came earlier"),
    ],
)
def test_who_arrives_with_levels_that_do_not_fit_is_refused(given, message):
    plan = arrival_plan(
        EQUAL, method="minimised", beside=Beside(coin=0.8, measure="range"),
        levels={"site": ("north", "south")},
    )  # fmt: skip
    with pytest.raises(DesignError) as refusal:
        arm_on_arrival(plan, "main", SEED, stratum="", number=1, **given)
    assert message in str(refusal.value)
