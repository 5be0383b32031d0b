"""Where a participant stands in a survey: what they answered, which pages are theirs, which comes next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from equipoise.platform.fieldwork.models import Session
from equipoise.platform.fieldwork.prepared import Prepared, prepared
from equipoise.platform.fieldwork.sessions import PAGES_OF_SESSION
from equipoise.platform.people.queries import facts_of
from equipoise.protocol.asked import WHY
from equipoise.protocol.journey import page_after, page_before, shown
from equipoise.protocol.presentation import Presentation, arranged
from equipoise.protocol.questionnaire import Questionnaire, QuestionPage

__all__ = ["Journey", "journey_of"]


@dataclass(frozen=True)
class Journey:
    """One session as it stands.

    Attributes:
        prepared: the survey in the language of the page.
        questionnaire: the same in this participant's order.
        pages: those that the answers so far lead to.
        answers: by column, the latest of each page.
        reasons: by column, why there is no answer.
        reached: the pages that were sent whole.
        facts: what the roster says, where the survey needs it.
    """

    prepared: Prepared
    questionnaire: Questionnaire
    pages: tuple[QuestionPage, ...]
    answers: Mapping[str, str | int | float]
    reasons: Mapping[str, str]
    reached: frozenset[str]
    facts: Mapping[str, object]

    @property
    def next_page(self) -> QuestionPage | None:
        """The first page that has not been sent; None when all have."""
        return next((page for page in self.pages if page.id not in self.reached), None)

    def page(self, name: str) -> QuestionPage | None:
        """A page that may be shown now: one that was sent, or the next; None for any other."""
        furthest = self.next_page
        found = next((page for page in self.pages if page.id == name), None)
        if found is None or found.id in self.reached:
            return found
        return found if furthest is not None and furthest.id == name else None

    def before(self, page: QuestionPage) -> QuestionPage | None:
        """The page before one."""
        return page_before(self.questionnaire, self.pages, page.id)

    def after(self, page: QuestionPage) -> QuestionPage | None:
        """The page behind one."""
        return page_after(self.questionnaire, self.pages, page.id)

    def number(self, page: QuestionPage) -> int:
        """The place of a page among those shown, from 1."""
        return [each.id for each in self.pages].index(page.id) + 1

    def with_answers(
        self,
        page: QuestionPage,
        answers: Mapping[str, str | int | float],
        reasons: Mapping[str, str],
        *,
        whole: bool,
    ) -> "Journey":
        """The journey as it stands once a page has been answered."""
        columns = {name for asked in page.asked for name in (*asked.columns, asked.why)}
        kept = {name: value for name, value in self.answers.items() if name not in columns}
        kept_reasons = {name: value for name, value in self.reasons.items() if name not in columns}
        known = {**kept, **answers}
        return Journey(
            self.prepared,
            self.questionnaire,
            shown(self.questionnaire, self.prepared.rules, known, self.facts),
            known,
            {**kept_reasons, **reasons},
            self.reached | {page.id} if whole else self.reached,
            self.facts,
        )


def journey_of(session: Session, language: str | None = None) -> Journey:
    """The journey of a session.

    Args:
        session: with its participant and study.
        language: of the page to be shown; that of the session when left out.
    """
    ready = prepared(session.participant.study, session.wave, language or session.language, session.version)
    asked = _in_order(ready.questionnaire, session.order)
    facts = facts_of(session.participant) if ready.facts else {}
    answers: dict[str, str | int | float] = {}
    reasons: dict[str, str] = {}
    reached = set()
    for page, said, whole in _latest(session):
        reached |= {page} if whole else set()
        for name, value in said.items():
            (reasons if name.endswith(WHY) else answers)[name] = value
    pages = shown(asked, ready.rules, answers, facts)
    return Journey(ready, asked, pages, answers, reasons, frozenset(reached), facts)


def _latest(session: Session) -> Iterator[tuple[str, Mapping[str, str], bool]]:
    """The latest submission of each page, and whether the page was sent whole at any time."""
    latest: dict[str, Mapping[str, str]] = {}
    whole: dict[str, bool] = {}
    for page, answers, saw in PAGES_OF_SESSION.all(session.pk):
        latest[page] = answers
        whole[page] = whole.get(page, False) or not saw.get("partial", False)
    yield from ((page, answers, whole[page]) for page, answers in latest.items())


def _in_order(asked: Questionnaire, stored: Mapping[str, object]) -> Questionnaire:
    order = Presentation.from_json(stored)
    as_written = order.pages == tuple(page.id for page in asked.pages)
    if as_written and not (order.blocks or order.items or order.choices):
        return asked
    return arranged(asked, order)
