"""Whom an analysis looks at, and the cell of the contrast that each of them was randomised to."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from equipoise.errors import NotSupportedError
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.cells import Cells, cells_of
from equipoise.protocol.contrasts import Contrast, parse_contrast
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.factors import compared_stage, contrast_factors, default_factor
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["Bools", "Ints", "Sample", "sample_of", "shares_of", "supported_contrast"]

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Whom an analysis looks at, aligned with the rows of the participants.

    `stage` is the earliest stage of allocation that the contrast compares; `inside`: randomised and selected
    by `among`; `code`: the cell of each, -1 outside; `notes`: what to tell.
    """

    stage: str
    cells: Cells
    inside: Bools
    code: Ints
    notes: tuple[str, ...]

    def counts(self, rows: Bools) -> dict[str, int]:
        """People by cell among these rows."""
        found = np.bincount(self.code[rows & self.inside], minlength=len(self.cells.names))
        return {name: int(count) for name, count in zip(self.cells.names, found, strict=True)}


def supported_contrast(study: Study, text: str) -> Contrast:
    """A contrast of the spelled-out protocol.

    Raises:
        NotSupportedError: it compares strategies.
    """
    factors = contrast_factors(study.protocol, study.vignettes)
    contrast = parse_contrast(text, factors, default_factor(study.protocol))
    if not contrast.supported:
        raise NotSupportedError(
            f'the contrast "{text}" compares strategies, which this version cannot estimate yet'
        )
    return contrast


def sample_of(study: Study, data: StudyData, analysis: Analysis, contrast: Contrast) -> Sample:
    """Everybody randomised whom `among` selects, with the cell of the contrast's factors that each is in.

    Where sequences were drawn the cells are sequences, and their weights 0: it is periods that are compared.
    """
    protocol = study.protocol
    stage = compared_stage(protocol, [contrast])
    levels = {protocol.arm_column(name): protocol.drawn(name) for name in protocol.allocation}
    cells = cells_of(contrast, levels, shares_of(study))
    code = cells.codes({factor: data.participants[factor].to_numpy() for factor in cells.factors})
    inside = code >= 0
    notes: tuple[str, ...] = ()
    if analysis.among is not None:
        among = compile_expression(analysis.among, before_allocation(protocol, stage))
        selected = among.evaluate_frame(data.participants)
        unknown = int((selected.is_null().to_numpy() & inside).sum())
        inside &= selected.fill_null(False).to_numpy()
        if unknown:
            notes = (f"{unknown} people are left out because it is not known whether {analysis.among}",)
    return Sample(stage, cells, inside, np.where(inside, code, -1), notes)


def shares_of(study: Study) -> dict[str, dict[str, Fraction]]:
    """The randomised share of each level of each stage; of unequal ratios by stratum, the last rule's."""
    shares = {}
    for name, stage in study.protocol.allocation.items():
        shares[study.protocol.arm_column(name)] = _ratio_shares(stage)
    for task in study.protocol.tasks.values():
        total = sum(task.present.values())
        if total:
            shares[task.present_as] = {level: Fraction(share, total) for level, share in task.present.items()}
        if task.vignette in study.vignettes:
            for attribute, spec in study.vignettes[task.vignette].attributes.items():
                whole = sum(spec.levels.values())
                shares[attribute] = {level: Fraction(share, whole) for level, share in spec.levels.items()}
    return shares


def _ratio_shares(stage: Stage) -> dict[str, Fraction]:
    if not stage.ratio:
        return {}
    rule = stage.ratio[-1].shares
    total = sum(rule.values())
    return {arm: Fraction(share, total) for arm, share in rule.items()}
