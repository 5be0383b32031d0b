"""What the raters of a task were shown, drawn again: at the level at which it was drawn."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from equipoise.allocation import Design
from equipoise.errors import DesignError
from equipoise.findings.sampling.rated import Labels, Rated
from equipoise.findings.sampling.redraws import Drawing, drawing_of
from equipoise.findings.sampling.sample import Ints
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import rating_facts
from equipoise.protocol.registration import current_hash
from equipoise.protocol.study import Study
from equipoise.streams import analysis_seed

__all__ = ["RatedDraw", "rated_draw"]


@dataclass(frozen=True, eq=False)
class RatedDraw:
    """How the factor of a contrast of ratings was drawn.

    Attributes:
        drawing: the draw.
        place: (n,) the unit of each rating analysed.
        what: what is drawn again, in words.
        apart: whether the ratings of a person are drawn apart.
    """

    drawing: Drawing
    place: Ints
    what: str
    apart: bool


def rated_draw(study: Study, rated: Rated, task: str) -> RatedDraw:
    """The draw of what a contrast of ratings compares.

    Args:
        study: whose.
        rated: the ratings.
        task: in which they were given.
    Returns:
        What was drawn for each rating is given out anew among the ratings of its person, with the levels that
        the person was shown: given these, every order was as likely, whether levels were drawn one by one or
        dealt in their shares. A way of presenting that was drawn for each person is given out anew among the
        persons, an arm as its stage was drawn.
    Raises:
        DesignError: the contrast crosses factors, the draw decided who is looked at, or is not in the data.
    """
    factors, spec = rated.cells.factors, study.protocol.tasks[task]
    if len(factors) != 1:
        raise DesignError(
            f"crosses what was drawn apart ({', '.join(factors)}), and no draw of one of them tells what "
            "chance does to it; take `test: t`"
        )
    factor = factors[0]
    _refuse_selected(study, rated, factor)
    arms = {study.protocol.arm_column(stage): stage for stage in study.protocol.allocation}
    if factor in arms:
        drawing = drawing_of(study, rated.data, arms[factor])
        people = rated.data.participants[rated.data.identifier].cast(pl.String).to_list()
        place = dict(zip(people, drawing.place.tolist(), strict=True))
        where = np.array([place[person] for person in rated.people.tolist()], dtype=np.int64)
        return RatedDraw(drawing, where, f"the {drawing.plan.method} allocation", False)
    person = rated.ratings[rated.data.identifier].cast(pl.String).to_numpy()
    if spec.present and factor == spec.present_as and spec.assign == "between":
        drawing, unit = _among_persons(study, rated, person, f"{task}.{factor}")
        return RatedDraw(drawing, unit[rated.answered], f"{factor} among the participants", False)
    drawing, unit = _within_persons(study, rated, person, f"{task}.{factor}")
    what = f"{factor} among the ratings of each participant"
    return RatedDraw(drawing, unit[rated.answered], what, True)


def _refuse_selected(study: Study, rated: Rated, factor: str) -> None:
    """Whom an analysis looks at must be the same in every draw."""
    among = rated.analysis.among
    if among is None:
        return
    if factor in compile_expression(among, rating_facts(study.protocol, study.vignettes)).columns:
        raise DesignError(f"`among` looks at {factor}, which is drawn again; take `test: t`")


def _within_persons(study: Study, rated: Rated, person: Labels, stage: str) -> tuple[Drawing, Ints]:
    """Each rating a unit in the stratum of its person; in an order that does not hang on the file's."""
    shown = np.flatnonzero(rated.code >= 0)
    keys = [person[shown]]
    if "position" in rated.ratings.columns:
        keys.insert(0, rated.ratings["position"].fill_null(-1).to_numpy()[shown])
    order = shown[np.lexsort(keys)]
    unit = np.full(len(person), -1, dtype=np.int64)
    unit[order] = np.arange(len(order))
    labels, stratum = np.unique(person[order], return_inverse=True)
    return _drawing(study, rated, stage, tuple(labels), stratum, rated.code[order]), unit


def _among_persons(study: Study, rated: Rated, person: Labels, stage: str) -> tuple[Drawing, Ints]:
    """Each person a unit, all in one stratum."""
    shown = np.flatnonzero(rated.code >= 0)
    people, first, place = np.unique(person[shown], return_index=True, return_inverse=True)
    code = rated.code[shown][first]
    apart = np.flatnonzero(code[place] != rated.code[shown])
    if len(apart):
        raise DesignError(
            f'"{person[shown][apart[0]]}" was shown several ways, though one is drawn for each participant '
            "(`assign: between`)"
        )
    unit = np.full(len(person), -1, dtype=np.int64)
    unit[shown] = place
    return _drawing(study, rated, stage, ("",), np.zeros(len(people), dtype=np.int64), code), unit


def _drawing(
    study: Study, rated: Rated, stage: str, labels: tuple[str, ...], stratum: Ints, code: Ints
) -> Drawing:
    levels = rated.cells.levels[0]
    numbers = np.zeros((len(labels), len(levels)), dtype=np.int64)
    np.add.at(numbers, (stratum, code), 1)
    plan = Design("blocked", levels, labels, stratum.astype(np.intp), numbers)
    root = analysis_seed(current_hash(study))
    return Drawing(stage, plan, code.astype(np.int8), np.arange(len(code)), True, root)
