"""Where the answers so far lead: which pages are shown, who is screened out, which quotas count.

Routing is worked out afresh from all answers, page by page in the order of the participant's own
presentation. An answer counts only while its question is shown: whoever goes back and changes an answer
leaves what hung on it. A condition that meets a missing answer is unknown, and what it stands at is not
shown; its reason is `not_asked`.

Everything here takes a questionnaire that is `arranged` for the participant; where nothing is in random
order, one that is not is the same.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from equipoise.protocol.asked import Asked, Block
from equipoise.protocol.columns import expression_name
from equipoise.protocol.expressions import Expression, compile_expression
from equipoise.protocol.facts import answers_schema
from equipoise.protocol.models.surveys import Survey
from equipoise.protocol.questionnaire import Questionnaire, QuestionPage, Quota, ScreenOut
from equipoise.protocol.study import Study

__all__ = [
    "Answers",
    "Facts",
    "Rules",
    "answered_row",
    "failed_attention",
    "page_after",
    "page_before",
    "quotas_of",
    "rules",
    "screened_out",
    "shown",
]

Answers = Mapping[str, str | int | float]
Facts = Mapping[str, object]


@dataclass(frozen=True)
class Rules:
    """The conditions of a survey, compiled: made once for a survey and kept beside its questionnaires."""

    compiled: Mapping[str, Expression]

    def hold(self, text: str | None, answers: Answers, facts: Facts) -> bool | None:
        """Whether a condition holds; None where it meets what is missing. No condition always holds."""
        if text is None:
            return True
        known = {**facts, **{expression_name(name): value for name, value in answers.items()}}
        found = self.compiled[text].evaluate([known])[0]
        return None if found is None else bool(found)


def rules(study: Study, survey: str) -> Rules:
    """Compile every condition of a survey; a survey without any needs no library for it.

    Raises:
        ProtocolError: an expression that the checks of a loaded study would have refused.
    """
    texts = list(dict.fromkeys(_conditions(study.surveys[survey])))
    schema = answers_schema(study.protocol, study.surveys[survey]) if texts else None
    return Rules({text: compile_expression(text, schema, expects="bool") for text in texts if schema})


def shown(
    questionnaire: Questionnaire, rules: Rules, answers: Answers, facts: Facts
) -> tuple[QuestionPage, ...]:
    """The pages that the answers so far lead to, each with what is asked on it and nothing else.

    Args:
        questionnaire: arranged for the participant.
        rules: of its survey.
        answers: by column, of all pages so far.
        facts: the roster's columns, in the types that it declares.
    Raises:
        InputError: a fact is not of its declared type.
    """
    known: dict[str, str | int | float] = {}
    pages = []
    for page in questionnaire.pages:
        if rules.hold(page.show_if, known, facts):
            blocks = tuple(_blocks(page.blocks, rules, answers, facts, known))
            if blocks:
                pages.append(replace(page, blocks=blocks))
    return tuple(pages)


def page_after(
    questionnaire: Questionnaire, pages: Iterable[QuestionPage], page: str | None
) -> QuestionPage | None:
    """The next of the shown pages behind one (shown or not), the first for None; None at the end."""
    order = [each.id for each in questionnaire.pages]
    place = -1 if page is None else order.index(page)
    return next((each for each in pages if order.index(each.id) > place), None)


def page_before(
    questionnaire: Questionnaire, pages: Iterable[QuestionPage], page: str
) -> QuestionPage | None:
    """The last of the shown pages in front of one (shown or not); None at the beginning."""
    order = [each.id for each in questionnaire.pages]
    place = order.index(page)
    return next((each for each in reversed(list(pages)) if order.index(each.id) < place), None)


def screened_out(page: QuestionPage, rules: Rules, answers: Answers, facts: Facts) -> ScreenOut | None:
    """The first rule of a page by which the participant goes no further; unknown is not enough."""
    return next((rule for rule in page.screen_out if rules.hold(rule.when, answers, facts)), None)


def quotas_of(
    questionnaire: Questionnaire, rules: Rules, answers: Answers, facts: Facts
) -> tuple[Quota, ...]:
    """The quotas that a participant counts towards; one whose condition is unknown does not count yet."""
    return tuple(quota for quota in questionnaire.quotas if rules.hold(quota.when, answers, facts))


def failed_attention(pages: Iterable[QuestionPage], answers: Answers) -> tuple[str, ...]:
    """The attention checks that were answered otherwise than they asked, in order."""
    checks = (asked for page in pages for asked in page.asked if asked.correct is not None)
    return tuple(one.key for one in checks if one.key in answers and not _right(one, answers[one.key]))


def answered_row(
    questionnaire: Questionnaire,
    pages: Iterable[QuestionPage],
    answers: Answers,
    reasons: Mapping[str, str],
    reached: Collection[str],
) -> dict[str, str | int | float]:
    """One participant's answers by column with the reason for each that is missing.

    Args:
        questionnaire: arranged for the participant.
        pages: those shown, as `shown` gives them for these answers.
        answers: by column, of all pages.
        reasons: by column (`days_sick_why`): `refused` and `dont_know`, as given.
        reached: the pages that the participant has sent.
    Returns:
        Answers to what is shown, and `not_asked` or `not_reached` for what is not; what was asked and left
        empty has neither.
    """
    asked = {one.key for page in pages for one in page.asked}
    last = max((place for place, page in enumerate(questionnaire.pages) if page.id in reached), default=-1)
    row: dict[str, str | int | float] = {}
    for place, page in enumerate(questionnaire.pages):
        for one in (one for one in page.asked if one.answered):
            if place > last or (one.key in asked and page.id not in reached):
                row[one.why] = "not_reached"
            elif one.key not in asked:
                row[one.why] = "not_asked"
            else:
                row |= {name: answers[name] for name in one.columns if name in answers}
                row |= {one.why: reasons[one.why]} if one.why in reasons else {}
    return row


def _conditions(survey: Survey) -> Iterator[str]:
    pages = survey.pages
    found = chain(
        (page.show_if for page in pages),
        (rule.when for page in pages for rule in page.screen_out),
        (text for page in pages for one in page.questions for text in (one.show_if, one.valid)),
        (quota.when for quota in survey.quotas.values()),
    )
    yield from (text for text in found if text is not None)


def _blocks(
    blocks: Iterable[Block],
    rules: Rules,
    answers: Answers,
    facts: Facts,
    known: dict[str, str | int | float],
) -> Iterator[Block]:
    """The blocks that are shown; what they were answered is known from there on."""
    for block in blocks:
        if rules.hold(block.show_if, known, facts):
            names = chain.from_iterable(asked.columns for asked in block.asked)
            known |= {name: answers[name] for name in names if name in answers}
            yield block


def _right(asked: Asked, answer: str | float) -> bool:
    if isinstance(answer, str):
        return answer == asked.correct
    return answer == float(str(asked.correct))
