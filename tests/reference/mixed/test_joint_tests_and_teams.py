"""Joint tests of mixed models, cluster crossovers and repeated waves in teams, against lmerTest and nlme."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.mixed.arms import fit_arms
from equipoise.estimation.mixed.crossover import fit_crossover
from equipoise.estimation.mixed.fit import fit_mixed
from equipoise.estimation.mixed.mmrm import fit_repeated
from equipoise.estimation.mixed.repeated_in_clusters import repeated_in_clusters
from equipoise.estimation.mixed.wedge import fit_stepped_wedge

HERE = Path(__file__).parent
R = json.loads((HERE / "mixed_more_reference.json").read_text())
CLUSTERS, WEDGE, CROSSOVER, WAVES = (
    pd.read_csv(HERE / f"{name}.csv") for name in ("clusters", "wedge", "crossover", "waves")
)
BOTH = ((-1.0, 1.0, 0.0), (-1.0, 0.0, 1.0))


def check(found, expected) -> None:
    assert found.statistic == pytest.approx(expected["statistic"], rel=1e-4)
    assert found.dof_numerator == expected["numerator"]
    assert found.dof_denominator == pytest.approx(expected["denominator"], abs=1e-2)
    assert found.p_value == pytest.approx(expected["p"], rel=1e-3)


def arms(crossed: bool = False):
    coded = CLUSTERS["arm"].map({"control": 0, "low": 1, "high": 2}).to_numpy()
    groupings = {"cluster": CLUSTERS["cluster"]} | ({"rater": CLUSTERS["rater"]} if crossed else {})
    return fit_arms(
        CLUSTERS["y"], coded, (-1, 0, 1), groupings, covariates=CLUSTERS[["before"]],
        strata=None if crossed else CLUSTERS["stratum"],
    )  # fmt: skip


@pytest.mark.parametrize("dof", ["kenward-roger", "satterthwaite"])
def test_a_joint_test_is_that_of_lmertest(dof) -> None:
    key = dof.replace("-", "_")
    check(arms().joint_test(BOTH, dof), R["joint_cluster"][key])
    check(arms(crossed=True).joint_test(BOTH, dof), R["joint_crossed"][key])
    wedge = fit_stepped_wedge(WEDGE["y"], WEDGE["exposure"], WEDGE["period"], WEDGE["cluster"])
    steps = np.eye(4, len(wedge.fit.coefficients))
    check(wedge.fit.joint_test(steps, dof), R["joint_wedge"][key])


@pytest.mark.parametrize("dof", ["kenward-roger", "satterthwaite"])
def test_one_contrast_tested_jointly_is_the_square_of_its_t(dof) -> None:
    fitted = arms()
    alone, joint = fitted.effect(dof=dof), fitted.joint_test([(-1, 0, 1)], dof)
    assert joint.statistic == pytest.approx(alone.statistic**2, rel=1e-9)
    assert joint.dof_denominator == pytest.approx(alone.dof, rel=1e-6)
    assert joint.p_value == pytest.approx(alone.p_value, rel=1e-6)


def test_the_way_in_which_contrasts_are_written_does_not_change_their_joint_test() -> None:
    for dof in ("kenward-roger", "satterthwaite"):
        one, other = (arms().joint_test(rows, dof) for rows in (BOTH, ((0, 1, -1), (-2, 1, 1))))
        assert one.statistic == pytest.approx(other.statistic, rel=1e-9)
        assert one.dof_denominator == pytest.approx(other.dof_denominator, rel=1e-8)


def test_contrasts_that_repeat_each_other_are_refused() -> None:
    for dof in ("kenward-roger", "satterthwaite"):
        with pytest.raises(DesignError, match="repeat each other"):
            arms().joint_test(((-1, 1, 0), (-2, 2, 0)), dof)
    fit = fit_mixed([1.0, 2, 4, 3, 5, 9], np.repeat(np.eye(2), 3, 0), {"team": [0, 0, 1, 1, 2, 2]})
    with pytest.raises(DesignError, match="has 3 weights"):
        fit.joint_test([(0, 0, 1)])


def test_arms_that_are_told_apart_at_no_wave_are_tested_together_by_the_repeated_model() -> None:
    wide = WAVES.pivot(index="person", columns="wave", values="y").to_numpy()
    people = WAVES.drop_duplicates("person").sort_values("person")
    coded = people["arm"].map({"a": 0, "b": 1, "c": 2}).to_numpy()
    fitted = fit_repeated(wide, coded, covariates=people[["before"]])
    at = np.array([0.0, 0, 0, 1])
    joint = fitted.joint_test(BOTH, at, "satterthwaite")
    single = fitted.contrast((-1, 0, 1), at, dof="satterthwaite")
    assert fitted.joint_test([(-1, 0, 1)], at, "satterthwaite").statistic == pytest.approx(
        single.statistic**2, rel=1e-9
    )
    one, other = (fitted.contrast(row, at, dof="satterthwaite") for row in BOTH)
    assert joint.statistic >= max(one.statistic**2, other.statistic**2) / 2


@pytest.mark.parametrize("dof", ["kenward-roger", "satterthwaite"])
@pytest.mark.parametrize("adjusted", [True, False])
def test_a_crossover_of_clusters_with_other_people_each_time_equals_lmer(dof, adjusted) -> None:
    rows = pd.read_csv(HERE / "cluster_crossover.csv")
    n, when = len(rows), rows["period"].to_numpy() - 1
    values = np.full((n, 4), np.nan)
    values[np.arange(n), when] = rows["y"]
    had = (np.arange(4) + 1 + rows["cluster"].to_numpy()[:, None]) % 2
    before = rows[["before"]] if adjusted else None
    fitted = fit_crossover(values, had, arms=2, covariates=before, cluster=rows["cluster"])
    expected = R["cluster_crossover_adjusted" if adjusted else "cluster_crossover"]
    found, theirs = fitted.effect((-1, 1), dof=dof), expected[dof.replace("-", "_")]
    assert found.estimate == pytest.approx(theirs["estimate"], abs=1e-5)
    assert found.std_error == pytest.approx(theirs["std_error"], rel=1e-4)
    assert found.dof == pytest.approx(theirs["dof"], abs=1e-2)
    variances = expected["variances"]
    assert fitted.fit.parameters["cluster"] == pytest.approx(variances["cluster"], abs=1e-4)
    assert fitted.fit.parameters["cluster and period"] == pytest.approx(variances["cluster:period"], abs=1e-4)


def test_a_crossover_in_which_nothing_is_measured_twice_is_refused() -> None:
    values = np.array([[1.0, np.nan], [np.nan, 2.0], [3.0, np.nan], [np.nan, 5.0]])
    with pytest.raises(DesignError, match="nobody who is measured in two periods"):
        fit_crossover(values, [[0, 1], [0, 1], [1, 0], [1, 0]], arms=2)


TEAMS = pd.read_csv(HERE / "team_waves.csv")


def teams(structure: str = "unstructured"):
    wide = TEAMS.pivot(index="person", columns="wave", values="y")
    people = TEAMS.drop_duplicates("person").set_index("person").loc[wide.index]
    arm = people["arm"].map({"a": 0, "b": 1}).to_numpy()
    return wide, people, arm, fit_repeated(
        wide.to_numpy(), arm, covariates=people[["before"]], cluster=people["team"], cluster_name="team",
        structures=(structure,),
    )  # fmt: skip


@pytest.mark.parametrize("structure", ["unstructured", "ar1"])
def test_repeated_waves_of_people_in_teams_equal_lme(structure) -> None:
    fitted, expected = teams(structure)[-1], R[f"team_{structure}"]
    assert fitted.fit.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-6)
    assert fitted.fit.parameters["team"] == pytest.approx(expected["team"], abs=1e-4)
    for place, at in enumerate(((0, 0, 1), (1 / 3, 1 / 3, 1 / 3))):
        found = fitted.contrast((-1, 1), at, dof="satterthwaite")
        assert found.estimate == pytest.approx(expected["estimate"][place], abs=1e-5)
        assert found.std_error == pytest.approx(expected["std_error"][place], rel=1e-4)


@pytest.mark.parametrize("structure", ["unstructured", "toeplitz", "ar1"])
def test_what_a_team_adds_to_the_cross_products_is_that_of_whole_matrices(structure) -> None:
    """Every moment by its definition, V written out row by row and its derivatives by differences."""
    rng = np.random.default_rng(2)
    person, wave = np.nonzero(rng.random((14, 3)) < 0.8)
    person = np.unique(person, return_inverse=True)[1]
    team = rng.permutation(np.arange(person.max() + 1) % 4)
    columns = rng.normal(size=(len(person), 3))
    model = repeated_in_clusters(structure, person, wave, columns, team, "team")
    values = model.start * rng.uniform(0.8, 1.1, len(model.start))

    def whole(t):
        waves = model.waves.covariance(t[:-1])[0][wave[:, None], wave]
        return np.where(person[:, None] == person, waves, 0) + t[-1] * (team[person][:, None] == team[person])

    steps, h = np.eye(len(values)) * 1e-4, 1e-4
    inverse = np.linalg.inv(whole(values))
    slopes = [(whole(values + s) - whole(values - s)) / (2 * h) for s in steps]
    found = model.moments(values)
    assert found.log_det == pytest.approx(np.linalg.slogdet(whole(values))[1], rel=1e-10)
    np.testing.assert_allclose(found.cross, columns.T @ inverse @ columns, atol=1e-9)
    for i, one in enumerate(slopes):
        np.testing.assert_allclose(found.first[i], columns.T @ inverse @ one @ inverse @ columns, atol=1e-6)
        assert found.traces[i] == pytest.approx(np.trace(inverse @ one), abs=1e-6)
        for j, other in enumerate(slopes):
            product = inverse @ one @ inverse @ other
            np.testing.assert_allclose(found.second[i, j], columns.T @ product @ inverse @ columns, atol=1e-6)
            assert found.pairs[i, j] == pytest.approx(np.trace(product), abs=1e-6)
            if found.curvature is not None:
                moves = ((1, 1), (1, -1), (-1, 1), (-1, -1))
                bend = sum(a * b * whole(values + a * steps[i] + b * steps[j]) for a, b in moves) / (
                    4 * h * h
                )
                bent = inverse @ bend
                np.testing.assert_allclose(
                    found.curvature.cross[i, j], columns.T @ bent @ inverse @ columns, atol=1e-5
                )
                assert found.curvature.traces[i, j] == pytest.approx(np.trace(bent), abs=1e-5)


def test_an_arm_of_one_team_is_refused() -> None:
    wide, people, arm, _ = teams()
    with pytest.raises(DesignError, match='team: arm "b" has 1; comparing arms needs at least 2'):
        fit_repeated(
            wide, arm, cluster=np.where(arm == 1, 99, people["team"]), cluster_name="team", arm_names="ab"
        )
