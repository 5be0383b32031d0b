"""What holds of every draw, on generated rosters."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.allocation import METHOD_NAMES, allocate, arm_on_arrival, arrival_plan, design, simulate

QUICK = settings(max_examples=60, deadline=None)

identifiers = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=6)
rosters = st.dictionaries(
    identifiers, st.sampled_from(["", "a", "b,c", "é"]), min_size=4, max_size=40
).filter(lambda roster: _distinct(roster))
ratios = st.dictionaries(st.sampled_from("wxyz"), st.integers(1, 4), min_size=2, max_size=4)
seeds = st.binary(min_size=32, max_size=32)
methods = st.sampled_from(METHOD_NAMES)


def _distinct(roster):
    import unicodedata

    return len({unicodedata.normalize("NFC", name) for name in roster}) == len(roster)


def draw(roster, ratio, method, seed, stage="main", **more):
    return allocate(list(roster), list(roster.values()), ratio, method=method, stage=stage, seed=seed, **more)


def arms_by_unit(drawn):
    return dict(zip(drawn.units, drawn.arms, strict=True))


@QUICK
@given(rosters, ratios, methods, seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_roster_changes_nobodys_arm(roster, ratio, method, seed, random):
    rows = list(roster.items())
    random.shuffle(rows)
    reordered_ratio = dict(reversed(ratio.items()))
    assert arms_by_unit(draw(roster, ratio, method, seed)) == arms_by_unit(
        draw(dict(rows), reordered_ratio, method, seed)
    )


@QUICK
@given(rosters, ratios, seeds)
def test_counts_within_strata_miss_the_ratio_by_less_than_the_leftover(roster, ratio, seed):
    drawn = draw(roster, ratio, "blocked", seed)
    plan = drawn.design
    total = plan.shares.sum(axis=1, keepdims=True)
    leftover = (plan.sizes % total[:, 0])[:, None]
    missed = np.abs(drawn.counts - plan.sizes[:, None] * plan.shares / total)
    assert ((missed < leftover - 1e-9) | (leftover == 0) & (missed < 1e-9)).all()


@QUICK
@given(rosters, ratios, st.sampled_from(["simple", "blocked", "permuted-blocks"]), seeds)
def test_a_person_more_in_one_stratum_changes_no_other(roster, ratio, method, seed):
    before = arms_by_unit(draw(roster, ratio, method, seed))
    after = arms_by_unit(draw(roster | {"newcomer": "a"}, ratio, method, seed))
    normal = dict(zip(before, roster.values(), strict=True))
    assert all(after[unit] == arm for unit, arm in before.items() if normal[unit] != "a")


@QUICK
@given(rosters, ratios, st.sampled_from(["simple", "permuted-blocks"]), seeds, st.integers(1, 40))
def test_later_arrivals_change_no_earlier_arm(roster, ratio, method, seed, first):
    everybody = draw(roster, ratio, method, seed, arrival=True).arms
    earlier = dict(list(roster.items())[:first])
    assert draw(earlier, ratio, method, seed, arrival=True).arms == everybody[: len(earlier)]


@QUICK
@given(
    rosters,
    ratios,
    st.sampled_from(["simple", "permuted-blocks"]),
    seeds,
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.booleans(),
)
def test_arms_given_one_by_one_on_arrival_are_those_of_the_whole_queue(
    roster, ratio, method, seed, blocks, by_stratum
):
    ratio = dict.fromkeys(["", "a", "b,c", "é"], ratio) if by_stratum else ratio
    everybody = draw(roster, ratio, method, seed, blocks=blocks, arrival=True).arms
    plan = arrival_plan(ratio, method=method, blocks=tuple(blocks))
    places, one_by_one = {}, []
    for stratum in roster.values():
        places[stratum] = places.get(stratum, 0) + 1
        one_by_one.append(arm_on_arrival(plan, "main", seed, stratum=stratum, number=places[stratum]))
    assert one_by_one == everybody


@QUICK
@given(ratios, methods, seeds)
def test_another_seed_or_stage_gives_another_draw(ratio, method, seed):
    roster = {f"p{number}": "ab"[number % 2] for number in range(120)}
    other = bytes([seed[0] ^ 1]) + seed[1:]
    drawn = draw(roster, ratio, method, seed).arms
    assert drawn != draw(roster, ratio, method, other).arms
    assert drawn != draw(roster, ratio, method, seed, stage="second").arms


@QUICK
@given(rosters, ratios, methods, st.booleans(), st.integers(0, 2**32))
def test_simulated_draws_keep_to_the_same_limits(roster, ratio, method, arrival, root):
    arrival = arrival and method in ("simple", "permuted-blocks")
    plan = design(list(roster.values()), ratio, method=method, arrival=arrival)
    codes = simulate(plan, 3, np.random.default_rng(root))
    assert codes.shape == (3, len(roster))
    assert codes.dtype == np.int8
    assert codes.min() >= 0
    assert codes.max() < len(plan.arms)
    if method == "blocked":
        whole = plan.shares * (plan.sizes // plan.shares.sum(axis=1))[:, None]
        for row in codes:
            cells = np.bincount(plan.stratum * len(plan.arms) + row, minlength=whole.size).reshape(
                whole.shape
            )
            assert (cells >= whole).all()
            assert (cells <= whole + plan.shares).all()


@QUICK
@given(ratios, methods, st.integers(0, 2**32))
def test_a_simulation_is_repeated_by_its_generator(ratio, method, root):
    plan = design(["a", "b"] * 8, ratio, method=method)
    first, second = (simulate(plan, 4, np.random.default_rng(root)) for _ in range(2))
    assert np.array_equal(first, second)
