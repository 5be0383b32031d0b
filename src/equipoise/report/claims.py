"""The order in which claims may be made, and the looks on the way: as planned, in words."""

from equipoise.protocol.models.analyses import TestStep
from equipoise.protocol.models.protocol import Protocol
from equipoise.report.content import Facts
from equipoise.report.names import Names
from equipoise.report.numbers import percentage

__all__ = ["looks_told", "order"]

_METHODS = {
    "bonferroni": "Bonferroni",
    "holm": "Holm",
    "hochberg": "Hochberg",
    "hommel": "Hommel",
    "benjamini-hochberg": "Benjamini and Hochberg (the share of false claims)",
    "benjamini-yekutieli": "Benjamini and Yekutieli (the share of false claims)",
    "dunnett": "Dunnett (several arms against one control)",
    "westfall-young": "Westfall and Young (by drawing the allocation again)",
}
_SPENDING = {"obrien-fleming": "O\u2019Brien and Fleming", "pocock": "Pocock"}


def order(protocol: Protocol, names: Names) -> Facts | None:
    """The steps, each with its claims, its error rate and how claims share it; None without any."""
    steps = protocol.testing or ()
    if not steps:
        return None
    rows = [(f"Step {number}", _step(step, names, number)) for number, step in enumerate(steps, start=1)]
    return Facts("The order in which claims may be made", (*rows, ("Interim looks", looks_told(protocol))))


def looks_told(protocol: Protocol) -> str:
    """Which looks the protocol declares, and how they spend the error rate."""
    if not protocol.looks:
        return "None is declared: results by arm are looked at once, at the end."
    shares = " and ".join(percentage(look.share) for look in protocol.looks)
    spending = _SPENDING[protocol.looks[0].spend]
    return (
        f"At {shares} of the answers. The error rate is spent by the function of Lan and DeMets that is like "
        f"{spending}."
    )


def _step(step: TestStep, names: Names, number: int) -> str:
    claims = ", ".join(_claim(claim, names) for claim in step.claims)
    rate = f"{step.alpha * 100:g}%"
    shared = f"{rate}, shared by {_METHODS[step.method]}" if step.method in _METHODS else rate
    reached = "" if number == 1 else "; only if every claim before was made"
    return f"{claims}: {shared}{reached}"


def _claim(claim: str, names: Names) -> str:
    """An outcome, an outcome at a wave, or an outcome by an analysis."""
    first, _, second = claim.partition(".")
    if not second:
        return names.outcome(first)
    if first in names.protocol.outcomes:
        return f"{names.outcome(first)} ({names.wave(second)})"
    return f"{names.outcome(second)} ({names.analysis(first)})"
