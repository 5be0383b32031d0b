"""What many trials at once find is what the analysis finds in each, and the same whoever computes it."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from equipoise.diagnosis.batch.engine import BatchEngine
from equipoise.diagnosis.claims import claims_of
from equipoise.diagnosis.engine import compile_study
from equipoise.diagnosis.planning.trying import Tries
from equipoise.diagnosis.scenario import Scenario
from equipoise.diagnosis.whole import WholeEngine, claimed_findings
from equipoise.errors import DesignError


def analysed_by(**changes):
    def change(protocol, survey):
        protocol["analyses"]["effect"] |= changes

    return change


def three_arms(protocol, survey):
    protocol["arms"] = {"control": {}, "offer": {}, "more": {}}
    protocol["allocation"]["ratio"] = {"control": 2, "offer": 1, "more": 1}
    protocol["analyses"]["effect"]["contrast"] = ["offer - control", "more - control", "more - offer"]
    protocol["testing"] = [{"claims": ["motivation"], "method": "hochberg"}, {"then": ["days"]}]


def rarely_answered(protocol, survey):
    protocol["participants"]["expected"] = 40
    protocol["diagnosis"]["assume"]["response"] = {"before": 0.5, "after": 0.25, "missing-item": 0.05}


def several_waves(protocol, survey):
    protocol["waves"]["later"] = {
        "survey": "work",
        "opens": "launch + 10 weeks",
        "closes": "launch + 12 weeks",
    }
    for outcome in protocol["outcomes"].values():
        outcome["waves"] = ["after", "later"]
    protocol["analyses"]["effect"]["at"] = ["after", "later", "average [after, later]", "slope"]
    protocol["diagnosis"]["assume"]["response"] |= {"later": 0.5, "leans-on-before": 1.5}


def leaning(protocol, survey):
    protocol["diagnosis"]["assume"]["response"] |= {
        "differs-by-arm": -0.1,
        "leans-on-outcome": 0.5,
        "leans-on-before": 1.0,
        "missing-item": 0.02,
    }
    protocol["diagnosis"]["assume"]["days"]["effect"] = {"arm": "offer", "by-week": [-0.6, -0.3]}


def by_team(strata=(), **changes):
    def change(protocol, survey):
        protocol["participants"]["roster"]["team"] = {"type": "text"}
        protocol["units"] = {"team": {"icc": 0.1, "people": 5, "people-cv": 0.4}}
        protocol["allocation"] |= {"unit": "team", "strata": list(strata)}
        adjust = ["before", *(["strata"] if strata else [])]
        protocol["analyses"]["effect"] |= {"cluster": "team", "variance": "CR2", "adjust": adjust} | changes

    return change


DESIGNS = {
    "CR2": by_team(),
    "CR2 in strata": by_team(["site"]),
    "CR0": by_team(variance="CR0"),
    "CR1": by_team(variance="CR1", dof="residual"),
    "CR3 of each arm": by_team(["site"], variance="CR3", model="lin-interacted", dof="residual"),
    "means of clusters": by_team(**{"average-over": "clusters"}),
    "linear": analysed_by(),
    "classical": analysed_by(variance="classical", dof="residual"),
    "HC0": analysed_by(variance="HC0"),
    "HC1": analysed_by(variance="HC1", adjust=["before"]),
    "HC3": analysed_by(variance="HC3", adjust=["before", "age", "started_on", "strata"]),
    "residual": analysed_by(dof="residual", interval=0.9),
    "lin": analysed_by(model="lin-interacted", adjust=["before", "age", "strata"]),
    "some": analysed_by(among="site == 'east'", adjust=["before"]),
    "means": analysed_by(model="difference-in-means", variance="neyman", adjust=[]),
    "means in strata": analysed_by(model="difference-in-means", variance="neyman", adjust=["strata"]),
    "poisson beside": analysed_by(model="poisson", outcomes=["days"], variance="HC1", adjust=["strata"]),
    "three arms": three_arms,
    "leaning": leaning,
    "few": rarely_answered,
    "waves": several_waves,
}


@pytest.mark.parametrize("design", DESIGNS)
def test_each_trial_is_found_as_its_data_are_analysed(build, design):
    engine = compile_study(build(DESIGNS[design]), Scenario(people=None if design == "few" else 120))
    assert isinstance(engine, BatchEngine)
    drawn = engine.drawn(0, 7)
    found = engine.found(drawn)
    for trial in range(2):
        walked = claimed_findings(engine.study, engine.data(drawn, trial), engine.claims)
        for column, finding in enumerate(walked):
            numbers = [
                finding.estimate,
                finding.std_error,
                finding.p_value,
                *((finding.interval.low, finding.interval.high) if finding.interval else (None, None)),
            ]
            quick = [
                values[trial, column]
                for values in (found.estimate, found.std_error, found.p_value, found.low, found.high)
            ]
            expected = [np.nan if number is None else number for number in numbers]
            assert quick == pytest.approx(expected, rel=1e-8, abs=1e-12, nan_ok=True), finding.id
            assert found.analysed[trial, column] == sum(finding.n.values())
            if finding.decision != "none":
                assert found.rejected[trial, column] == (finding.decision == "rejected")


def test_the_whole_way_and_the_quick_way_find_the_same_on_average(build):
    study = build(leaning)
    engine = compile_study(study)
    whole = WholeEngine(study, engine.world.people, engine.claims)
    quick = [engine.trials(chunk, 1) for chunk in range(2)]
    walked = [whole.trials(chunk, 1) for chunk in range(15)]
    for name in ("estimate", "std_error", "analysed"):
        one, other = (np.concatenate([getattr(each, name) for each in ways]) for ways in (quick, walked))
        error = np.sqrt(one.var(axis=0) / len(one) + other.var(axis=0) / len(other))
        assert (np.abs(one.mean(axis=0) - other.mean(axis=0)) <= 4 * error + 1e-9).all(), name


def test_figures_are_the_same_to_the_last_bit_wherever_chunks_run(build):
    def sent_elsewhere(chunk, numbers):
        """Each chunk by a copy of the message, as in another process, and the last one first."""
        found = {number: deepcopy(chunk)(number) for number in reversed(numbers)}
        return [found[number] for number in numbers]

    study = build()
    alone = Tries(700, 3)(study, Scenario())
    elsewhere = Tries(700, 3, mapped=sent_elsewhere)(study, Scenario())
    assert alone.performance == elsewhere.performance
    assert (alone.rejected == elsewhere.rejected).all()
    assert alone.performance.trials == len(alone.rejected) == 700
    assert Tries(700, 4)(study, Scenario()).performance != alone.performance


def test_a_chunk_can_be_had_alone(build):
    engine = compile_study(build())
    engine.trials(0, 9)
    again = compile_study(build()).trials(1, 9)
    assert (engine.trials(1, 9).estimate == again.estimate).all()
    assert (engine.trials(2, 9).estimate != again.estimate).all()


def test_without_effect_every_rejection_is_false_and_with_one_none_is(build):
    study = build()
    nothing = Tries(256, 1)(study, Scenario(effect=0)).performance
    assert nothing.family.any_true.value is None
    assert nothing.family.any_false.value == pytest.approx(0.05, abs=0.05)
    planted = Tries(256, 1)(study, Scenario()).performance
    assert planted.family.any_false.value is None
    assert planted.claims[0].power.value > nothing.claims[0].power.value


def test_only_some_claims_are_looked_at_where_they_are_named(build):
    study = build()
    first, *_ = claims_of(study)
    assert compile_study(study, only=(first.id,)).claims == (first,)
    with pytest.raises(DesignError, match=r'"effects" is no analysis and no effect of small: effect'):
        compile_study(study, only=("effects",))


def test_a_study_that_estimates_nothing_for_everybody_has_nothing_to_diagnose(build):
    study = build()
    without = replace(study, protocol=study.protocol.model_copy(update={"analyses": {}}))
    with pytest.raises(DesignError, match="nothing to diagnose"):
        compile_study(without)
