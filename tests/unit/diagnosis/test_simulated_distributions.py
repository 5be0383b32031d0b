"""What is assumed is what comes out: moments, correlations, response, gaps, events."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from equipoise import streams
from equipoise.diagnosis import simulate_study
from equipoise.diagnosis.simulated.answers import Latent, survey_answers
from equipoise.findings.reading.scores import scored
from equipoise.instruments.composite import composite_values, part_scores, reference_sample
from equipoise.instruments.library import load
from equipoise.protocol.models.assumptions import Assume, Diagnosis
from equipoise.protocol.models.outcomes import Outcome

MANY = 20_000


def frame(study, seed=1, people=MANY):
    simulated = simulate_study(study, seed, people=people)
    return scored(study, simulated.data)


def without_effect(protocol, survey):
    assume = protocol["diagnosis"]["assume"]
    for name in ("motivation", "days", "heard"):
        assume[name].pop("effect", None)
    assume["response"] = {}


@pytest.fixture(scope="module")
def plain(build):
    """Everybody answers, nothing is planted."""
    return frame(build(without_effect))


def test_mean_and_sd_of_each_outcome_are_those_assumed_at_every_wave(plain):
    for column, mean, sd in (
        ("motivation_before", 4.6, 1.1),
        ("motivation", 4.6, 1.1),
        ("days_before", 1.4, 2.6),
        ("days", 1.4, 2.6),
        ("heard", 0.3, np.sqrt(0.21)),
    ):
        values = plain.numbers(column)
        assert values.mean() == pytest.approx(mean, abs=(4 / np.sqrt(MANY) + 0.01) * sd), column
        assert values.std() == pytest.approx(sd, rel=0.06), column


def test_score_before_correlates_with_the_score_after_as_assumed(plain):
    correlation = np.corrcoef(plain.numbers("motivation_before"), plain.numbers("motivation"))[0, 1]
    assert correlation == pytest.approx(0.6, abs=0.04)  # whole answers take a little of the latent's


def test_outcomes_correlate_as_assumed_better_with_better_whatever_their_stability(build):
    def change(protocol, survey):
        without_effect(protocol, survey)
        survey["pages"].append({"id": "more", "questions": [number("hours"), number("calls")]})
        for name, good, tie in (("hours", "high", 0.8), ("calls", "low", 0.1)):
            protocol["outcomes"][name] = {"question": f"work.{name}", "waves": ["after"], "good": good}
            protocol["diagnosis"]["assume"][name] = {"mean": 50, "sd": 10, "before-after correlation": tie}

    def number(name):
        return {"id": name, "ask": f"How many {name}?", "type": "number", "low": 0, "high": 100}

    found = frame(build(change))
    for end in ("_before", ""):
        together = np.corrcoef(found.numbers(f"hours{end}"), found.numbers(f"calls{end}"))[0, 1]
        assert together == pytest.approx(-0.3, abs=0.03)
        assert np.corrcoef(found.numbers(f"hours{end}"), found.numbers(f"heard{end}"))[0, 1] > 0.15
    for name, tie in (("hours", 0.8), ("calls", 0.1)):
        before_after = np.corrcoef(found.numbers(f"{name}_before"), found.numbers(name))[0, 1]
        assert before_after == pytest.approx(tie, abs=0.03)


@pytest.mark.parametrize(
    ("mean", "sd", "zeros", "high"), [(0.9, 2.2, 0.72, 20), (0.7, 1.9, 0.78, 20), (1.3, 1.4, 0.4, 4)]
)
def test_zeros_of_a_count_have_their_share_and_mean_and_sd_are_kept(build, mean, sd, zeros, high):
    def change(protocol, survey):
        without_effect(protocol, survey)
        protocol["outcomes"]["days"]["range"] = [0, high]
        survey["pages"][1]["questions"][0]["high"] = high
        protocol["diagnosis"]["assume"]["days"] = {"mean": mean, "sd": sd, "zero-share": zeros}

    days = frame(build(change)).numbers("days")
    assert (days == 0).mean() == pytest.approx(zeros, abs=4 * np.sqrt(zeros * (1 - zeros) / MANY))
    assert days.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(MANY) + 0.01 * sd)
    assert days.std() == pytest.approx(sd, rel=0.06)
    assert days.max() <= high


def test_effect_on_a_count_with_zeros_moves_its_mean_by_that_much(build):
    def change(protocol, survey):
        without_effect(protocol, survey)
        protocol["diagnosis"]["assume"]["uptake"] = 1.0
        protocol["diagnosis"]["assume"]["days"] = {"mean": 0.9, "sd": 2.2, "zero-share": 0.72, "effect": 0.4}

    found = frame(build(change))
    offered = (found.participants["arm"] == "offer").to_numpy()
    days = found.numbers("days")
    gap = days[offered].mean() - days[~offered].mean()
    assert gap == pytest.approx(0.4, abs=4 * 2.5 * np.sqrt(4 / MANY))


def test_number_piled_up_at_its_bound_keeps_mean_and_sd(build):
    def change(protocol, survey):
        without_effect(protocol, survey)
        protocol["outcomes"]["days"]["scale"] = "continuous"
        protocol["diagnosis"]["assume"]["days"] = {"mean": 1.4, "sd": 2.6, "effect": 0.5}
        protocol["diagnosis"]["assume"]["uptake"] = 1.0

    found = frame(build(change))
    offered = (found.participants["arm"] == "offer").to_numpy()
    days, before = found.numbers("days"), found.numbers("days_before")
    assert before.mean() == pytest.approx(1.4, abs=0.08)
    assert before.std() == pytest.approx(2.6, rel=0.04)
    assert days[offered].mean() - days[~offered].mean() == pytest.approx(0.5, abs=0.15)


def test_exactly_the_assumed_share_answers_in_each_arm(build):
    def change(protocol, survey):
        protocol["diagnosis"]["assume"]["response"] = {"before": 0.45, "after": 0.35, "differs-by-arm": 0.1}

    people = simulate_study(build(change), 5, people=1000).data.participants
    assert people["answered_before"].is_not_null().sum() == 450
    share = {
        arm: people.filter(people["arm"] == arm)["answered_after"].is_not_null().mean()
        for arm in ("control", "offer")
    }
    assert share["offer"] - share["control"] == pytest.approx(0.1, abs=0.003)
    assert people["answered_after"].is_not_null().sum() == pytest.approx(350, abs=1)


def test_response_leans_on_the_outcome_by_the_log_odds_assumed(build):
    def change(protocol, survey):
        without_effect(protocol, survey)
        protocol["diagnosis"]["assume"]["response"] = {"before": 0.5, "leans-on-outcome": 0.8}

    study = build(change)
    found = frame(study)
    answered = found.participants["answered_before"].is_not_null().to_numpy()
    lifted = found.numbers("motivation_before")[answered].mean() - 4.6
    # Expected value of a standard normal among those who answer by a logistic model with slope 0.8, in SDs.
    grid = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    chance = 1 / (1 + np.exp(-0.8 * grid))
    assert lifted / 1.1 == pytest.approx((chance * grid).sum() / chance.sum(), abs=0.04)


def test_those_who_answered_before_are_likelier_to_answer_again_by_the_odds_assumed(build):
    def change(protocol, survey):
        without_effect(protocol, survey)
        protocol["diagnosis"]["assume"]["response"] = {"before": 0.4, "after": 0.3, "leans-on-before": 1.5}

    people = frame(build(change)).participants
    before, after = (people[f"answered_{wave}"].is_not_null().to_numpy() for wave in ("before", "after"))
    odds = [after[rows].mean() / (1 - after[rows].mean()) for rows in (before, ~before)]
    assert np.log(odds[0] / odds[1]) == pytest.approx(1.5, abs=0.15)


def test_items_are_missing_in_their_share_and_questions_never(build):
    def change(protocol, survey):
        without_effect(protocol, survey)
        protocol["diagnosis"]["assume"]["response"] = {"missing-item": 0.05}

    answers = simulate_study(build(change), 1, people=MANY).data.answers["after"]
    for item in [name for name in answers.columns if "." in name]:
        assert answers[item].null_count() / MANY == pytest.approx(0.05, abs=0.006)
    assert answers["days"].null_count() == answers["heard"].null_count() == 0


def test_events_happen_in_their_share_and_take_up_only_where_something_is_offered(build):
    def change(protocol, survey):
        protocol["diagnosis"]["assume"]["events"] = {"complaint": 0.1}

    people = simulate_study(build(change), 1, people=MANY).data.participants
    assert people["complaint"].mean() == pytest.approx(0.1, abs=0.009)
    taken = people.group_by("arm").agg(share=people["dose_taken_up"].mean()).height
    assert taken == 2
    assert not people.filter(people["arm"] == "control")["dose_taken_up"].any()
    offered = people.filter(people["arm"] == "offer")["dose_taken_up"]
    assert offered.mean() == pytest.approx(0.8, abs=0.016)


def test_composite_has_mean_zero_the_assumed_sd_and_the_assumed_effect(build):
    def change(protocol, survey):
        survey["pages"] = [{"id": "well", "questions": [asked("swls"), asked("spane")]}]
        protocol["outcomes"] = {
            "life": {"instrument": "swls", "score": "sum", "waves": ["after"], "role": "primary"}
        }
        protocol["diagnosis"]["assume"] = {"life": {"mean": 23, "sd": 6}}

    def asked(name):
        return {"instrument": name, "wording": f"wording/{name}.yaml"}

    study = build(change)
    outcomes = {"wellbeing": Outcome(instrument="subjective-wellbeing", waves=("after",))}
    assume = Assume.model_validate({"wellbeing": {"mean": 0, "sd": 0.75, "effect": {"arm": "offer"}}})
    update = {"outcomes": outcomes, "diagnosis": Diagnosis(assume=assume)}
    study = replace(study, protocol=study.protocol.model_copy(update=update))
    rng = np.random.default_rng(1)
    offered = np.arange(MANY) % 2 == 1
    latent = Latent(rng.standard_normal(MANY), np.where(offered, 0.3, 0.0))
    found = survey_answers(study, study.surveys["work"], {"wellbeing": latent}, MANY, stream_of("1"))
    composite = load("subjective-wellbeing")
    answers = {
        name: {key.partition(".")[2]: found[key].to_numpy() for key in found if key.startswith(f"{name}.")}
        for name in ("swls", "spane")
    }
    parts = part_scores(composite, answers)
    untouched = {name: values[~offered] for name, values in parts.items()}
    values = composite_values(composite, parts, reference_sample(composite, untouched))
    assert values[~offered].std() == pytest.approx(0.75, rel=0.03)
    assert values[offered].mean() == pytest.approx(0.3, abs=0.04)
    assert np.corrcoef(values, latent.value + latent.effect / 0.75)[0, 1] > 0.95


def stream_of(root):
    return lambda *names: streams.generator(root, "simulation", *names)
