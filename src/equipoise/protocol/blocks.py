"""A question of a survey as what is asked: itself, the items of an instrument, the statements of a block."""

from dataclasses import dataclass, replace

from equipoise.instruments.definition import AnswerFormat, Instrument
from equipoise.instruments.library import instrument
from equipoise.instruments.wording import WordingPack, completed, demonstration_pack
from equipoise.protocol.asked import OTHER, Asked, Block, Choice, Kind
from equipoise.protocol.models.surveys import NOTHING_ASKED, Question, QuestionWords
from equipoise.protocol.study import Study
from equipoise.protocol.translation import same_language

__all__ = ["Speech", "block", "wording_of"]

_KINDS: dict[str, Kind] = {
    "single": "choice",
    "several": "choices",
    "yes-no": "choice",
    "likert": "choice",
    "likert-block": "choice",
}
_YES_NO = {"yes": "Yes", "no": "No"}
_AGREED = {"yes": "Yes, I agree", "no": "No"}


@dataclass(frozen=True)
class Speech:
    """The language of a page, and the language of the survey itself."""

    language: str
    own: str

    def lang(self, spoken: str) -> str | None:
        """The mark of words in another language than the page's."""
        return None if spoken == self.language else spoken


def block(study: Study, question: Question, speech: Speech, words: QuestionWords | None) -> Block:
    """What a question becomes on a page.

    Args:
        study: whose wording packs an instrument's words come from.
        question: as the survey has it.
        speech: in which language it is met.
        words: its words in that language; without them it stays in the survey's own.
    """
    if question.instrument is not None:
        return _instrument(study, question, question.instrument, speech)
    spoken = question if words is None else _translated(question, words)
    lang = speech.lang(speech.own) if words is None else None
    if question.type == "likert-block":
        return _statements(spoken, lang)
    asked = _asked(spoken, str(spoken.id), str(spoken.ask), lang)
    return Block(id=str(question.id), asked=(asked,), show_if=question.show_if, lang=lang)


def wording_of(study: Study, question: Question, language: str) -> WordingPack:
    """The wording of a question's instrument: the pack of the language where there is one.

    Of several in that language, the one that the question names; of none, the one that it names, the first of
    the folder, or the package's own demonstration wording.
    """
    definition = instrument(str(question.instrument))
    packs = [pack for pack in study.wording.values() if pack.instrument == definition.id]
    named = study.wording.get(question.wording or "")
    offered = [named, *packs] if named is not None else packs
    found = same_language(language, [pack.language for pack in offered])
    own = next((pack for pack in offered if pack.language == found), None)
    return completed(own or next(iter(offered), demonstration_pack(definition)), definition)


def _translated(question: Question, words: QuestionWords) -> Question:
    given = {key: value for key, value in words if value}
    for key in ("options", "items"):
        given[key] = {**getattr(question, key), **getattr(words, key)}
    return question.model_copy(update=given)


def _asked(question: Question, key: str, text: str, lang: str | None) -> Asked:
    nothing = question.type in NOTHING_ASKED or question.type == "consent"
    kind: Kind = _KINDS.get(str(question.type), str(question.type))  # type: ignore[arg-type]
    ends = (question.low_label, question.high_label)
    return Asked(
        key=key,
        kind=kind,
        text=text,
        hint=question.hint,
        choices=_choices(question),
        low=question.low,
        high=question.high,
        unit=question.unit,
        decimals=question.decimals,
        step=question.step or 10.0**-question.decimals,
        total=question.total,
        end_labels=(ends[0] or "", ends[1] or "") if any(ends) else None,
        required=question.required or question.type == "consent",
        dont_know=question.dont_know and not nothing,
        prefer_not_to_say=question.prefer_not_to_say and not nothing,
        random_order=question.order == "random" and question.type not in ("likert", "likert-block"),
        valid=question.valid,
        message=question.message,
        correct=question.correct,
        activity=question.activity,
        media=question.media,
        captions=question.captions,
        transcript=question.transcript,
        show_if=question.show_if,
        lang=lang,
        numeric=question.type in ("likert", "likert-block"),
    )


def _choices(question: Question) -> tuple[Choice, ...]:
    options = question.options
    if question.type in ("yes-no", "consent"):
        options = options or (_YES_NO if question.type == "yes-no" else _AGREED)
    listed = tuple(Choice(code, label) for code, label in options.items())
    return listed if question.other is None else (*listed, Choice(OTHER, question.other, other=True))


def _statements(question: Question, lang: str | None) -> Block:
    bare = question.model_copy(update={"hint": None})
    items = tuple(_asked(bare, f"{question.id}.{key}", text, lang) for key, text in question.items.items())
    return Block(
        id=str(question.id),
        asked=items,
        intro=question.ask,
        random_order=question.order == "random",
        show_if=question.show_if,
        likert=True,
        lang=lang,
    )


def _instrument(study: Study, question: Question, name: str, speech: Speech) -> Block:
    definition = instrument(name)
    pack = wording_of(study, question, speech.language)
    lang = speech.lang(pack.language) if same_language(speech.language, [pack.language]) is None else None
    items = tuple(_item(question, definition, pack, key, lang) for key in definition.keys)
    return Block(
        id=definition.id,
        asked=items,
        intro=pack.intro or None,
        random_order=question.order == "random",
        show_if=question.show_if,
        likert=all(asked.kind == "choice" and asked.choices == items[0].choices for asked in items),
        demonstration=pack.demonstration,
        instrument=definition.id,
        lang=lang,
    )


def _item(question: Question, definition: Instrument, pack: WordingPack, key: str, lang: str | None) -> Asked:
    form = definition.format_of(key)
    counted = form.kind == "count"
    words = pack.anchors.get(next(item.answers for item in definition.items if item.key == key), ())
    asked = _asked(question, f"{definition.id}.{key}", pack.items.get(key, ""), lang)
    return replace(
        asked,
        kind="number" if counted else "choice",
        choices=() if counted else _scale(form, words),
        low=float(form.low) if counted else None,
        high=float(form.high) if counted else None,
        random_order=False,
        numeric=True,
    )


def _scale(form: AnswerFormat, words: tuple[str, ...]) -> tuple[Choice, ...]:
    """Every code with its words; where only the ends have words, they stand behind the number."""
    said = dict(zip(form.labelled_codes, words, strict=False))
    if form.labelled == "all":
        return tuple(Choice(str(code), said.get(code, str(code))) for code in form.codes)
    return tuple(
        Choice(str(code), f"{code} ({said[code]})" if said.get(code) else str(code)) for code in form.codes
    )
