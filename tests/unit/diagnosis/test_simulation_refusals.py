"""What cannot be simulated is refused in words, before anything is drawn."""

from dataclasses import replace

import polars as pl
import pytest

from equipoise.diagnosis import invent_participants, simulate_study
from equipoise.errors import DesignError, NotSupportedError, ScoringError
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import roster_schema
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.streams import generator


def refused(study, error, match, **given):
    with pytest.raises(error, match=match):
        simulate_study(study, 1, **given)


def assuming(**outcomes):
    """A change of the assumptions of these outcomes; None leaves one out."""

    def change(protocol, survey):
        assume = protocol["diagnosis"]["assume"]
        for name, assumed in outcomes.items():
            del assume[name]
            if assumed is not None:
                assume[name] = assumed

    return change


def test_outcomes_of_which_nothing_is_assumed_are_named_together(build):
    study = build(assuming(motivation=None, heard=None))
    refused(
        study, DesignError, r"^small: diagnosis\.assume says nothing of motivation, heard; .* mean and SD"
    )


def test_a_count_without_an_sd_is_refused(build):
    refused(build(assuming(days={"mean": 2})), DesignError, r"diagnosis\.assume\.days: the SD is missing")


def test_an_instrument_without_an_sd_takes_its_reference_value(build):
    simulated = simulate_study(build(assuming(motivation={"mean": 5.0})), 1)
    assert simulated.data.answers["after"].height > 0


def test_zeros_that_do_not_go_with_mean_and_sd_are_refused_with_what_would_follow(build):
    study = build(assuming(days={"mean": 2, "sd": 1, "zero-share": 0.9}))
    refused(study, DesignError, r"days: a share of 0\.9 zeros does not go with a mean of 2 and an SD of 1")


def test_zeros_that_leave_the_others_below_one_are_refused(build):
    study = build(assuming(days={"mean": 0.2, "sd": 1, "zero-share": 0.5}))
    refused(study, DesignError, r"others would have a mean of 0\.4 .* they lie between 1 and 20")


def test_a_count_with_too_small_an_sd_is_refused(build):
    refused(
        build(assuming(days={"mean": 4, "sd": 1})), ScoringError, "the SD must exceed the root of the mean"
    )


def test_shares_of_zeros_of_an_instrument_are_refused(build):
    study = build(assuming(motivation={"mean": 4, "sd": 1, "zero-share": 0.2}))
    refused(study, NotSupportedError, r"diagnosis\.assume\.motivation: a share of zeros of an instrument")


def believing(study, **outcomes):
    """The study with other assumptions, which nothing has checked."""
    assume = study.protocol.diagnosis.assume
    read = {name: AssumedOutcome.model_validate(assumed) for name, assumed in outcomes.items()}
    assume = assume.model_copy(update={"outcomes": {**assume.outcomes, **read}})
    diagnosis = study.protocol.diagnosis.model_copy(update={"assume": assume})
    return replace(study, protocol=study.protocol.model_copy(update={"diagnosis": diagnosis}))


def test_an_effect_that_leaves_the_scale_is_refused(build):
    too_much = {"mean": 0.8, "effects": [{"arm": "offer", "constant": 0.3}]}
    refused(believing(build(), heard=too_much), DesignError, r"heard: a share of 1\.1")
    too_much = {"mean": 1.4, "sd": 2.6, "effects": [{"arm": "offer", "constant": -1.6}]}
    refused(
        believing(build(), days=too_much),
        DesignError,
        r"days: an effect of -1\.6 .* leaves the scale no room",
    )


def test_a_number_that_cannot_be_like_that_within_its_bounds_is_refused_with_the_nearest(build):
    def change(protocol, survey):
        protocol["outcomes"]["days"]["scale"] = "continuous"

    study = believing(build(change), days={"mean": 10, "sd": 25})
    refused(study, DesignError, r"days: a mean of 10 with an SD of 25 cannot be had .*; nearest is")


def test_correlations_that_cannot_go_together_are_refused(build):
    def change(protocol, survey):
        protocol["diagnosis"]["assume"]["correlation"] = 0.5
        protocol["diagnosis"]["assume"]["motivation"]["before-after correlation"] = -0.9

    refused(
        build(change), DesignError, r"no scores have all the correlations assumed for motivation, days, heard"
    )


def test_nobody_is_refused(build):
    nobody = pl.DataFrame(
        {"ref": [], "site": [], "arm": []}, schema=dict.fromkeys(("ref", "site", "arm"), pl.String)
    )
    refused(build(), DesignError, "there is nobody to simulate", participants=nobody)


def test_eligibility_that_hardly_anybody_meets_is_refused(build):
    def change(protocol, survey):
        protocol["participants"]["eligible"] = "age == 18 && team == 't00' && site == 'east'"

    refused(
        build(change), DesignError, r"small: of 8,000 people invented .* are eligible, and 200 are wanted"
    )


def test_people_invented_are_eligible_and_within_what_the_roster_declares(build):
    def change(protocol, survey):
        protocol["participants"]["eligible"] = "age >= 50 && started_on <= launch"

    study = build(change)
    people = invent_participants(study, 500, generator("1", "simulation", "people"))
    assert people.height == people["ref"].n_unique() == 500
    assert people["age"].min() == 50
    assert people["age"].max() == 66
    assert set(people["site"]) == {"east", "west"}
    assert "email" not in people.columns
    known = people.with_columns(email=pl.lit("known"))
    rule = compile_expression(study.protocol.participants.eligible, roster_schema(study.protocol))
    assert rule.evaluate_frame(known).all()


def test_people_and_arms_that_are_given_are_kept(build):
    study = build()
    people = invent_participants(study, 120, generator("1", "simulation", "people"))
    arms = pl.Series("arm", ["offer", "control", "control"] * 40)
    data = simulate_study(study, 1, participants=people.with_columns(arms)).data
    assert data.participants.select(people.columns).equals(people)
    assert data.participants["arm"].to_list() == arms.to_list()


def test_two_stages_each_have_their_own_effect(build):
    def change(protocol, survey):
        stage = {"method": "complete", "when": "launch"}
        protocol["allocation"] = {
            "main": {"arms": protocol.pop("arms"), **stage},
            "extra": {"arms": {"none": {}, "voucher": {}}, **stage},
        }
        protocol["outcomes"] = {"heard": protocol["outcomes"]["heard"]}
        effects = [{"arm": "offer", "constant": 0.2}, {"arm": "voucher", "constant": 0.3}]
        protocol["diagnosis"]["assume"] = {"heard": {"mean": 0.2, "effect": effects}}
        protocol["analyses"]["effect"]["contrast"] = "main.offer - main.control"
        protocol["analyses"]["effect"]["adjust"] = []

    data = simulate_study(build(change), 1, people=20_000).data
    table = data.answers["after"].join(data.participants, on="ref")
    rows = table.group_by("main", "extra").agg(pl.col("heard").mean()).rows()
    rates = {(main, extra): rate for main, extra, rate in rows}
    expected = {
        ("control", "none"): 0.2,
        ("offer", "none"): 0.4,
        ("control", "voucher"): 0.5,
        ("offer", "voucher"): 0.7,
    }
    assert rates == pytest.approx(expected, abs=0.03)
