"""Optimal pairs against every matching there is, and threesomes against every exchange of two."""

from functools import cache

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from equipoise.allocation.people.matching import optimal_pairs
from equipoise.allocation.people.pairing import LEFT_OVER, alike


def least(distance: np.ndarray) -> float:
    """The least sum over all matchings, by dynamic programming over sets."""

    @cache
    def rest(used: int) -> float:
        free = [place for place in range(len(distance)) if not used >> place & 1]
        if not free:
            return 0.0
        one, *others = free
        return min(distance[one, other] + rest(used | 1 << one | 1 << other) for other in others)

    return rest(0)


@pytest.mark.parametrize("seed", range(40))
def test_pairs_are_the_best_of_all_matchings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, columns = int(rng.choice([2, 4, 8, 14])), int(rng.integers(1, 4))
    places = rng.integers(0, 4, (n, columns)).astype(float) if seed % 2 else rng.normal(size=(n, columns))
    distance = cdist(places, places)
    pairs = optimal_pairs(distance)
    assert sorted(pairs.ravel().tolist()) == list(range(n))
    assert distance[pairs[:, 0], pairs[:, 1]].sum() == pytest.approx(least(distance), abs=1e-6)


def test_three_clusters_of_odd_size_need_the_rule_of_odd_sets() -> None:
    """Triangles far apart: without that rule half of each side would be cheapest."""
    corners = np.array([[0, 0], [1, 0], [0.5, 0.9]])
    places = np.concatenate([corners + np.array([20 * number, 0]) for number in range(4)])
    distance = cdist(places, places)
    pairs = optimal_pairs(distance)
    assert distance[pairs[:, 0], pairs[:, 1]].sum() == pytest.approx(least(distance), abs=1e-6)


def test_pairs_do_not_hang_on_the_order_of_rows_and_number_by_their_first_identifier() -> None:
    rng = np.random.default_rng(3)
    names = [f"p{place:02}" for place in range(31)]
    age = [str(value) for value in rng.integers(20, 40, 31)]
    first = dict(zip(names, alike(names, {"age": age}, ["age"], None, 2, "x"), strict=True))
    turned = rng.permutation(31).tolist()
    again = alike([names[t] for t in turned], {"age": [age[t] for t in turned]}, ["age"], None, 2, "x")
    assert dict(zip([names[t] for t in turned], again, strict=True)) == first
    assert list(first.values()).count(LEFT_OVER) == 1
    numbers = [int(pair) for pair in dict.fromkeys(first.values()) if pair != LEFT_OVER]
    assert numbers == list(range(1, 16))


def test_who_is_left_over_is_chosen_so_that_the_others_are_nearest() -> None:
    age = {"a": "20", "b": "21", "c": "35", "d": "50", "e": "51"}
    pairs = dict(zip(age, alike(list(age), {"age": list(age.values())}, ["age"], None, 2, "x"), strict=True))
    assert pairs == {"a": "1", "b": "1", "c": LEFT_OVER, "d": "2", "e": "2"}


def test_no_exchange_of_two_brings_threesomes_nearer_together() -> None:
    rng = np.random.default_rng(4)
    names, values = [f"p{place:02}" for place in range(20)], rng.normal(size=(20, 2))
    columns = {f"x{place}": [str(value) for value in values[:, place]] for place in range(2)}
    group = np.array(alike(names, columns, ["x0", "x1"], None, 3, "x"))
    assert sorted(np.unique(group, return_counts=True)[1].tolist()) == [2, 3, 3, 3, 3, 3, 3]
    triangle = np.linalg.cholesky(np.cov(values.T))
    distance = cdist(*[np.linalg.solve(triangle, values.T).T] * 2)

    def cost(given: np.ndarray) -> float:
        kept = (given != LEFT_OVER)[:, None]
        return float((distance * ((given[:, None] == given) & kept)).sum())

    now = cost(group)
    for one in range(20):
        for other in range(one):
            changed = group.copy()
            changed[[one, other]] = group[[other, one]]
            assert cost(changed) >= now - 1e-6
