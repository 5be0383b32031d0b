"""The questionnaire as participants meet it: one survey, spelled out in one language, frozen.

Everything that a page shows is here: instruments with their wording, the statements of a block one by one,
translations with the mark of what is still in another language. The order in which one participant meets it
is `presentation`; which pages and questions the answers so far lead to is `journey`; what a posted page says
is `answering`.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256

from equipoise.errors import InputError, Problem, nearest
from equipoise.protocol.asked import NEVER_ANSWERED, Asked, Block, Choice, Kind
from equipoise.protocol.blocks import Speech, block
from equipoise.protocol.canonical import canonical_bytes
from equipoise.protocol.models.surveys import Page, PageWords, Survey, Translation
from equipoise.protocol.models.surveys import Quota as WrittenQuota
from equipoise.protocol.study import Study
from equipoise.protocol.translation import languages, same_language, translation

__all__ = [
    "NEVER_ANSWERED",
    "Asked",
    "Block",
    "Choice",
    "Kind",
    "QuestionPage",
    "Questionnaire",
    "Quota",
    "ScreenOut",
    "questionnaire",
    "vignette_blocks",
]


@dataclass(frozen=True)
class ScreenOut:
    """Who goes no further after a page (a CEL condition), and what they are told."""

    when: str
    message: str
    lang: str | None = None


@dataclass(frozen=True)
class Quota:
    """How many may answer of those for whom `when` is true (everybody where it is None)."""

    name: str
    when: str | None
    at_most: int
    message: str
    lang: str | None = None


@dataclass(frozen=True)
class QuestionPage:
    """One page. `random_order` is of its blocks; `lang` that of a title and intro in another language."""

    id: str
    blocks: tuple[Block, ...]
    title: str | None = None
    intro: str | None = None
    random_order: bool = False
    show_if: str | None = None
    screen_out: tuple[ScreenOut, ...] = ()
    lang: str | None = None

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Everything on the page, in order."""
        return tuple(asked for block in self.blocks for asked in block.asked)


@dataclass(frozen=True)
class Questionnaire:
    """A survey in one language.

    `random_pages` are sets of pages that change places. `wording_version` is the SHA-256 (hexadecimal) of the
    canonical JSON of everything shown. `languages` are all that the survey can be met in, its own first;
    `lang` marks title and information that are not in `language`.
    """

    survey: str
    language: str
    title: str
    minutes: float | None
    information: str | None
    pages: tuple[QuestionPage, ...]
    random_pages: tuple[tuple[str, ...], ...]
    quotas: tuple[Quota, ...]
    demonstration: bool
    wording_version: str
    languages: tuple[str, ...]
    lang: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of everything that can be answered, in order."""
        return tuple(asked.key for page in self.pages for asked in page.asked if asked.answered)

    def page(self, name: str) -> QuestionPage:
        """The page of this id.

        Raises:
            InputError: there is none.
        """
        for page in self.pages:
            if page.id == name:
                return page
        listed = nearest(name, [page.id for page in self.pages])
        raise InputError(Problem(self.survey, "page", f'there is no page "{name}". Pages: {listed}'))

    def asked(self, key: str) -> Asked:
        """What is asked under this key.

        Raises:
            InputError: nothing is.
        """
        for page in self.pages:
            for asked in page.asked:
                if asked.key == key:
                    return asked
        raise InputError(
            Problem(self.survey, key, f"nothing is asked under this name. Names: {nearest(key, self.keys)}")
        )


def questionnaire(study: Study, survey: str, language: str | None = None) -> Questionnaire:
    """A survey as participants meet it.

    Args:
        study: a loaded study, so that every name that its surveys use is there.
        survey: the survey's name.
        language: in which language (`cy` also finds `cy-GB`); without it, the survey's own.
    Raises:
        InputError: no such survey, or not in that language; the message lists what there is.
    """
    if survey not in study.surveys:
        listed = nearest(survey, list(study.surveys))
        raise InputError(
            Problem("", "survey", f'"{survey}" is not a survey of this study. Surveys: {listed}')
        )
    written, offered = study.surveys[survey], languages(study, survey)
    spoken = same_language(language or written.language, offered)
    if spoken is None:
        listed = nearest(str(language), offered)
        raise InputError(Problem("", "language", f'"{survey}" is not in "{language}". Languages: {listed}'))
    words = translation(study, survey, spoken) or Translation()
    speech = Speech(spoken, written.language)
    pages = tuple(_page(study, page, speech, words) for page in written.pages)
    own = spoken == written.language
    found = Questionnaire(
        survey=survey,
        language=spoken,
        title=words.title or written.title,
        minutes=written.minutes,
        information=words.information or written.information,
        pages=pages,
        random_pages=written.random_pages,
        quotas=tuple(_quotas(written, speech, words)),
        demonstration=any(block.demonstration for page in pages for block in page.blocks),
        wording_version="",
        languages=offered,
        lang=None if own or words.title else written.language,
    )
    return replace(found, wording_version=sha256(canonical_bytes(asdict(found))).hexdigest())


def vignette_blocks(study: Study, path: str) -> tuple[Block, ...]:
    """What is asked of each vignette (`vignettes/cv.yaml`), in the study's language."""
    speech = Speech(study.protocol.study.language, study.protocol.study.language)
    return tuple(block(study, question, speech, None) for question in study.vignettes[path].questions)


def _page(study: Study, page: Page, speech: Speech, translated: Translation) -> QuestionPage:
    words = translated.pages.get(page.id, PageWords())
    spoken = page.id in translated.pages or not (page.title or page.intro)
    original = speech.lang(speech.own)
    return QuestionPage(
        id=page.id,
        blocks=tuple(
            block(study, question, speech, translated.questions.get(question.id or ""))
            for question in page.questions
        ),
        title=words.title or page.title,
        intro=words.intro or page.intro,
        random_order=page.order == "random",
        show_if=page.show_if,
        screen_out=tuple(
            ScreenOut(
                rule.when,
                words.screen_out[place] if place < len(words.screen_out) else rule.message,
                None if place < len(words.screen_out) else original,
            )
            for place, rule in enumerate(page.screen_out)
        ),
        lang=None if spoken else original,
    )


def _quotas(written: Survey, speech: Speech, translated: Translation) -> Iterator[Quota]:
    for name, quota in written.quotas.items():
        yield _quota(name, quota, speech, translated.quotas.get(name))


def _quota(name: str, quota: WrittenQuota, speech: Speech, message: str | None) -> Quota:
    lang = speech.lang(speech.own) if message is None else None
    return Quota(name, quota.when, quota.at_most, message or quota.message, lang)
