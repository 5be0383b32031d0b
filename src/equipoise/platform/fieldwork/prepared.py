"""A survey made ready for a version and a language: built once, kept in memory, never changed."""

from dataclasses import dataclass
from functools import lru_cache

from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.journey import Rules, rules
from equipoise.protocol.privacy import ConsentText, consent_text, notice_version
from equipoise.protocol.questionnaire import Questionnaire, questionnaire
from equipoise.protocol.translation import same_language

__all__ = ["Prepared", "prepared"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """The survey of a wave in one language, with its conditions compiled and what taking part means.

    `notice` is the version of the privacy notice.

    `facts` says whether the roster must be known to show it: for a condition, or for words that are piped in.
    """

    folder: StudyFolder
    wave: str
    questionnaire: Questionnaire
    rules: Rules
    consent: ConsentText
    notice: str
    facts: bool
    piped: bool


def prepared(study: Study, wave: str, language: str | None, version: int | None = None) -> Prepared:
    """The survey of a wave, in the language asked for if there is one, else in its own.

    Raises:
        KeyError: the study has no such wave.
    """
    number = version or study.version
    survey = folder_of(study, number).protocol.waves[wave].survey
    return _prepared(study.name, number, wave, survey, language)


@lru_cache(maxsize=256)
def _prepared(name: str, version: int, wave: str, survey: str, language: str | None) -> Prepared:
    folder = folder_of(Study(name=name), version)
    asked = questionnaire(folder, survey)
    spoken = same_language(language, asked.languages) if language else None
    if spoken is not None and spoken != asked.language:
        asked = questionnaire(folder, survey, spoken)
    conditions = rules(folder, survey)
    piped = any("{" in text for text in _texts(asked))
    return Prepared(
        folder=folder,
        wave=wave,
        questionnaire=asked,
        rules=conditions,
        consent=consent_text(folder, survey, asked.language),
        notice=notice_version(folder),
        facts=bool(conditions.compiled) or piped,
        piped=piped,
    )


def _texts(asked: Questionnaire) -> list[str]:
    texts = [asked.information]
    for page in asked.pages:
        texts += [page.title, page.intro]
        for block in page.blocks:
            texts += [block.title, block.intro]
            for one in block.asked:
                texts += [one.text, one.hint, one.message, *(choice.label for choice in one.choices)]
    return [text for text in texts if text]
