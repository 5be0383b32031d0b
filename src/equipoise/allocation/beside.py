"""What a method looks at in each unit beside its stratum: factors to balance, covariates to compare."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd

from equipoise.allocation.text import normalised
from equipoise.errors import DesignError, Problem

__all__ = ["MEASURES", "MOST_SLOTS", "NOTHING", "Beside", "criterion_misfits", "minimisation_misfits"]

MEASURES = ("range", "variance")
MOST_SLOTS = 100  # arms that a minimisation balances, each as often as its share


@dataclass(frozen=True, eq=False)
class Beside:
    """What a method looks at in each unit, beside its stratum.

    Attributes:
        columns: by name, each unit's value as text: the factors of a minimisation, a criterion's covariates.
        coin: a minimisation's probability of the arm that balances best.
        accept: the share of draws that a criterion accepts.
        weights: of a minimisation's factors, in the order of `columns`; none where all count alike.
        measure: how a minimisation measures the imbalance of a factor: range or variance.
        numbers: those of a criterion's covariates that are numbers; the others are categories.
    """

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    coin: float | None = None
    accept: float | None = None
    weights: tuple[int, ...] = ()
    measure: str | None = None
    numbers: tuple[str, ...] = ()

    def of(self, units: int) -> "Beside":
        """The same for so many units, its texts in normal form.

        Raises:
            DesignError: a column with another number of values, or a unit without a value.
        """
        for name, values in self.columns.items():
            if len(values) != units:
                message = f"{len(values)} values for {units} units; each needs one."
                raise DesignError(Problem("", f"allocation.{name}", message))
        return replace(
            self, columns={name: normalised(values, name) for name, values in self.columns.items()}
        )


NOTHING = Beside()


def minimisation_misfits(beside: Beside, shares: Sequence[Mapping[str, int]]) -> Iterator[Problem]:
    """What is wrong with a minimisation.

    Args:
        beside: its factors, coin, weights and measure.
        shares: the arms' shares in each stratum.
    """
    factors, coin = list(beside.columns), beside.coin
    if not factors:
        yield _problem("balance", "minimisation has no factors; name the columns whose levels it balances.")
    if beside.weights and (len(beside.weights) != len(factors) or min(beside.weights) < 1):
        found = f"weights {list(beside.weights)} for {len(factors)} factors"
        yield _problem("balance", f"{found}; give each factor a whole number from 1 upwards.")
    if beside.measure not in MEASURES:
        yield _problem("measure", f'"{beside.measure}" measures no imbalance; use {" or ".join(MEASURES)}.')
    slots = [sum(row.values()) // gcd(*row.values()) for row in shares]
    if max(slots, default=0) > MOST_SLOTS:
        message = (
            f"the shares sum to {max(slots)}: minimisation balances as many equal arms, and {MOST_SLOTS} at "
            "most; use a simpler ratio, or permuted-blocks."
        )
        yield _problem("ratio", message)
    if coin is None or not 0 < coin <= 1:
        yield _problem("biased-coin", f"{coin} is no probability of the arm that balances best; use 0.8.")
    elif slots and coin * min(slots) <= 1:
        message = (
            f"{coin:g} is no more than the 1/{min(slots)} that plain chance gives, so nothing would be "
            "balanced; use a larger one, such as 0.8."
        )
        yield _problem("biased-coin", message)


def criterion_misfits(beside: Beside) -> Iterator[Problem]:
    """What is wrong with the criterion of a rerandomisation."""
    if not beside.columns:
        yield _problem("criterion", "no covariates; name those whose means shall be near.")
    if beside.accept is None or not 0 < beside.accept < 1:
        yield _problem("criterion", f"accept: {beside.accept} is no share of draws; use 0.01.")


def _problem(where: str, message: str) -> Problem:
    return Problem("", f"allocation.{where}", message)
