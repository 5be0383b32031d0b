"""Surveys, wording packs and vignettes: every question can be asked and every item has its words."""

import re
from collections.abc import Iterator, Mapping

from equipoise.errors import Problem, nearest
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import instrument_ids, load
from equipoise.instruments.wording import WordingPack, check_pack
from equipoise.protocol.expressions import Schema, check_expression
from equipoise.protocol.facts import answers_schema
from equipoise.protocol.models.files import Vignette
from equipoise.protocol.models.surveys import Question, Survey
from equipoise.protocol.reserved import reserved_problem
from equipoise.protocol.study import Study

__all__ = ["check_surveys"]

_FIELD = re.compile(r"\{\s*([^{}]*?)\s*\}")


def check_surveys(study: Study) -> Iterator[Problem]:
    """Questions, routing, instruments and their wording; attributes of vignettes."""
    for name, survey in study.surveys.items():
        yield from _survey(study, f"surveys/{name}.yaml", survey)
    for path, pack in study.wording.items():
        yield from _wording(study, path, pack)
    for path, vignette in study.vignettes.items():
        yield from _vignette(study, path, vignette)


def _survey(study: Study, path: str, survey: Survey) -> Iterator[Problem]:
    document = study.documents[path]
    seen: set[tuple[str, str]] = set()
    for where, what, name in _identifiers(survey):
        if (what, name) in seen:
            yield document.problem(where, f'the {what} "{name}" stands twice; each needs its own id')
        seen.add((what, name))
    schema = answers_schema(study.protocol, survey)
    for number, page in enumerate(survey.pages):
        yield from _routing(study, path, ("pages", number, "show-if"), page.show_if, schema)
        for place, question in enumerate(page.questions):
            where = ("pages", number, "questions", place)
            yield from _routing(study, path, (*where, "show-if"), question.show_if, schema)
            yield from _question(study, path, where, question)


def _identifiers(survey: Survey) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    for number, page in enumerate(survey.pages):
        yield ("pages", number, "id"), "page", page.id
        for place, question in enumerate(page.questions):
            if question.id is not None:
                yield ("pages", number, "questions", place, "id"), "question", question.id


def _routing(
    study: Study, path: str, where: tuple[str | int, ...], text: str | None, schema: Schema
) -> Iterator[Problem]:
    for message in check_expression(text, schema, expects="bool") if text is not None else ():
        yield study.documents[path].problem(where, message)


def _question(study: Study, path: str, where: tuple[str | int, ...], question: Question) -> Iterator[Problem]:
    document = study.documents[path]
    problem = reserved_problem(question.id) if question.id else None
    if problem:
        yield document.problem((*where, "id"), problem)
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
        for problem in check_pack(pack, definition):
            yield document.problem(tuple(problem.where.split(".")), problem.message)


def _vignette(study: Study, path: str, vignette: Vignette) -> Iterator[Problem]:
    document = study.documents[path]
    for name, attribute in vignette.attributes.items():
        if len(attribute.levels) < 2:
            yield document.problem(("attributes", name, "levels"), "an attribute needs two levels or more")
        for level in [level for level in attribute.text if level not in attribute.levels]:
            listed = nearest(level, list(attribute.levels))
            yield document.problem(
                ("attributes", name, "text", level), f'"{level}" is not a level. Levels: {listed}'
            )
        yield from _uneven(document.problem, name, attribute.text)
    for field in _FIELD.findall(vignette.template):
        if field not in vignette.attributes:
            listed = nearest(field, list(vignette.attributes))
            yield document.problem(("template",), f'"{{{field}}}" is not an attribute. Attributes: {listed}')
    factors = {name for task in study.protocol.tasks.values() for name in (task.present_as,) if task.present}
    for name in [name for name in vignette.attributes if name in factors]:
        yield document.problem(
            ("attributes", name), f'"{name}" is also a way of presenting; choose another name'
        )


def _uneven(problem: object, name: str, text: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    if any(not words for words in text.values()):
        yield problem(("attributes", name, "text"), "a level without text")  # type: ignore[operator]
