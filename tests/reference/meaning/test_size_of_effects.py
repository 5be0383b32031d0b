"""Ratios against R, total SDs against Hedges' formulas, second-generation p-values against the paper."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.inference import Interval
from equipoise.estimation.meaning.ratios import number_needed, odds_ratio, risk_ratio_of_people
from equipoise.estimation.meaning.second_generation import second_generation_p_value
from equipoise.estimation.meaning.standardised import reference_sd, total_sd

HERE = Path(__file__).parent
R = json.loads((HERE / "meaning_reference.json").read_text())
TEAMS = pd.read_csv(HERE / "teams.csv")
ARM = np.repeat([0, 1], 100)
YES = np.concatenate((np.arange(100) < 18, np.arange(100) < 30)).astype(float)


@pytest.mark.parametrize(("ratio", "name"), [(risk_ratio_of_people, "risk"), (odds_ratio, "odds")])
def test_ratios_of_people_equal_the_generalised_linear_models_of_r(ratio, name):
    found, theirs = ratio(YES, ARM, (-1, 1)), R["people"]
    assert found.log.estimate == pytest.approx(theirs[f"log_{name}"], rel=1e-8)
    assert found.log.std_error == pytest.approx(theirs[f"{name}_error"], rel=1e-6)
    reach = 1.959963984540054 * found.log.std_error
    assert found.interval.low == pytest.approx(np.exp(found.log.estimate - reach), rel=1e-12)


@pytest.mark.parametrize(("ratio", "name"), [(risk_ratio_of_people, "risk"), (odds_ratio, "odds")])
def test_ratios_of_clusters_have_the_error_of_clubsandwich(ratio, name):
    found, theirs = ratio(TEAMS["yes"], TEAMS["arm"], (-1, 1), cluster=TEAMS["team"]), R["clusters"]
    assert found.log.estimate == pytest.approx(theirs[f"log_{name}"], rel=1e-8)
    assert found.log.std_error == pytest.approx(theirs[f"{name}_error"], rel=1e-8)
    assert found.log.dof == pytest.approx(theirs["dof"], rel=1e-6)


def test_a_third_arm_does_not_change_the_ratio_of_two():
    arm, yes = np.append(ARM, [2] * 9), np.append(YES, [1] * 9)
    assert risk_ratio_of_people(yes, arm, (-1, 1, 0)) == risk_ratio_of_people(YES, ARM, (-1, 1))


def test_ratios_that_do_not_exist_are_refused_with_the_remedy():
    with pytest.raises(DesignError, match="Use the difference"):
        risk_ratio_of_people(np.zeros(200), ARM, (-1, 1))
    with pytest.raises(DesignError, match="odds have no interval"):
        odds_ratio(np.where(ARM == 1, 1.0, YES), ARM, (-1, 1))
    with pytest.raises(DesignError, match="other than 0 and 1"):
        odds_ratio(YES * 2, ARM, (-1, 1))


@pytest.mark.parametrize(
    ("difference", "ends", "more", "fewer"),
    [
        (0.1, (0.05, 0.2), (5, 20), None),  # excludes zero
        (-0.1, (-0.2, -0.05), None, (5, 20)),
        (0.1, (-0.05, 0.25), (4, None), (20, None)),  # through infinity, as Altman (1998) draws it
        (0.0, (-0.1, 0.1), (10, None), (10, None)),
    ],
)
def test_numbers_needed_run_through_infinity_where_the_interval_includes_zero(difference, ends, more, fewer):
    found = number_needed(difference, Interval(0.95, *ends))
    assert found.estimate == (pytest.approx(10) if difference else None)
    for side, expected in ((found.more, more), (found.fewer, fewer)):
        rounded = None if side is None else tuple(end and round(end, 10) for end in side)
        assert rounded == expected


@pytest.mark.parametrize(
    ("ends", "p"),
    [((1.2, 3), 0), ((-0.5, 0.5), 1), ((0, 2), 0.5), ((-3, 5), 0.5), ((0.5, 4.5), 0.125), ((-8, 0.5), 0.375)],
)
def test_second_generation_p_values_follow_their_definition(ends, p):
    # The interval null is -1 to 1; of the last, 1.5 / 8.5 is pulled up by 8.5 / 4.
    assert second_generation_p_value(Interval(0.95, *ends), 1.0) == pytest.approx(p, abs=1e-12)


def test_the_total_sd_of_balanced_clusters_and_its_dof_are_those_of_hedges():
    """Hedges (2007), J. Educ. Behav. Stat. 32:341, equations 15 and 17, with the ANOVA's intraclass correlation."""
    clusters, n = 10, 6
    arm, cluster = np.repeat([0, 1], clusters * n), np.repeat(np.arange(2 * clusters), n)
    rng = np.random.default_rng(0)
    y = 0.6 * rng.normal(size=2 * clusters)[cluster] + rng.normal(size=2 * clusters * n)
    people = 2 * clusters * n
    frame = pd.DataFrame({"y": y, "arm": arm, "cluster": cluster})
    means = frame.groupby("cluster")["y"].transform("mean")
    arms = frame.groupby("arm")["y"].transform("mean")
    within = ((y - means) ** 2).sum() / (people - 2 * clusters)
    between = ((means - arms) ** 2).sum() / (2 * clusters - 2)
    rho = (between - within) / (between + (n - 1) * within)
    plain = np.sqrt(((y - arms) ** 2).sum() / (people - 2))
    sd, dof = total_sd(y, arm, cluster)
    assert 1 / sd == pytest.approx(np.sqrt(1 - 2 * (n - 1) * rho / (people - 2)) / plain, rel=1e-12)
    mean = people - 2 - 2 * (n - 1) * rho
    spread = (people - 2) * (1 - rho) ** 2 + n * (people - 2 * n) * rho**2
    spread += 2 * (people - 2 * n) * rho * (1 - rho)
    assert dof == pytest.approx(mean**2 / spread, rel=1e-12)


def test_the_total_sd_of_unequal_clusters_is_right_on_average_and_the_plain_one_too_small():
    size = np.array([2, 3, 12, 5, 20, 8, 4, 6])
    cluster, arm = np.repeat(np.arange(8), size), np.repeat([0, 0, 0, 0, 1, 1, 1, 1], size)
    rng = np.random.default_rng(2)
    draws = [rng.normal(size=8)[cluster] + rng.normal(size=len(cluster)) for _ in range(4000)]
    squares = np.array([total_sd(y, arm, cluster)[0] ** 2 for y in draws])
    plain = np.array([reference_sd(y, y, arm, 0).value ** 2 for y in draws])
    error = squares.std() / np.sqrt(len(squares))
    assert squares.mean() == pytest.approx(2.0, abs=4 * error)
    assert plain.mean() < 2.0 - 4 * error


def test_an_effect_of_clusters_is_divided_by_the_total_sd_and_says_so():
    sd = reference_sd(TEAMS["score"], None, TEAMS["arm"], 0, cluster=TEAMS["team"])
    assert sd.of == "the control arm after, between and within clusters"
    control = TEAMS[TEAMS["arm"] == 0]
    assert sd.value > control["score"].std()
    assert sd.dof < len(control) - 1


def test_clusters_of_one_have_no_total_sd():
    with pytest.raises(DesignError, match="needs two clusters in an arm and two people in a cluster"):
        total_sd(TEAMS["score"], TEAMS["arm"], np.arange(len(TEAMS)))
