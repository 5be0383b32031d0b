"""A file's effect from sums is the effect of the same people in memory: another road to every number."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import lin_interacted, linear_effect
from equipoise.estimation.inference import Estimate
from equipoise.estimation.large import Table, linear_effect_of_file

ARMS = ("call", "none", "text")
CONTRAST = {"call": 1.0, "none": -1.0, "text": 0.0}
WEIGHTS = (1.0, -1.0, 0.0)
OFFSET = 1e7
"""Far from 0: sums of raw squares would lose the digits that count."""


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    """Strata of unequal sizes, one of a single person, clusters within them, gaps in the outcome."""
    rng = np.random.default_rng(20)
    cluster = np.repeat(np.arange(60), rng.integers(1, 14, 60))
    stratum = np.array([f"s{each % 7}" for each in range(60)])[cluster]
    stratum[-1], cluster[-1] = "alone", 60
    arm = rng.integers(0, 3, 61)[cluster]
    one, two = rng.normal(size=len(arm)) + OFFSET, rng.poisson(3, len(arm)).astype(float)
    outcome = (
        0.4 * (arm == 0) + 0.3 * (one - OFFSET) * (1 + (arm == 1)) + 0.1 * two + rng.normal(size=len(arm))
    )
    outcome += rng.normal(size=61)[cluster] + OFFSET
    answered = rng.random(len(arm)) > 0.1
    answered[-1] = True
    return pl.DataFrame(
        {
            "arm": np.array(ARMS)[arm],
            "stratum": stratum,
            "cluster": cluster,
            "one": one,
            "two": two,
            "twice": 2 * two,
            "outcome": np.where(answered, outcome, np.nan),
        }
    ).with_columns(pl.col("outcome").fill_nan(None))


@pytest.fixture(scope="module")
def path(people: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The people, as a file."""
    path = tmp_path_factory.mktemp("large") / "people.parquet"
    people.write_parquet(path)
    return path


def same(found: Estimate, expected: Estimate) -> None:
    for field in ("estimate", "std_error", "dof", "statistic", "p_value"):
        assert getattr(found, field) == pytest.approx(getattr(expected, field), rel=1e-7), field


def in_memory(
    people: pl.DataFrame, covariates: tuple[str, ...], *, strata: bool, cluster: bool
) -> dict[str, object]:
    kept = people.drop_nulls("outcome")
    columns: dict[str, object] = {
        "outcome": kept["outcome"].to_numpy(),
        "arm": np.array([ARMS.index(arm) for arm in kept["arm"]]),
        "contrast": WEIGHTS,
    }
    if covariates:
        columns["covariates"] = kept.select(covariates).to_numpy()
    if strata:
        columns["strata"] = kept["stratum"].to_numpy()
    if cluster:
        columns["cluster"] = kept["cluster"].to_numpy()
    return columns


ALL = ("classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2", "CR3")
SHAPES = [(kind, ("one", "two")) for kind in ALL]
SHAPES += [(kind, columns) for kind in ("HC2", "CR2") for columns in ((), ("two", "twice"))]


@pytest.mark.parametrize("strata", [False, True], ids=["whole", "strata"])
@pytest.mark.parametrize(("variance", "covariates"), SHAPES)
def test_a_file_gives_the_effect_of_the_same_people_in_memory(
    people: pl.DataFrame, path: Path, variance: str, strata: bool, covariates: tuple[str, ...]
) -> None:
    clustered = variance.startswith("CR")
    columns = in_memory(people, covariates, strata=strata, cluster=clustered)
    expected = linear_effect(variance=variance, **columns)  # type: ignore[arg-type]
    table = Table(
        path,
        "outcome",
        "arm",
        covariates=covariates,
        stratum="stratum" if strata else None,
        cluster="cluster" if clustered else None,
    )
    found = linear_effect_of_file(table, CONTRAST, variance=variance)  # type: ignore[arg-type]
    same(found.effect, expected)


@pytest.mark.parametrize("variance", ["HC2", "CR2"])
def test_degrees_of_freedom_can_be_those_of_rows_or_clusters(
    people: pl.DataFrame, path: Path, variance: str
) -> None:
    columns = in_memory(people, (), strata=False, cluster=variance == "CR2")
    expected = linear_effect(variance=variance, dof="residual", **columns)  # type: ignore[arg-type]
    table = Table(path, "outcome", "arm", cluster="cluster" if variance == "CR2" else None)
    found = linear_effect_of_file(table, CONTRAST, variance=variance, dof="residual")  # type: ignore[arg-type]
    same(found.effect, expected)


def test_lins_interactions_are_those_of_the_same_people_in_memory(people: pl.DataFrame, path: Path) -> None:
    columns = in_memory(people, ("one", "two"), strata=False, cluster=False)
    table = Table(path, "outcome", "arm", covariates=("one", "two"))
    same(linear_effect_of_file(table, CONTRAST, interacted=True).effect, lin_interacted(**columns))  # type: ignore[arg-type]


def test_those_without_an_outcome_are_counted_by_arm(people: pl.DataFrame, path: Path) -> None:
    found = linear_effect_of_file(Table(path, "outcome", "arm"), CONTRAST)
    for arm in ARMS:
        of_arm = people.filter(pl.col("arm") == arm)["outcome"]
        assert found.missing[arm] == of_arm.null_count()
        assert found.analysed[arm] == len(of_arm) - of_arm.null_count()


@pytest.mark.parametrize(
    ("columns", "contrast", "message"),
    [
        ({"outcome": "outcom"}, CONTRAST, "outcom: is not a column"),
        ({"outcome": "stratum"}, CONTRAST, "stratum: holds VARCHAR; expected numbers"),
        ({"covariates": ("outcome; DROP",)}, CONTRAST, "is not a column"),
        ({}, {"call": 1.0, "none": -1.0}, 'no weight for the arm "text"'),
        ({}, CONTRAST | {"letter": 1.0, "text": -1.0}, 'arm "letter" has nobody'),
        ({"cluster": "arm", "stratum": "stratum"}, CONTRAST, "in more than one stratum"),
        ({"stratum": "arm"}, CONTRAST, "design: has no column left"),
    ],
)
def test_a_file_that_cannot_give_the_effect_says_why(
    path: Path, columns: dict[str, object], contrast: dict[str, float], message: str
) -> None:
    with pytest.raises(DesignError, match=message):
        linear_effect_of_file(
            Table(**({"path": path, "outcome": "outcome", "arm": "arm"} | columns)), contrast
        )  # type: ignore[arg-type]


def test_a_cell_with_one_person_and_a_covariate_with_gaps_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "few.parquet"
    pl.DataFrame({"arm": ["a", "b", "b", "b"], "y": [1.0, 2, 3, 5], "x": [1.0, None, 2, 3]}).write_parquet(
        path
    )
    with pytest.raises(DesignError, match="one person"):
        linear_effect_of_file(Table(path, "y", "arm"), {"a": -1, "b": 1})
    with pytest.raises(DesignError, match="x: is missing in 1 rows"):
        linear_effect_of_file(Table(path, "y", "arm", covariates=("x",)), {"a": -1, "b": 1})
    (tmp_path / "not.parquet").write_text("no")
    with pytest.raises(DesignError, match="expected a Parquet file"):
        linear_effect_of_file(Table(tmp_path / "not.parquet", "y", "arm"), {"a": -1, "b": 1})
