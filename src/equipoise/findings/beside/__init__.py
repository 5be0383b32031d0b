"""What stands beside an effect without anybody asking, or because the analysis asks for it under `missing`.

Each file gives one function from an effect to further findings; `besides` runs them in the order of a report.
"""

from collections.abc import Callable, Iterator

from equipoise.findings.beside.averages import averaged_otherwise
from equipoise.findings.beside.compliers import anderson_rubin_interval
from equipoise.findings.beside.imputed import by_imputation
from equipoise.findings.beside.joint import all_contrasts_together
from equipoise.findings.beside.lee import for_people_who_would_answer
from equipoise.findings.beside.likeness import likeness_in_clusters
from equipoise.findings.beside.looks import allowing_for_looks
from equipoise.findings.beside.missing import for_all_randomised
from equipoise.findings.beside.odds import odds_of_a_higher_answer
from equipoise.findings.beside.ratios import as_ratios
from equipoise.findings.beside.weighted_response import by_response_weights
from equipoise.findings.beside.weighting import weighted_as_randomised
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured

__all__ = ["besides"]


def besides(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """Everything that is printed with an effect, the effect itself left out.

    Args:
        effect: as found.
        measured: what it was found from.
        fitted: how it was found.
    """
    analysis = measured.analysis
    as_randomised = analysis.target == "all" and analysis.kind == "as-randomised"
    chosen = _BESIDE if as_randomised else _OF_TAKERS
    for each in _WEIGHTED if analysis.weights is not None else chosen:
        yield from each(effect, measured, fitted)


_BESIDE: tuple[Callable[[Finding, Measured, Fitted], Iterator[Finding]], ...] = (
    allowing_for_looks,
    as_ratios,
    all_contrasts_together,
    odds_of_a_higher_answer,
    weighted_as_randomised,
    averaged_otherwise,
    likeness_in_clusters,
    for_all_randomised,
    for_people_who_would_answer,
    by_imputation,
    by_response_weights,
)
_WEIGHTED = (allowing_for_looks, likeness_in_clusters)
"""Of those weighted by the chance of their arm: all else would compare them unweighted."""
_OF_TAKERS = (anderson_rubin_interval,)
"""Of those who took something up: all else is about the effect as randomised, and stands beside that."""
