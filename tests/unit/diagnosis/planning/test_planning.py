"""Curves, detectable effects, people needed, money and other designs, all tried with the same chance."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from equipoise.diagnosis.formulas import detectable_difference
from equipoise.diagnosis.planning.beside import formulas_beside
from equipoise.diagnosis.planning.comparison import compare_designs, compare_studies
from equipoise.diagnosis.planning.curves import power_curves
from equipoise.diagnosis.planning.money import OWN, cheapest_designs, cost_of, what_money_buys
from equipoise.diagnosis.planning.planted import most_multiple, multiplied
from equipoise.diagnosis.planning.smallest import detectable_effects, needed_people, needed_response
from equipoise.diagnosis.planning.trying import gain
from equipoise.diagnosis.scenario import Scenario
from equipoise.errors import DesignError

CLAIM = "effect.motivation.after.offer - control"


def primary(found):
    return next(each for each in found if each.claim.outcome == "motivation")


def test_the_detectable_effect_is_that_of_the_formula_within_its_own_error(planned, trying):
    (found,) = detectable_effects(planned, trying)
    # 120 answers an arm; 70% of the people answered before, and scores correlate by 0.6.
    formula = detectable_difference((120, 120), 1.1, correlation=0.6, share_before=0.7)
    assert abs(found.value - formula) < 3 * found.mc_error
    assert found.mc_error < 0.02 * formula
    assert found.target == 0.8


def test_people_needed_are_those_of_the_formula_and_whole(planned, trying):
    (found,) = needed_people(planned, trying)
    error = 0.4 / (stats.norm.ppf(0.975) + stats.norm.ppf(0.8))
    formula = 4 * 1.1**2 * (1 - 0.7 * 0.36) / error**2 / 0.6
    assert abs(found.value - formula) < 3 * found.mc_error + 1
    assert found.value == int(found.value)


def test_the_response_that_would_be_needed_ends_where_everybody_answers(planned, trying):
    (found,) = needed_response(planned, trying)
    assert found.value < 1
    hard = replace(planned, protocol=planned.protocol.model_copy(deep=True))
    targets = hard.protocol.diagnosis.targets.model_copy(update={"power": 0.9999})
    diagnosis = hard.protocol.diagnosis.model_copy(update={"targets": targets})
    hard = replace(hard, protocol=hard.protocol.model_copy(update={"diagnosis": diagnosis}))
    (beyond,) = needed_response(hard, trying)
    assert beyond.value is None
    assert "where the search ends" in beyond.reason


def test_a_study_that_assumes_no_effect_is_asked_about_its_margin(build, trying):
    def change(protocol, survey):
        protocol["outcomes"]["motivation"] |= {"waves": ["before", "after"], "margin": 0.3}
        for name in ("motivation", "days", "heard"):
            protocol["diagnosis"]["assume"][name].pop("effect")

    curve = primary(power_curves(build(change), trying, "effect", (0.0, 1.0, 2.0)))
    # uptake is 0.8, so that the effect on everybody is four fifths of the margin
    assert [point.at for point in curve.points] == pytest.approx([0.0, 0.24, 0.48])
    assert curve.points[0].power.value == pytest.approx(0.05, abs=0.015)


def test_curves_rise_and_say_what_each_point_is(planned, trying):
    for over, expected in (
        ("effect", [0.1, 0.4, 0.8]),
        ("people", [100.0, 400.0, 800.0]),
        ("response", [0.15, 0.6]),
    ):
        curve = primary(power_curves(planned, trying, over, (0.25, 1.0, 2.0)))
        assert [point.at for point in curve.points] == pytest.approx(expected)
        powers = [point.power.value for point in curve.points]
        assert powers == sorted(powers)
        assert all(point.power.mc_error is not None for point in curve.points)


def test_points_share_their_chance(planned, trying):
    power_curves(planned, trying, "people", (0.5, 1.0))
    assert [scenario.people for _, scenario in trying.asked] == [200, 400]
    assert trying.asked[0][0] is trying.asked[1][0]


def test_costs_count_people_waves_and_answers(planned):
    # 500 + 400 x 5 + 400 x 2 waves x 2 + 400 x (0.7 + 0.6) x 1
    found = cost_of(planned)
    assert found.total == pytest.approx(500 + 2000 + 1600 + 520)
    assert found.parts == pytest.approx({"fixed": 500, "person": 2000, "wave": 1600, "answer": 520})


def test_a_budget_buys_as_many_people_as_it_pays_for(planned, trying):
    found = what_money_buys(planned, trying, [2560, 4620])
    assert [(each.design, each.budget, each.people) for each in found] == [
        (OWN, 2560, 200),
        (OWN, 4620, 400),
        ("more-people", 2560, 200),
        ("more-people", 4620, 400),
        ("no-before", 2560, 271),
        ("no-before", 4620, 542),
    ]
    assert found[1].power.value > found[0].power.value
    assert what_money_buys(planned, trying, [520])[0].power is None


def test_the_cheapest_design_comes_first_with_the_people_that_it_needs(planned, trying):
    found = cheapest_designs(planned, trying)
    totals = [each.cost.total for each in found]
    assert totals == sorted(totals)
    people = {each.design: each.needed.value for each in found}
    assert people["no-before"] > 1.2 * people[OWN]
    assert people["more-people"] == pytest.approx(people[OWN], abs=3)


def test_a_study_without_costs_is_told_what_is_needed(build, trying):
    with pytest.raises(DesignError, match=r"small: what the money buys needs `diagnosis.costs`"):
        what_money_buys(build(), trying)


def test_designs_stand_side_by_side_with_what_differs_and_the_gain_trial_by_trial(planned, trying):
    found = compare_designs(planned, trying)
    own, more, none = found.designs
    assert (own.differences, own.label) == ((), "As the protocol says")
    assert more.differences == ("participants, expected: was 400, now 800",)
    assert none.label == "Nobody asked before"
    assert "analyses, effect, adjust: was before, strata, now strata" in none.differences
    claim = next(each for each in found.claims if each.claim.id == CLAIM)
    assert claim.gain[OWN] is None
    assert claim.gain["more-people"].value > 0 > claim.gain["no-before"].value
    unpaired = np.hypot(claim.power[OWN].mc_error, claim.power["no-before"].mc_error)
    assert claim.gain["no-before"].mc_error < 0.7 * unpaired
    assert more.cost.total > own.cost.total > none.cost.total


def test_studies_with_other_claims_are_compared_where_they_share_them(planned, build, trying):
    def change(protocol, survey):
        protocol["study"]["id"] = "other"
        protocol["outcomes"].pop("days")
        protocol["diagnosis"]["assume"].pop("days")

    found = compare_studies({"A": planned, "B": build(change)}, trying)
    days = next(each for each in found.claims if each.claim.outcome == "days")
    assert (days.power["B"], days.gain["B"]) == (None, None)
    assert any(
        said.startswith("diagnosis, assume, outcomes, days: taken out")
        for said in found.designs[1].differences
    )


def test_a_gain_has_the_error_of_paired_shares():
    first, second = np.array([0, 0, 1, 1, 1], bool), np.array([1, 0, 1, 1, 0], bool)
    found = gain(first, second)
    assert found.value == 0
    assert found.mc_error == pytest.approx(np.sqrt((1 + 1) / 5 / 5))
    with pytest.raises(DesignError, match="5 trials of one design and 4 of another"):
        gain(first, second[:4])


def test_formulas_stand_beside_with_their_distance_in_monte_carlo_errors(planned, trying):
    performance = trying(planned, Scenario()).performance
    beside = {each.closed.claim.outcome: each for each in formulas_beside(planned, performance)}
    assert beside["motivation"].closed.people == (120, 120)
    assert beside["motivation"].closed.formula == (
        "two samples, 0.748 of the variance by the score before (Borm, Fransen & Lemmens 2007)"
    )
    assert abs(beside["motivation"].error_distance) < 3.5
    assert abs(beside["motivation"].power_distance) < 3.5
    assert beside["days"].power_distance is None


def test_the_money_of_a_wave_before_buys_people_though_no_design_is_named(planned, build, trying):
    def change(protocol, survey):
        protocol["outcomes"]["motivation"] |= {"waves": ["before", "after"]}
        protocol["participants"]["expected"] = 400
        protocol["diagnosis"]["costs"] = {"person": 5, "wave": 2}

    own, without = what_money_buys(build(change), trying, [3600])
    assert (own.design, own.people, without.design, without.people) == (OWN, 400, "without-before", 514)
    named = {each.design for each in what_money_buys(planned, trying, [4620])}
    assert named == {OWN, "more-people", "no-before"}


def test_effects_grow_only_as_far_as_a_scale_has_room(planned, trying):
    # `heard` is a share of 0.3 that the offer raises by 0.3: there is room for 0.7, and 95% of it is used.
    assert most_multiple(planned, "heard") == pytest.approx(0.95 * 0.7 / 0.3)
    grown = multiplied(planned, 10.0).protocol.diagnosis.assume.outcomes
    assert grown["heard"].effects[0].constant == pytest.approx(0.665)
    assert grown["motivation"].effects[0].constant == pytest.approx(0.95 * (7 - 4.6))
    curves = {each.claim.outcome: each for each in power_curves(planned, trying, "effect", (1.0, 2.0, 4.0))}
    assert [point.multiple for point in curves["motivation"].points] == [1.0, 2.0, 4.0]
    assert [point.multiple for point in curves["heard"].points] == [1.0, 2.0]
