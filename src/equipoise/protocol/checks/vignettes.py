"""Vignettes: attributes with their levels and texts, and the template that they fill."""

import re
from collections.abc import Iterator, Mapping

from equipoise.errors import Problem, nearest
from equipoise.protocol.checks.questions import question_problems
from equipoise.protocol.models.files import Vignette
from equipoise.protocol.study import Study

__all__ = ["check_vignettes"]

_FIELD = re.compile(r"\{\s*([^{}]*?)\s*\}")


def check_vignettes(study: Study) -> Iterator[Problem]:
    """Levels, texts and fields of every vignette."""
    for path, vignette in study.vignettes.items():
        yield from _vignette(study, path, vignette)


def _vignette(study: Study, path: str, vignette: Vignette) -> Iterator[Problem]:
    document = study.documents[path]
    for place, question in enumerate(vignette.questions):
        yield from question_problems(study, path, ("questions", place), question)
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
