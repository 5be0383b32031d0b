"""What allocation refuses, and in which words."""

import pytest

from equipoise.allocation import allocate, clusters_of, inherited_arms, strata_labels
from equipoise.errors import DesignError

EQUAL = {"control": 1, "messages": 1}


def draw(units=("p1", "p2", "p3"), strata=None, ratio=EQUAL, method="blocked", **more):
    return allocate(list(units), strata, ratio, method=method, stage="main", seed=bytes(32), **more)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "bloked"}, 'Did you mean "blocked"'),
        ({"units": []}, "nobody to allocate"),
        ({"units": ["p1"]}, "1 unit for 2 arms"),
        ({"units": ["p1", "p2", "p1"]}, 'row 3: identifier: "p1" is already in row 1'),
        ({"units": ["zoe\u0308", "zo\u00eb"]}, "already in row 1"),
        ({"units": ["p1", ""]}, "row 2: identifier: is empty"),
        ({"units": ["p1", "p\0"]}, "control character"),
        ({"units": ["p1", 2]}, "found 2 where text was expected"),
        ({"ratio": {"control": 1}}, "between 2 and 127 arms"),
        ({"ratio": {}}, "found 0"),
        ({"ratio": {"control": 1, "messages": 0}}, "nobody could be allocated to it"),
        ({"ratio": {"control": 1, "messages": 1.5}}, "share 1.5"),
        ({"ratio": {"control": 1, "messages": 20_011}}, "simpler ratio"),
        ({"strata": ["a", "b"]}, "2 strata for 3 units"),
        ({"strata": ["a", "a", "b"], "ratio": {"a": EQUAL}}, 'no ratio for stratum "b"'),
        ({"strata": ["a", "a", "a"], "ratio": {"a": EQUAL, "b": EQUAL}}, 'stratum "b", which is empty'),
        ({"strata": ["a", "a", "b"], "ratio": {"a": EQUAL, "b": {"control": 1}}}, 'stratum "b": found 1'),
        ({"strata": ["a", "a", "b"], "ratio": {"a": EQUAL, "b": {"control": 1, "x": 1}}}, "different arms"),
        (
            {
                "strata": ["a", "a", "b"],
                "ratio": {"a": EQUAL, "b": {"control": 2, "messages": 1}},
                "method": "complete",
            },
            "one ratio",
        ),
        ({"method": "permuted-blocks", "blocks": []}, "whole multiples"),
        ({"method": "permuted-blocks", "blocks": [0]}, "whole multiples"),
        (
            {"method": "blocked", "arrival": True},
            "rolling enrolment use simple or permuted-blocks or minimised",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_remedy(given, message):
    with pytest.raises(DesignError) as refusal:
        draw(**given)
    assert message in str(refusal.value)


def test_a_stratum_in_which_an_arm_got_nobody_is_named_as_a_warning():
    drawn = draw(units=list("abc"), strata=["big", "big", "single"])
    assert len(drawn.warnings) == 1
    assert drawn.warnings[0].startswith('stratum "single" (1): nobody in arm ')


def test_strata_with_commas_cannot_be_taken_for_one_another():
    assert strata_labels([["a,b", "a"], ["c", "b,c"]]) == ['"a,b",c', 'a,"b,c"']


def test_people_inherit_the_arm_of_their_cluster():
    people = ["t1", "t2", "t1", "t3", "t4", "t2"]
    clusters, strata = clusters_of(people, ["n", "s", "n", "n", "s", "s"])
    assert (clusters, strata) == (["t1", "t2", "t3", "t4"], ["n", "s", "n", "s"])
    drawn = draw(units=clusters, strata=strata)
    arms = inherited_arms(drawn, people)
    assert arms[0] == arms[2]
    assert arms[1] == arms[5]
    assert dict(zip(people, arms, strict=True)) == dict(zip(clusters, drawn.arms, strict=True))


def test_a_cluster_in_two_strata_or_not_allocated_is_refused():
    with pytest.raises(DesignError, match='cluster "t1" is in stratum "n" and here in "s"'):
        clusters_of(["t1", "t1"], ["n", "s"])
    with pytest.raises(DesignError, match='"t9" was not allocated'):
        inherited_arms(draw(units=["t1", "t2"]), ["t9"])


def test_a_stage_without_a_proper_name_is_refused():
    with pytest.raises(DesignError, match="cannot name a stage"):
        allocate(["a", "b"], None, EQUAL, method="simple", stage="Main 1", seed=bytes(32))
