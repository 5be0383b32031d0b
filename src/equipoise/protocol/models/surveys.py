"""Surveys and their translations: pages, questions, screening and quotas."""

from typing import Literal

from pydantic import Field, model_validator

from equipoise.protocol.models.participants import Activity
from equipoise.record import Identifier, Name, Record, Text

__all__ = [
    "NOTHING_ASKED",
    "OF_OPTIONS",
    "OWN_TYPES",
    "Page",
    "PageWords",
    "Question",
    "QuestionType",
    "QuestionWords",
    "Quota",
    "ScreenOut",
    "Survey",
    "Translation",
]

QuestionType = Literal[
    "single",
    "several",
    "yes-no",
    "number",
    "text",
    "long-text",
    "date",
    "likert",
    "likert-block",
    "ranking",
    "slider",
    "allocation",
    "consent",
    "information",
    "video",
]
NOTHING_ASKED = ("information", "video")
OF_OPTIONS = ("single", "several", "likert", "likert-block", "ranking", "allocation")

# The keys that only some types know, so that one that does nothing is loud.
OWN_TYPES: dict[str, tuple[str, ...]] = {
    "options": (*OF_OPTIONS, "yes-no", "consent"),
    "items": ("likert-block",),
    "other": ("single", "several"),
    "low": ("number", "slider"),
    "high": ("number", "slider"),
    "unit": ("number", "slider", "allocation"),
    "decimals": ("number", "slider", "allocation"),
    "step": ("slider",),
    "total": ("allocation",),
    "low_label": ("slider",),
    "high_label": ("slider",),
    "activity": ("consent",),
    "media": ("video",),
    "captions": ("video",),
    "transcript": ("video",),
    "correct": ("single", "yes-no", "likert", "number"),
}


class Question(Record):
    """A question of a survey: its own, or all items of an instrument in the wording of a pack.

    `single` is one of the options, `several` any of them, `likert` one statement with numbered options,
    `likert-block` several statements (`items`) with the same ones; `ranking` puts the options in order,
    `allocation` shares `total` out among them; `slider` has a number box beside it. `other` is the label of
    one more option, with a text beside it. `order: random` is the order of options, or of the items of a
    block or instrument. `valid` is a rule over the answers and `message` what is said where it does not
    hold. `correct` makes the question an attention check.
    """

    id: Name | None = None
    instrument: Identifier | None = None
    wording: str | None = None
    ask: Text | None = None
    type: QuestionType | None = None
    options: dict[str, Text] = Field(default_factory=dict)
    items: dict[Name, Text] = Field(default_factory=dict)
    other: Text | None = None
    low: float | None = None
    high: float | None = None
    unit: Text | None = None
    decimals: int = Field(default=0, ge=0, le=6)
    step: float | None = Field(default=None, gt=0)
    total: float | None = Field(default=None, gt=0)
    low_label: Text | None = None
    high_label: Text | None = None
    required: bool = False
    prefer_not_to_say: bool = True
    dont_know: bool = False
    order: Literal["listed", "random"] = "listed"
    valid: str | None = None
    message: Text | None = None
    correct: str | None = None
    activity: Activity | None = None
    media: str | None = None
    captions: str | None = None
    transcript: str | None = None
    show_if: str | None = None
    hint: Text | None = None

    @model_validator(mode="after")
    def _either(self) -> "Question":
        if self.instrument is None and (self.id is None or self.ask is None or self.type is None):
            raise ValueError("a question has `id`, `ask` and `type`, or it names an `instrument`")
        if self.instrument is not None and (self.ask is not None or self.type is not None):
            raise ValueError("a question that names an instrument takes `ask` and `type` from it")
        for key, types in OWN_TYPES.items():
            if key in self.model_fields_set and getattr(self, key) is not None and self.type not in types:
                written = key.replace("_", "-")
                raise ValueError(f"`{written}` belongs to questions of type {', '.join(types)}")
        return self

    @model_validator(mode="after")
    def _whole(self) -> "Question":
        if self.type in OF_OPTIONS and len(self.options) + (self.other is not None) < 2:
            raise ValueError(f"a question of type {self.type} needs two options or more")
        if self.type in ("yes-no", "consent") and self.options and set(self.options) != {"yes", "no"}:
            raise ValueError(f"the options of a question of type {self.type} are `yes` and `no`")
        if self.type in ("likert", "likert-block"):
            wrong = [code for code in self.options if not code.removeprefix("-").isdecimal()]
            if wrong:
                raise ValueError(
                    f'the options of a {self.type} are whole numbers with their words; "{wrong[0]}" is none'
                )
        if self.type == "likert-block" and not self.items:
            raise ValueError("a likert-block needs `items`: the statements by key")
        if self.type == "slider" and (self.low is None or self.high is None):
            raise ValueError("a slider needs `low` and `high`, where it begins and ends")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low is {self.low:g} and high is {self.high:g}: high must be the larger")
        needed = {"allocation": "total", "consent": "activity", "video": "media"}.get(self.type or "")
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"a question of type {self.type} needs `{needed}`")
        if (self.valid is None) != (self.message is None):
            raise ValueError(
                "`valid` is the rule and `message` what is said where it does not hold: write both"
            )
        return self


class ScreenOut(Record):
    """Who goes no further after a page, and what they are told."""

    when: str
    message: Text


class Page(Record):
    """One page: one question or a short block. `order: random` is the order of its questions."""

    id: Name
    title: Text | None = None
    intro: Text | None = None
    show_if: str | None = None
    order: Literal["listed", "random"] = "listed"
    questions: tuple[Question, ...]
    screen_out: tuple[ScreenOut, ...] = ()


class Quota(Record):
    """How many may answer of those for whom `when` is true (of all, where it is left out)."""

    when: str | None = None
    at_most: int = Field(ge=1)
    message: Text


class Survey(Record):
    """`surveys/NAME.yaml`: pages and questions; refers to instruments by id.

    `random-pages` are sets of pages that change places with each other.
    """

    title: Text
    minutes: float | None = Field(default=None, gt=0)
    language: str = "en-GB"
    information: Text | None = None
    pages: tuple[Page, ...]
    random_pages: tuple[tuple[Name, ...], ...] = ()
    quotas: dict[Name, Quota] = Field(default_factory=dict)


class QuestionWords(Record):
    """The words of one question in another language: all of those that it has."""

    ask: Text | None = None
    hint: Text | None = None
    options: dict[str, Text] = Field(default_factory=dict)
    items: dict[Name, Text] = Field(default_factory=dict)
    other: Text | None = None
    unit: Text | None = None
    message: Text | None = None
    low_label: Text | None = None
    high_label: Text | None = None
    captions: str | None = None
    transcript: str | None = None
    media: str | None = None


class PageWords(Record):
    """The words of one page in another language; `screen-out` are its messages, in their order."""

    title: Text | None = None
    intro: Text | None = None
    screen_out: tuple[Text, ...] = ()


class Translation(Record):
    """`surveys/NAME.LANGUAGE.yaml`: the words of a survey in another language.

    What it leaves out is shown in the survey's own language and marked so. `quotas` are their messages.
    """

    title: Text | None = None
    information: Text | None = None
    pages: dict[Name, PageWords] = Field(default_factory=dict)
    questions: dict[Name, QuestionWords] = Field(default_factory=dict)
    quotas: dict[Name, Text] = Field(default_factory=dict)
