"""Single questions: whether people can answer them, honestly pass them by, and their answers be kept."""

import re
from collections.abc import Iterator

from equipoise.errors import Problem, nearest
from equipoise.protocol.asked import OTHER, OTHER_TEXT
from equipoise.protocol.models.surveys import Question
from equipoise.protocol.reserved import reserved_problem
from equipoise.protocol.study import Study

__all__ = ["question_problems"]

Path = tuple[str | int, ...]
_COLUMN = re.compile(r"[a-z0-9][a-z0-9_-]*")
_IN_COLUMNS = ("several", "ranking", "allocation")


def question_problems(study: Study, path: str, where: Path, question: Question) -> Iterator[Problem]:
    """What is wrong with one question, wherever it is asked."""
    document = study.documents[path]
    problem = reserved_problem(question.id) if question.id else None
    if problem:
        yield document.problem((*where, "id"), problem)
    for key, message in (*_options(question), *_attention(question), *_scale(question)):
        yield document.problem((*where, key), message)
    yield from _activity(study, path, where, question)
    yield from _media(study, path, where, question)


def _options(question: Question) -> Iterator[tuple[str, str]]:
    """Codes become values and names of columns."""
    for code in question.options:
        if code.startswith("__") or not code.strip() or len(code) > 60:
            yield "options", f'the code "{code[:60]}" cannot be kept; write a short word'
        elif question.type in _IN_COLUMNS and not _COLUMN.fullmatch(code):
            yield (
                "options",
                f'the code "{code}" names a column: small letters, digits, hyphens and underscores only',
            )
    taken = {OTHER, OTHER_TEXT} & set(question.options) if question.other is not None else set()
    if taken:
        yield "other", f'the code "{min(taken)}" is that of `other`; give the option another one'


def _attention(question: Question) -> Iterator[tuple[str, str]]:
    if question.correct is None:
        return
    if question.type == "number":
        if not re.fullmatch(r"-?\d+(\.\d+)?", question.correct):
            yield "correct", f'"{question.correct}" is not a number'
        return
    codes = ["yes", "no"] if question.type == "yes-no" else list(question.options)
    if question.correct not in codes:
        yield "correct", f'"{question.correct}" is not an option. Options: {nearest(question.correct, codes)}'


def _scale(question: Question) -> Iterator[tuple[str, str]]:
    """A slider stops at its end, and its steps can be entered in the box beside it."""
    if question.type != "slider" or question.low is None or question.high is None:
        return
    step = question.step or 10.0**-question.decimals
    steps = (question.high - question.low) / step
    if abs(steps - round(steps)) > 1e-6:
        yield "step", f"steps of {step:g} from {question.low:g} do not end at {question.high:g}"
    if round(step, question.decimals) != step:
        yield "step", f"steps of {step:g} need more `decimals` than {question.decimals}"


def _activity(study: Study, path: str, where: Path, question: Question) -> Iterator[Problem]:
    participants = study.protocol.participants
    consent = participants.consent if participants else {}
    if question.activity is not None and question.activity not in consent:
        listed = nearest(question.activity, list(consent))
        message = f'participants.consent does not name "{question.activity}". It names: {listed}'
        yield study.documents[path].problem((*where, "activity"), message)


def _media(study: Study, path: str, where: Path, question: Question) -> Iterator[Problem]:
    """A video has captions and a transcript; the files are there, for every level of a column in braces."""
    if question.type != "video":
        return
    document = study.documents[path]
    for key in ("media", "captions", "transcript"):
        name = getattr(question, key)
        if name is None:
            message = f"a video needs `{key}`: a file in media/, for those who cannot see or hear it"
            yield document.problem((*where, "media"), message)
            continue
        if not name.startswith("media/"):
            yield document.problem((*where, key), f'"{name}" is not in media/; put the file there')
            continue
        for file in _files(study, name):
            if not _there(study, file, exact=key != "media"):
                listed = nearest(file, sorted(study.media))
                yield document.problem((*where, key), f'there is no file "{file}". Files: {listed}')


def _files(study: Study, name: str) -> list[str]:
    """A file's name with its column in braces replaced by each of the column's levels."""
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    for column, declared in roster.items():
        if "{" + column + "}" in name:
            return [name.replace("{" + column + "}", level) for level in declared.levels or ()]
    return [name]


def _there(study: Study, file: str, *, exact: bool) -> bool:
    """A film itself may be added later, where its captions or transcript are there already."""
    if file in study.media:
        return True
    stem = file.rpartition(".")[0]
    return not exact and any(name.startswith(f"{stem}.") for name in study.media)
