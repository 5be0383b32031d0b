"""Advice says what limits a design and what would help, by what was tried and not by rule of thumb."""

import pytest

from equipoise.diagnosis.planning.advice import advise
from equipoise.diagnosis.planning.attrition import boundary_at
from equipoise.diagnosis.planning.objections import objections_to
from equipoise.diagnosis.planning.remedies import changes_of
from equipoise.diagnosis.scenario import Scenario


@pytest.fixture
def advice(planned, trying):
    return advise(planned, trying)


def test_remedies_are_ranked_by_the_gain_that_was_tried_then_by_what_they_are_worth(advice):
    gains = [remedy.gain.value for remedy in advice.remedies if remedy.settled]
    assert gains == sorted(gains, reverse=True)
    unsettled = [remedy.worth for remedy in advice.remedies if not remedy.settled]
    assert unsettled == sorted(unsettled, reverse=True)
    words = [remedy.change.words for remedy in advice.remedies]
    assert "half as many people again: 600 in place of 400" in words
    assert "more answers to after: 70% in place of 60%" in words
    assert any(
        word.startswith("a better score before, such as the mean of two: a correlation of 0.70")
        for word in words
    )
    assert "days as the only secondary outcome, in place of 2" in words


def test_the_sentences_say_what_helps_most_with_its_error(advice):
    best = advice.remedies[0]
    gained, error = 100 * best.gain.value, 100 * best.gain.mc_error
    assert advice.helps[0].startswith(f"What would help most: {best.change.words}: power ")
    assert f"({gained:.1f} points more, Monte-Carlo error {error:.1f})" in advice.helps[0]
    none = next(words for words in advice.helps if words.startswith("No strata"))
    assert (
        none == "No strata, in place of site: no difference in power that 4,000 simulated trials could show."
    )


def test_a_remedy_is_worth_the_people_that_would_do_as_much(advice):
    worth = {remedy.change.words: remedy.worth for remedy in advice.remedies}
    assert worth["half as many people again: 600 in place of 400"] == pytest.approx(0.5)
    assert worth["more answers to after: 70% in place of 60%"] == pytest.approx(70 / 60 - 1)
    better = next(value for words, value in worth.items() if words.startswith("a better score before"))
    assert better == pytest.approx((1 - 0.7 * 0.36) / (1 - 0.7 * 0.49) - 1)
    assert any("; worth 17% more people" in words for words in advice.helps)


def test_a_remedy_is_costed_where_the_protocol_has_costs(advice):
    people = next(each for each in advice.remedies if each.change.variation.people == 600)
    assert people.cost.total == pytest.approx(500 + 600 * (5 + 4 + 1.3))


def test_the_limits_are_counted(advice):
    assert "Of 400 people 240 are expected in the analysis (60%): the others do not answer." in advice.limits


def test_every_remedy_was_tried_with_the_same_seed(planned, trying):
    found = advise(planned, trying)
    assert len(trying.asked) == 1 + len(found.remedies)


def test_where_no_effect_is_assumed_the_advice_is_about_the_margin(build, trying):
    def change(protocol, survey):
        protocol["outcomes"]["motivation"] |= {"waves": ["before", "after"], "margin": 0.3}
        protocol["diagnosis"]["assume"]["motivation"].pop("effect")

    study = build(change)
    found = advise(study, trying, own=trying(study, Scenario()))
    assert found.limits[0].startswith("No effect is assumed for motivation; what is said here is about")
    assert found.remedies[0].power.value > 0.2


def objections(study, trying):
    return {each.kind: each.words for each in objections_to(study, trying(study, Scenario()).performance)}


def changed(build, **assumed):
    def change(protocol, survey):
        protocol["participants"]["expected"] = assumed.pop("expected", 400)
        protocol["diagnosis"]["assume"] |= assumed

    return build(change)


def test_a_design_that_reaches_its_target_meets_no_objection(planned, trying):
    assert "power" not in objections(planned, trying)


