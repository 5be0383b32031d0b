"""Simulated answers, scored by the real rules, have the mean, SD and effect that were asked for."""

import numpy as np
import pytest

from equipoise.errors import ScoringError
from equipoise.instruments import (
    answers_for,
    answers_for_composite,
    composite_values,
    counts_for,
    instrument,
    instrument_ids,
    latent_shift,
    load,
    part_scores,
    planning_values,
    reference_sample,
    score,
)
from equipoise.instruments.reliability import reliability

N = 20_000
SCORES = [
    (name, score_name)
    for name in instrument_ids()
    if load(name).kind == "scale"
    for score_name in instrument(name).scores
]


def simulate(name, score_name, mean, sd, shift=0.0, n=N, seed=11):
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal(n)
    answers = answers_for(instrument(name), score_name, mean, sd, latent + shift, rng)
    return latent, answers, score(instrument(name), score_name, answers).values


@pytest.mark.parametrize(("name", "score_name"), SCORES)
def test_mean_and_sd_of_the_score_are_those_asked_for(name, score_name):
    mean, sd = planning_values(instrument(name), score_name)
    latent, _, values = simulate(name, score_name, mean, sd)
    # Sampling error of a mean is sd / sqrt(N); counts have long tails, so their SD wanders more.
    assert values.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(N) + 0.01 * sd)
    assert values.std() == pytest.approx(sd, rel=0.1 if "absence" in name else 0.03)
    assert np.corrcoef(values, latent)[0, 1] > (0.6 if "absence" in name else 0.85)


@pytest.mark.parametrize(
    ("name", "score_name", "mean", "sd", "effect"),
    [
        ("swemwbs", None, 23.1, 3.9, 0.78),
        ("cbi", "work", 49.0, 17.7, -5.0),
        ("cbi", "personal", 20.0, 20.0, 4.0),
        ("sickness-absence-month", "days", 0.9, 2.2, -0.3),
        ("ons4", "anxiety", 3.2, 2.8, 0.5),
        ("aim", None, 4.4, 0.7, 0.2),
    ],
)
def test_a_planted_effect_is_found_again(name, score_name, mean, sd, effect):
    shift = latent_shift(instrument(name), score_name, mean, sd, effect)
    _, _, without = simulate(name, score_name, mean, sd, n=100_000)
    _, _, shifted = simulate(name, score_name, mean, sd, shift=shift, n=100_000)
    # The same latent values in both, so that most of the sampling error cancels.
    assert shifted.mean() - without.mean() == pytest.approx(effect, abs=0.01 * sd + 0.02 * abs(effect))


def test_no_effect_is_no_shift():
    assert latent_shift(instrument("swls"), None, 24, 6, 0.0) == 0.0


def test_absence_has_as_many_zeros_as_such_counts_have():
    _, _, days = simulate("sickness-absence-month", "days", 0.9, 2.4)
    assert 0.6 < (days == 0).mean() < 0.85
    assert days.max() <= 30
    assert (days == np.floor(days)).all()


def test_counts_of_a_studys_own_question_have_the_mean_and_sd_asked_for():
    days = counts_for(0.7, 1.9, 28, np.random.default_rng(3).standard_normal(200_000))
    assert days.mean() == pytest.approx(0.7, abs=0.02)
    assert days.std() == pytest.approx(1.9, abs=0.05)
    assert 0.7 < (days == 0).mean() < 0.85
    with pytest.raises(ScoringError, match="must exceed the root of the mean"):
        counts_for(4, 1, 28, np.zeros(3))


@pytest.mark.parametrize("alpha", [0.8, 0.85, 0.9])
def test_internal_consistency_is_near_the_one_aimed_at(alpha):
    rng = np.random.default_rng(4)
    answers = answers_for(instrument("wemwbs"), None, 50, 8.8, rng.standard_normal(N), rng, alpha=alpha)
    assert reliability(instrument("wemwbs"), None, answers).coefficient.estimate == pytest.approx(
        alpha, abs=0.05
    )


def test_no_item_looks_unreversed_and_reversed_items_run_the_other_way():
    latent, answers, _ = simulate("affective-commitment", None, 4.5, 1.3)
    assert reliability(instrument("affective-commitment"), None, answers).unreversed == ()
    assert np.corrcoef(answers["could_move"], latent)[0, 1] < -0.5


def test_the_same_stream_gives_the_same_answers():
    _, first, _ = simulate("cbi", "work", 40, 17)
    _, second, _ = simulate("cbi", "work", 40, 17)
    assert all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(
    ("name", "mean", "sd", "told"),
    [
        ("swls", 40, 6, "the score runs from 5 to 35"),
        ("swls", 20, 0, "found mean 20 and SD 0"),
        ("swls", 6, 12, "cannot be had"),
    ],
)
def test_a_mean_and_sd_that_the_range_forbids_are_refused(name, mean, sd, told):
    with pytest.raises(ScoringError, match=told):
        simulate(name, None, mean, sd)


def test_an_effect_beyond_the_range_is_refused():
    with pytest.raises(ScoringError, match="leaves the score's range"):
        latent_shift(instrument("swls"), None, 30, 4, 6)


def test_a_composite_has_mean_zero_the_sd_asked_for_and_follows_the_latent():
    composite = load("subjective-wellbeing")
    rng = np.random.default_rng(6)
    latent = rng.standard_normal(N)
    parts = part_scores(composite, answers_for_composite(composite, 0.8, latent, rng))
    reference = reference_sample(composite, parts)
    values = composite_values(composite, parts, reference)
    assert values.std() == pytest.approx(0.8, abs=0.02)
    assert np.corrcoef(values, latent)[0, 1] > 0.98
    later = part_scores(composite, answers_for_composite(composite, 0.8, latent + 0.25, rng))
    assert composite_values(composite, later, reference).mean() == pytest.approx(0.2, abs=0.02)


def test_a_composite_of_less_sd_than_unrelated_parts_have_is_refused():
    with pytest.raises(ScoringError, match=r"from 0\.58 to 1"):
        answers_for_composite(load("subjective-wellbeing"), 0.4, np.zeros(3), np.random.default_rng(1))
