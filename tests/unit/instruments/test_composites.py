"""The composite of subjective wellbeing against a calculation by hand."""

import numpy as np
import pytest

from equipoise.errors import ScoringError
from equipoise.instruments import composite_values, instrument, load, part_scores, reference_sample

COMPOSITE = load("subjective-wellbeing")


def parts(n=50, seed=3):
    rng = np.random.default_rng(seed)
    return {
        "satisfaction": rng.integers(5, 36, n).astype(float),
        "positive_affect": rng.integers(6, 31, n).astype(float),
        "negative_affect": rng.integers(6, 31, n).astype(float),
    }


def test_a_person_one_sd_better_in_every_part_scores_one():
    sample = parts()
    reference = reference_sample(COMPOSITE, sample)
    signs = {"satisfaction": 1, "positive_affect": 1, "negative_affect": -1}
    one_up = {
        name: np.array([reference.mean[name] + sign * reference.sd[name]]) for name, sign in signs.items()
    }
    assert composite_values(COMPOSITE, one_up, reference) == pytest.approx([1.0])


def test_it_is_the_mean_of_three_z_scores_with_negative_feelings_turned_round():
    sample = parts()
    z = {name: (values - values.mean()) / values.std(ddof=1) for name, values in sample.items()}
    expected = (z["satisfaction"] + z["positive_affect"] - z["negative_affect"]) / 3
    result = composite_values(COMPOSITE, sample, reference_sample(COMPOSITE, sample))
    assert result == pytest.approx(expected, abs=1e-12)
    assert result.mean() == pytest.approx(0, abs=1e-12)


def test_later_waves_are_standardised_on_the_baseline_and_not_on_themselves():
    baseline = parts()
    reference = reference_sample(COMPOSITE, baseline)
    later = {name: values + 1 for name, values in baseline.items()}
    moved = composite_values(COMPOSITE, later, reference) - composite_values(COMPOSITE, baseline, reference)
    sds = reference.sd
    expected = (1 / sds["satisfaction"] + 1 / sds["positive_affect"] - 1 / sds["negative_affect"]) / 3
    assert moved == pytest.approx(np.full(50, expected), abs=1e-12)


def test_a_missing_part_leaves_the_composite_missing():
    sample = parts()
    reference = reference_sample(COMPOSITE, sample)
    sample["satisfaction"][0] = np.nan
    values = composite_values(COMPOSITE, sample, reference)
    assert np.isnan(values[0])
    assert np.isfinite(values[1:]).all()


def test_any_other_standardising_sample_is_refused():
    with pytest.raises(ScoringError, match='standardised on "baseline-all-arms"; found "control-after"'):
        reference_sample(COMPOSITE, parts(), sample="control-after")


def test_a_handful_of_people_or_a_constant_part_is_no_yardstick():
    with pytest.raises(ScoringError, match="9 scores in the sample"):
        reference_sample(COMPOSITE, parts(n=9))
    with pytest.raises(ScoringError, match="negative_affect"):
        reference_sample(COMPOSITE, {**parts(), "negative_affect": np.full(50, 10.0)})


def test_parts_are_scored_by_the_published_rules_of_their_instruments():
    answers = {
        "swls": {key: np.array([4.0]) for key in instrument("swls").keys},
        "spane": {key: np.array([3.0]) for key in instrument("spane").keys},
    }
    scored = part_scores(COMPOSITE, answers)
    assert {name: values[0] for name, values in scored.items()} == {
        "satisfaction": 20,
        "positive_affect": 18,
        "negative_affect": 18,
    }
    with pytest.raises(ScoringError, match="needs answers to spane"):
        part_scores(COMPOSITE, {"swls": answers["swls"]})