def test_too_little_power_is_told_with_what_it_does_to_estimates(build, trying):
    words = objections(changed(build, expected=60), trying)["power"]
    assert words.startswith("The power to find the effect on motivation is ")
    assert "below the 80% wanted. An estimate that is found at all would be" in words
    assert words.endswith("times too large on average.")


def test_attrition_is_held_against_the_published_boundary(build, trying):
    # 40% overall: 2.6 points are the most if the arm may move who answers, 6.0 if not.
    high = changed(build, response={"before": 0.7, "after": 0.6, "differs-by-arm": 0.07})
    assert objections(high, trying)["attrition"] == (
        "40% would not answer after, 7.0 points more in one arm than in another. A reviewer would reject that: "
        "low is a difference of 6.0 points at most (What Works Clearinghouse, Standards Handbook 4.1, table "
        "II.1)."
    )
    between = changed(build, response={"before": 0.7, "after": 0.6, "differs-by-arm": 0.04})
    assert "otherwise 2.6 points are the most" in objections(between, trying)["attrition"]
    low = changed(build, response={"before": 0.7, "after": 0.6, "differs-by-arm": 0.01})
    assert "attrition" not in objections(low, trying)
    most = changed(build, response={"before": 0.7, "after": 0.3})
    assert "So much is high attrition whatever the difference" in objections(most, trying)["attrition"]


def test_the_published_boundary_at_its_corners():
    assert (boundary_at(0.0).cautious, boundary_at(0.0).optimistic) == pytest.approx((0.057, 0.1))
    assert (boundary_at(0.2).cautious, boundary_at(0.2).optimistic) == pytest.approx((0.054, 0.1))
    assert (boundary_at(0.57).cautious, boundary_at(0.65).optimistic) == pytest.approx((0.0, 0.003))
    assert boundary_at(0.58).cautious is None
    assert boundary_at(0.66).optimistic is None


def test_small_strata_few_clusters_and_the_end_of_a_scale_are_told(build, trying):
    def change(protocol, survey):
        protocol["participants"]["expected"] = 60
        protocol["allocation"]["strata"] = ["team"]
        protocol["diagnosis"]["assume"]["motivation"] |= {"mean": 6.5, "sd": 1.1, "effect": 0.2}

    found = objections(build(change), trying)
    assert found["strata"] == (
        "24 strata have 1.5 answers each on average, for 2 arms: many would lack an arm and tell nothing. With 9 "
        "strata or fewer each arm could have 2 in each."
    )
    assert found["scale"].startswith("The mean of motivation lies 0.5 SD from the ceiling of its scale (7)")

    def few(protocol, survey):
        protocol["participants"]["roster"]["team"]["levels"] = [f"t{k}" for k in range(8)]
        protocol["units"] = {"team": {"icc": 0.05, "people": 25}}
        protocol["allocation"] |= {"unit": "team", "strata": []}
        protocol["analyses"]["effect"] = {"contrast": "offer - control", "at": "after"}

    clustered = build(few)
    assert objections(clustered, trying)["clusters"].startswith(
        "8 clusters (team) leave 6 degrees of freedom"
    )
    limits = advise(clustered, trying).limits
    assert (
        "People of one cluster are alike (ICC 0.05): 120 in 8 clusters count as 71 drawn one by one."
        in limits
    )


def test_smaller_clusters_are_offered_where_the_roster_does_not_fix_them(build, trying):
    def change(protocol, survey):
        protocol["participants"]["roster"]["team"].pop("levels")
        protocol["units"] = {"team": {"icc": 0.05, "people": 20}}
        protocol["allocation"] |= {"unit": "team", "strata": []}
        protocol["analyses"]["effect"] = {"contrast": "offer - control", "at": "after"}

    study = build(change)
    words = [each.words for each in changes_of(study, trying(study, Scenario()))]
    assert "twice as many clusters (team) of half the size, 10 people each" in words
