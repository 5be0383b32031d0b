"""Ratings whose texts count as a random draw of their kind: names that stand for all such names."""

from typing import cast

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Labels
from equipoise.estimation.inference import Estimate
from equipoise.estimation.mixed.arms import adjustments
from equipoise.estimation.mixed.fit import MixedDof, fit_mixed
from equipoise.findings.fitting.mixed import at_boundary
from equipoise.findings.sampling.rated import SHOWN, Rated

__all__ = ["fit_random_texts", "random_texts_words"]


def fit_random_texts(rated: Rated) -> tuple[Estimate, tuple[str, ...]]:
    """The contrast with random intercepts for each participant and each text shown, and what to tell.

    An effect of names holds for the names shown and no others unless these count as drawn from more of their
    kind (Judd, Westfall & Kenny 2012, J. Pers. Soc. Psychol. 103:54, model of crossed random effects).

    Raises:
        DesignError: the ratings do not say which text was shown, a level was shown in one text only, or the
            design cannot be estimated.
    """
    code = rated.code[rated.answered]
    shown = _intercepts(rated)
    for factor in rated.cells.factors:
        _several(rated, factor, shown[f"texts of {factor}"])
    extra = adjustments(len(code), rated.adjusted[1], None)
    present = np.flatnonzero(np.bincount(code, minlength=len(rated.cells.names)))
    means = (code[:, None] == present).astype(np.float64)
    fit = fit_mixed(rated.values[rated.answered], np.concatenate((means, extra), axis=1), shown)
    weights = np.concatenate((rated.cells.weights[present], np.zeros(extra.shape[1])))
    analysis = rated.analysis
    return fit.contrast(weights, analysis.interval, cast(MixedDof, analysis.dof)), at_boundary(fit)


def random_texts_words(rated: Rated) -> str:
    """The model in words."""
    whose = ["participants", *(f"texts of {factor}" for factor in rated.cells.factors)]
    if rated.analysis.cluster not in (None, "participant"):
        whose.insert(1, str(rated.analysis.cluster))
    names = rated.adjusted[0]
    adjusted = f", adjusted for {' and '.join(names)}" if names else ""
    return (
        f"linear mixed model (REML) with random intercepts of {', '.join(whose)}{adjusted}; the model's "
        f"standard errors, {rated.analysis.dof.title()} degrees of freedom"
    )


def _intercepts(rated: Rated) -> dict[str, Labels]:
    found: dict[str, Labels] = {"participants": rated.people}
    if rated.analysis.cluster not in (None, "participant"):
        found[str(rated.analysis.cluster)] = rated.labels(str(rated.analysis.cluster))
    for factor in rated.cells.factors:
        column = f"{factor}{SHOWN}"
        if column not in rated.ratings.columns:
            raise DesignError(
                f'the ratings have no column "{column}", the text of {factor} that was shown, so texts '
                "cannot be taken as a random draw; add it, or take `model: linear`"
            )
        found[f"texts of {factor}"] = rated.labels(column)
    return found


def _several(rated: Rated, factor: str, texts: Labels) -> None:
    """One text a level and the text is the level: what it is and how it is put cannot be told apart."""
    code = rated.code[rated.answered]
    for cell in np.flatnonzero(rated.cells.weights):
        if (code == cell).any() and len(np.unique(texts[code == cell])) < 2:
            raise DesignError(
                f'"{rated.cells.names[cell]}" was shown in one text of {factor}, so its effect cannot be '
                "told from that text's; show several texts of each level, or take `model: linear`"
            )
