"""What an interim look says of how the trial may end."""

from equipoise.findings.results import Finding
from equipoise.report import words
from equipoise.report.names import Names
from equipoise.report.results import Results
from equipoise.report.tables import Cell, Column, Table

__all__ = ["is_interim", "table"]

_POWER = ".conditional-power."


def table(results: Results, names: Names) -> Table | None:
    """The chance that the trial ends with a claim, under the trend and under the assumed effect."""
    rows = tuple(
        (
            Cell(f"{names.outcome(one.outcome)}, {names.contrast(one)}"),
            Cell((one.model or "").removeprefix("conditional power under ")),
            Cell(words.estimate_text(one, names), one.estimate, one.id),
        )
        for one in results.kind("rate")
        if _POWER in one.id
    )
    columns = (Column("Primary result"), Column("Supposing"), Column("Probability", True))
    note = (
        "Conditional power: the probability that a later look or the end crosses its bound. It describes; "
        "whether to go on is decided by the protocol.",
    )
    return Table("looks-table", "How the trial may end", columns, rows, note) if rows else None


def is_interim(findings: tuple[Finding, ...]) -> bool:
    """Whether the results are those of a declared interim look."""
    return any(_POWER in one.id for one in findings)
