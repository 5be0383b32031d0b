"""Who of a roster may take part, by a condition that may come out as yes, no or unknown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from equipoise.errors import RosterError

__all__ = ["Eligibility", "select_eligible"]

Evaluate = Callable[[pl.DataFrame], Sequence[bool | None] | pl.Series]


@dataclass(frozen=True)
class Eligibility:
    """A roster in three parts, each in the roster's order.

    `unknown` are those of whom the condition asks what the roster does not say: neither selected nor
    rejected, but counted and listed.
    """

    eligible: pl.DataFrame
    ineligible: pl.DataFrame
    unknown: pl.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """How many people are in each part."""
        return {
            "eligible": self.eligible.height,
            "ineligible": self.ineligible.height,
            "unknown": self.unknown.height,
        }


def select_eligible(frame: pl.DataFrame, evaluate: Evaluate | None, *, batch: int = 50_000) -> Eligibility:
    """Splits a typed roster by a condition.

    Args:
        frame: a typed roster.
        evaluate: gives true, false or null (unknown) for each row of a batch; None if all are eligible.
        batch: rows at a time.
    Returns:
        The three parts; together they are the roster.
    Raises:
        RosterError: the evaluator did not answer for every row.
    """
    if evaluate is None:
        return Eligibility(frame, frame.clear(), frame.clear())
    verdicts: list[pl.Series] = []
    for rows in frame.iter_slices(batch):
        verdict = pl.Series("eligible", evaluate(rows), dtype=pl.Boolean)
        if verdict.len() != rows.height:
            raise RosterError(f"the condition was answered for {verdict.len()} of {rows.height} rows.")
        verdicts.append(verdict)
    eligible = pl.concat(verdicts) if verdicts else pl.Series("eligible", [], dtype=pl.Boolean)
    return Eligibility(
        frame.filter(eligible.fill_null(False)),
        frame.filter((~eligible).fill_null(False)),
        frame.filter(eligible.is_null()),
    )
