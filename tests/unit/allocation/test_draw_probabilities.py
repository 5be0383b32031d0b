"""The draw's probabilities, proved by enumerating every keyed order through the code that draws."""

from collections import Counter
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest

from equipoise.allocation import allocate, design, every_allocation, exact_probabilities, simulate
from equipoise.allocation.chance.keyed import Key, order_within
from equipoise.allocation.methods.blocked import arm_counts, arrange
from equipoise.errors import DesignError, NotSupportedError

SMALL = [
    (["a"] * 3, {"control": 1, "messages": 1}),
    (["a", "b"], {"control": 2, "messages": 1}),
    (["a"] * 4, {"control": 2, "messages": 1}),
    (["a"] * 5, {"x": 1, "y": 1, "z": 1}),
    (["a", "b", "b"], {"a": {"c": 1, "t": 1}, "b": {"c": 2, "t": 1}}),
]


def through_the_draw(plan):
    """Every order of units and slots, all equally likely, through the functions that the keyed draw uses."""
    members = [np.flatnonzero(plan.stratum == place) for place in range(len(plan.labels))]
    found = Counter()
    orders = [list(permutations(cell)) for cell in members]
    slots = [list(permutations(cell)) for cell in plan.slots]
    for order, slot in product(product(*orders), product(*slots)):
        drawn = [
            np.array(cell[: len(m) % len(cell)], dtype=int) for cell, m in zip(slot, members, strict=True)
        ]
        codes = arrange(plan, np.concatenate(order).astype(int), arm_counts(plan, drawn))
        found[tuple(codes.tolist())] += 1
    total = sum(found.values())
    return {arms: Fraction(count, total) for arms, count in found.items()}


def marginals(plan, distribution):
    return [
        [sum(p for arms, p in distribution.items() if arms[unit] == code) for code in range(len(plan.arms))]
        for unit in range(len(plan.stratum))
    ]


@pytest.mark.parametrize(("strata", "ratio"), SMALL)
def test_every_unit_has_exactly_its_declared_probability_over_all_orders(strata, ratio):
    plan = design(strata, ratio, method="blocked")
    declared = exact_probabilities(plan)
    assert marginals(plan, through_the_draw(plan)) == [list(declared[label].values()) for label in strata]


@pytest.mark.parametrize(("strata", "ratio"), SMALL)
def test_the_listed_allocations_are_those_of_the_draw(strata, ratio):
    plan = design(strata, ratio, method="blocked")
    assert dict(every_allocation(plan)) == through_the_draw(plan)


@pytest.mark.parametrize("method", ["simple", "complete", "blocked"])
def test_listed_probabilities_sum_to_one_and_give_the_shares(method):
    plan = design(["a", "b", "b", "a", "b"], {"c": 2, "t": 1}, method=method)
    listed = dict(every_allocation(plan))
    assert sum(listed.values()) == 1
    assert marginals(plan, listed) == [[Fraction(2, 3), Fraction(1, 3)]] * 5


@pytest.mark.parametrize("arrival", [False, True])
def test_any_place_in_a_truncated_permuted_block_has_the_share(arrival):
    slots = [0, 0, 1]  # a block of one set; every order, cut anywhere
    for place in range(3):
        assert Counter(order[place] for order in permutations(slots)) == {0: 4, 1: 2}
    plan = design(["a"] * 5, {"c": 2, "t": 1}, method="permuted-blocks", arrival=arrival)
    share = simulate(plan, 40_000, np.random.default_rng(3)).mean(axis=0)
    assert np.abs(share - 1 / 3).max() < 4.5 * np.sqrt(2 / 9 / 40_000)


@pytest.mark.parametrize("method", ["simple", "complete", "blocked"])
@pytest.mark.parametrize("how", ["keyed", "simulated"])
def test_drawn_frequencies_agree_with_the_listed_probabilities(method, how):
    strata, ratio, draws = ["a", "b", "b", "a", "b"], {"c": 2, "t": 1}, 4_000
    plan = design(strata, ratio, method=method)
    if how == "simulated":
        seen = Counter(map(tuple, simulate(plan, draws, np.random.default_rng(7)).tolist()))
    else:
        seeds = [number.to_bytes(32, "big") for number in range(draws)]
        seen = Counter(
            tuple(allocate(list("pqrst"), strata, ratio, method=method, stage="main", seed=s).codes.tolist())
            for s in seeds
        )
    listed = dict(every_allocation(plan))
    assert set(seen) <= set(listed)
    chi_square = sum((seen[arms] - draws * float(p)) ** 2 / (draws * float(p)) for arms, p in listed.items())
    freedom = len(listed) - 1
    assert chi_square < freedom + 5 * np.sqrt(2 * freedom)  # five SDs above its mean


@pytest.mark.parametrize("method", ["complete", "blocked", "permuted-blocks"])
def test_simulated_and_keyed_counts_have_the_same_range(method):
    strata, ratio = ["a"] * 4 + ["b"] * 3, {"x": 1, "y": 2}
    plan = design(strata, ratio, method=method)
    simulated = {
        tuple(np.bincount(row[:4], minlength=2)) for row in simulate(plan, 2_000, np.random.default_rng(1))
    }
    keyed = {
        tuple(np.bincount(codes[:4], minlength=2))
        for number in range(500)
        for codes in [
            allocate(
                list("abcdefg"), strata, ratio, method=method, stage="main", seed=number.to_bytes(32, "big")
            ).codes
        ]
    }
    assert keyed == simulated


def test_equal_beginnings_of_numbers_are_settled_by_the_rest():
    numbers = [b"\1" * 31 + bytes([last]) for last in (9, 3, 7)] + [b"\0" * 32]
    assert order_within(np.zeros(4, dtype=np.intp), b"".join(numbers)).tolist() == [3, 1, 2, 0]
    assert order_within(np.array([1, 0, 1, 1]), b"".join(numbers)).tolist() == [1, 3, 2, 0]


def test_keyed_numbers_are_hmac_sha256():
    import hmac

    numbers = Key(bytes(range(32)), "main").digests([b"p1", "zoë".encode()])
    expected = [hmac.digest(bytes(range(32)), b"main" + end, "sha256") for end in (b"p1", "zoë".encode())]
    assert numbers == b"".join(expected)


def test_permuted_blocks_cannot_be_listed_and_large_designs_are_refused():
    with pytest.raises(NotSupportedError, match="permuted-blocks"):
        list(every_allocation(design(4, {"c": 1, "t": 1}, method="permuted-blocks")))
    with pytest.raises(DesignError, match="draw"):
        list(every_allocation(design(100, {"c": 1, "t": 1}, method="simple")))
