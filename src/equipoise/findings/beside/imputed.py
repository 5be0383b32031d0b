"""The effect with missing answers imputed."""

from collections.abc import Iterator

from equipoise.errors import DesignError
from equipoise.estimation.missing.pooling import Pooled
from equipoise.findings.beside.missing import bare, estimated_otherwise
from equipoise.findings.beside.shifted import tipping_by_imputation
from equipoise.findings.estimates import with_estimate
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding
from equipoise.findings.sampling.auxiliaries import Predicting, predicting
from equipoise.findings.sampling.imputations import imputations_of
from equipoise.findings.sampling.measured import Measured
from equipoise.protocol.names import in_words

__all__ = ["by_imputation"]


def by_imputation(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The same analysis of everybody randomised, where the analysis asks for imputation.

    Where it asks for tipping points too, they are found again by shifting what was imputed.
    """
    asked = measured.analysis.missing or ()
    if "imputation" not in asked:
        return
    base = bare(effect).model_copy(
        update={
            "id": f"{effect.id}.imputation",
            "kind": "effect",
            "n": effect.n_randomised,
            "estimand": estimated_otherwise(effect, measured, "for all randomised, missing answers imputed"),
        }
    )
    try:
        given = predicting(measured)
        made = imputations_of(measured, given)
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    pooled = made.pooled()
    model = _words(effect, measured, given, pooled)
    yield with_estimate(base, pooled.estimate, model=model, draws=pooled.imputations)
    if "tipping-point" in asked:
        yield from tipping_by_imputation(bare(effect), made)


def _words(effect: Finding, measured: Measured, given: Predicting, pooled: Pooled) -> str:
    auxiliaries, cluster = ", ".join(given.names) or "no auxiliary", measured.analysis.cluster
    shared = ""
    if cluster not in (None, "participant"):
        shared = f", a random intercept for each {in_words(cluster)} in every equation"
    return (
        f"multiple imputation by chained equations in each arm, with all that the analysis adjusts for and "
        f"{auxiliaries}{shared}; {pooled.imputations} imputations, Rubin's rules, Barnard and Rubin's "
        f"degrees of freedom; {pooled.missing_information:.0%} of the information is missing; {effect.model}"
    )
