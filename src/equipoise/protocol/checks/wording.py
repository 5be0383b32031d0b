"""Wording packs, and the words of the instruments that surveys ask."""

from collections.abc import Iterator

from equipoise.errors import Problem, nearest
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import instrument_ids, load
from equipoise.instruments.wording import WordingPack, check_pack
from equipoise.protocol.models.surveys import Question
from equipoise.protocol.study import Study

__all__ = ["check_wording", "instrument_problems"]

Path = tuple[str | int, ...]


def check_wording(study: Study) -> Iterator[Problem]:
    """Every pack is of an instrument of the library and has its words."""
    for path, pack in study.wording.items():
        yield from _wording(study, path, pack)


def instrument_problems(study: Study, path: str, where: Path, question: Question) -> Iterator[Problem]:
    """Whether a question's instrument is there, has items of its own, and somebody wrote its words."""
    document = study.documents[path]
    if question.instrument is None:
        return
    if question.instrument not in instrument_ids():
        listed = nearest(question.instrument, list(instrument_ids()))
        yield document.problem(
            (*where, "instrument"),
            f'"{question.instrument}" is not an instrument of the library. It has: {listed}',
        )
        return
    if not isinstance(load(question.instrument), Instrument):
        yield document.problem((*where, "instrument"), "a composite has no items of its own; ask its parts")
    packs = {name: pack for name, pack in study.wording.items() if pack.instrument == question.instrument}
    if question.wording is None and not packs:
        yield document.problem(
            where,
            f'there is no wording for "{question.instrument}"; `equipoise instruments wording '
            f"{question.instrument}` makes a pack to fill, or write `demonstration: true` in it",
        )
    elif question.wording is not None and question.wording not in {**study.wording, **study.documents}:
        listed = nearest(question.wording, list(study.wording))
        yield document.problem((*where, "wording"), f'there is no file "{question.wording}". Packs: {listed}')


def _wording(study: Study, path: str, pack: WordingPack) -> Iterator[Problem]:
    document = study.documents[path]
    if pack.instrument not in instrument_ids():
        listed = nearest(pack.instrument, list(instrument_ids()))
        yield document.problem(
            ("instrument",), f'"{pack.instrument}" is not an instrument of the library. It has: {listed}'
        )
        return
    definition = load(pack.instrument)
    if isinstance(definition, Instrument):
        # Our own words are English, so a demonstration in another language brings all of its own.
        own = pack.demonstration and pack.language.lower().startswith("en")
        whole = pack if own else pack.model_copy(update={"demonstration": False})
        for problem in check_pack(whole, definition):
            yield document.problem(tuple(problem.where.split(".")), problem.message)
