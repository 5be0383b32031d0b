import numpy as np
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.inference import Interval, read_against_margin
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.missing.attrition import manski_bounds
from equipoise.estimation.registry import estimate_effect

Y = np.array([1.0, 3, 2, 5, 4, 6])
ONES = np.ones(6)
ARM = np.array([0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("low", "high", "position"),
    [
        (6, 8, "beyond"),
        (1, 4, "inside"),
        (1, 7, "straddles"),
        (-4, 4, "equivalent"),
        (-2, 7, "one-sided"),
        (-7, 7, "unclear"),
    ],
)
def test_an_interval_is_read_against_its_margin(low, high, position):
    reading = read_against_margin(Interval(0.95, low, high), 5)
    assert reading.position == position
    assert reading.non_inferior("high") == (low > -5)


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(DesignError, match='Did you mean "linear"'):
        estimate_effect("linaer", Y, ARM, (-1, 1))


def test_the_later_of_two_collinear_columns_is_dropped_and_cannot_be_asked_for():
    fit = fit_linear(Y, np.column_stack([ONES, ARM, 2 * ARM - 1]))
    assert fit.dropped == (2,)
    assert fit.contrast([0, 1, 0]).estimate == pytest.approx(3)
    with pytest.raises(DesignError, match="column 2 of the design is fixed by others"):
        fit.contrast([0, 0, 1])


def test_singleton_strata_are_counted_as_uninformative_and_change_nothing():
    fit = fit_linear(np.append(Y, 99.0), np.append(ARM, 1), strata=[0, 1, 0, 1, 0, 1, 7])
    plain = fit_linear(Y, ARM, strata=[0, 1, 0, 1, 0, 1])
    assert list(fit.uninformative) == [6]
    assert fit.contrast([1]).std_error == pytest.approx(plain.contrast([1]).std_error)
    assert fit.contrast([1]).dof == pytest.approx(plain.contrast([1]).dof)


def test_an_arm_of_one_person_or_one_cluster_has_no_error():
    with pytest.raises(DesignError, match="rests on a person that the design fits exactly"):
        fit_linear(Y, np.column_stack([ONES, [0, 0, 0, 0, 0, 1]])).contrast([0, 1])
    for variance in ("CR0", "CR1", "CR2", "CR3"):
        fit = fit_linear(Y, np.column_stack([ONES, ARM]), variance=variance, cluster=[0, 0, 1, 2, 2, 2])
        with pytest.raises(DesignError, match="rests on a cluster that the design fits exactly"):
            fit.contrast([0, 1])


def test_variances_that_do_not_suit_clusters_are_refused():
    with pytest.raises(DesignError, match="clusters were given; choose CR2"):
        fit_linear(Y, ARM, cluster=ARM)
    with pytest.raises(DesignError, match="needs clusters"):
        fit_linear(Y, ARM, variance="CR2")
    with pytest.raises(DesignError, match="too small where a stratum holds two clusters"):
        fit_linear(Y, ARM, variance="CR1", cluster=[0, 0, 1, 2, 3, 3], strata=[0, 0, 0, 1, 1, 1])
    with pytest.raises(DesignError, match="wild-bootstrap is no covariance of one fit; call wild_cluster"):
        fit_linear(Y, ARM, variance="wild-bootstrap")


def test_outcomes_a_model_cannot_take_are_refused():
    with pytest.raises(DesignError, match="needs 0 and 1"):
        estimate_effect("logistic", Y, ARM, (-1, 1))
    with pytest.raises(DesignError, match="predicted perfectly"):
        estimate_effect("logistic", [0, 1, 0, 1, 1, 1], ARM, (-1, 1))
    with pytest.raises(DesignError, match="counts of 0 or above"):
        estimate_effect("poisson", -Y, ARM, (-1, 1))
    with pytest.raises(DesignError, match="its range is 0 to 5"):
        manski_bounds(Y, ONES, ARM, (-1, 1), (0, 5))
