"""A diagnosis against closed forms of power, size and coverage, within its Monte-Carlo error.

Two-sample t test: the noncentral t distribution. Analysis of covariance: the same with the residual variance
1 - r^2 (Borm, Fransen & Lemmens 2007, J. Clin. Epidemiol. 60:1234). Clusters: the variance inflated by 1 +
(m - 1) ICC, and clusters' degrees of freedom (Donner & Klar 2000, chapter 5). Shares: the normal approximation
without continuity correction. Stepped wedge: Hussey & Hughes 2007, Contemp. Clin. Trials 28:182, eq. 8.
"""

import numpy as np
import pytest
from scipy import stats

from equipoise.diagnosis.batch.engine import BatchEngine
from equipoise.diagnosis.engine import compile_study
from equipoise.diagnosis.performance import Sums, performance_of
from equipoise.diagnosis.planning.trying import Tries
from equipoise.diagnosis.scenario import Scenario
from equipoise.diagnosis.whole import WholeEngine

SIMULATIONS = 4_000


def t_power(effect, variance, dof, alpha=0.05):
    """The power of a two-sided t test of an estimate with this variance."""
    shift, critical = effect / np.sqrt(variance), stats.t.ppf(1 - alpha / 2, dof)
    return stats.nct.sf(critical, dof, shift) + stats.nct.cdf(-critical, dof, shift)


def close(found, value, slack=0.0):
    assert abs(found.value - value) <= 4 * max(found.mc_error, 1e-9) + slack, (found, value)


def test_power_of_two_means_is_that_of_the_noncentral_t(build):
    found = Tries(SIMULATIONS, 1)(build(), Scenario()).performance.claims[0]
    close(found.power, t_power(4, 100 * 4 / 100, 98))
    close(found.bias, 0.0)
    close(found.coverage, 0.95)
    close(found.sd_estimate, 2.0, slack=0.01)
    close(found.mean_std_error, 2.0, slack=0.01)
    close(found.mean_analysed, 100)


def test_errors_of_sign_and_size_are_those_of_the_normal(build):
    found = Tries(SIMULATIONS, 2)(build(), Scenario(effect=0.25)).performance.claims[0]
    shift, critical = 1 / 2, stats.t.ppf(0.975, 98)
    right, wrong = stats.nct.sf(critical, 98, shift), stats.nct.cdf(-critical, 98, shift)
    close(found.type_s, wrong / (right + wrong))
    normal = stats.norm(shift)
    size = (normal.expect(lambda z: abs(z), lb=critical) + normal.expect(lambda z: abs(z), ub=-critical)) / (
        normal.sf(critical) + normal.cdf(-critical)
    )
    close(found.exaggeration, size / shift, slack=0.05)


def test_without_an_effect_the_size_is_the_level_and_no_sign_can_be_wrong(build):
    found = Tries(SIMULATIONS, 3)(build(), Scenario(effect=0)).performance
    close(found.claims[0].power, 0.05)
    close(found.family.any_false, 0.05)
    close(found.claims[0].coverage, 0.95)
    assert found.claims[0].type_s.value is None
    assert found.claims[0].exaggeration.value is None


def test_a_score_before_explains_its_share_of_the_variance(build):
    def change(protocol):
        protocol["analyses"]["effect"]["adjust"] = ["before"]
        protocol["diagnosis"]["assume"]["hours"]["before-after correlation"] = 0.7

    found = Tries(SIMULATIONS, 4)(build(change), Scenario()).performance.claims[0]
    variance = 100 * (1 - 0.7**2) * 4 / 100 * (1 + 1 / 96)
    close(found.sd_estimate, np.sqrt(variance), slack=0.01)
    close(found.power, t_power(4, variance, 97), slack=0.005)


def test_people_who_do_not_answer_are_missed_and_those_who_answer_alike_bias_nothing(build):
    def change(protocol):
        protocol["diagnosis"]["assume"]["response"] = {"after": 0.4}

    found = Tries(SIMULATIONS, 5)(build(change), Scenario()).performance.claims[0]
    close(found.mean_analysed, 40)
    close(found.power, t_power(4, 100 * 4 / 40, 38))


def test_response_that_leans_on_the_outcome_in_one_arm_biases_complete_cases(build):
    def change(protocol):
        protocol["diagnosis"]["assume"]["response"] = {
            "after": 0.5,
            "leans-on-outcome": 2.0,
            "differs-by-arm": 0.4,
        }

    found = Tries(SIMULATIONS, 6)(build(change), Scenario()).performance.claims[0]
    # By integration over z: those who answer are likelier to have high latents, the more the fewer answer.
    grid = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)

    def mean_of_those(rate):
        low, high = -20.0, 20.0
        for _ in range(80):
            middle = (low + high) / 2
            answers = 1 / (1 + np.exp(-(middle + 2.0 * grid)))
            low, high = (middle, high) if answers.mean() < rate else (low, middle)
        return (answers * grid).mean() / answers.mean() * 10

    expected = mean_of_those(0.7) - mean_of_those(0.3)
    close(found.bias, expected, slack=0.1)
    assert found.coverage.value < 0.6


def test_power_for_shares_is_that_of_the_normal_approximation(build):
    def change(protocol):
        protocol["participants"]["expected"] = 400
        protocol["outcomes"] = {
            "heard": {"question": "work.heard", "waves": ["after"], "role": "primary", "scale": "yes-no"}
        }
        protocol["testing"] = [{"claims": ["heard"]}]
        protocol["diagnosis"]["assume"] = {"heard": {"mean": 0.3, "effect": 0.12}}

    found = Tries(SIMULATIONS, 7)(build(change), Scenario()).performance.claims[0]
    variance = (0.3 * 0.7 + 0.42 * 0.58) / 200
    close(found.sd_estimate, np.sqrt(variance))
    close(found.power, stats.norm.sf(1.96 - 0.12 / np.sqrt(variance)), slack=0.01)
    assert found.truth == pytest.approx(0.12)


def by_team(protocol):
    protocol["participants"]["expected"] = 400
    protocol["units"] = {"team": {"icc": 0.1, "people": 20}}
    protocol["allocation"]["unit"] = "team"
    protocol["analyses"]["effect"] |= {"variance": "CR2", "cluster": "team"}


def test_clusters_inflate_the_variance_by_the_design_effect(build):
    found = Tries(400, 8)(build(by_team), Scenario()).performance.claims[0]
    variance = 100 * (1 + 19 * 0.1) * 4 / 400
    close(found.sd_estimate, np.sqrt(variance))
    close(found.power, t_power(4, variance, 18), slack=0.01)
    close(found.coverage, 0.95)


def wedge(protocol):
    """Twelve teams in three sequences over four periods, ten people of each team in each period."""
    protocol["participants"]["expected"] = 480
    protocol["units"] = {"team": {"icc": 0.05, "people": 40}}
    protocol["schedule"] = {
        "periods": {"p1": "launch", "p2": "p1 + 8 weeks", "p3": "p2 + 8 weeks", "p4": "p3 + 8 weeks"},
        "sequences": {f"s{step}": ["control"] * step + ["offer"] * (4 - step) for step in (1, 2, 3)},
        "effect": "constant",
    }
    protocol["allocation"] = {"unit": "team", "to": "sequences", "method": "complete"}
    protocol["outcomes"] = {"score": {"column": "score", "role": "primary", "good": "high"}}
    protocol["analyses"] = {"effect": {"contrast": "offer - control"}}
    protocol["testing"] = [{"claims": ["score"]}]
    protocol["diagnosis"]["assume"] = {"score": {"mean": 50, "sd": 10, "effect": 4}}


def test_a_stepped_wedge_has_the_variance_of_hussey_and_hughes(build):
    engine = compile_study(build(wedge))
    assert isinstance(engine, WholeEngine)
    sums = Sums.none(engine.claims)
    for chunk in range(12):
        sums = sums + Sums.of(engine.trials(chunk, 1))
    found = performance_of(sums).claims[0]
    treated = np.repeat([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]], 4, axis=0)
    clusters, periods, between, cell = 12, 4, 5.0, 95.0 / 10
    u, w, v = treated.sum(), (treated.sum(axis=0) ** 2).sum(), (treated.sum(axis=1) ** 2).sum()
    variance = (clusters * cell * (cell + periods * between)) / (
        (clusters * u - w) * cell + (u**2 + clusters * periods * u - periods * w - clusters * v) * between
    )
    close(found.mean_std_error, np.sqrt(variance), slack=0.03)
    close(found.sd_estimate, np.sqrt(variance))
    close(found.bias, 0.0)
    assert found.truth == 4.0


def test_the_whole_way_has_the_same_power(build):
    study = build()
    engine = compile_study(study)
    assert isinstance(engine, BatchEngine)
    whole, sums = WholeEngine(study, engine.world.people, engine.claims), Sums.none(engine.claims)
    for chunk in range(25):
        sums = sums + Sums.of(whole.trials(chunk, 1))
    close(performance_of(sums).claims[0].power, t_power(4, 4, 98))
