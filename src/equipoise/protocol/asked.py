"""What a participant is asked, in the words of one language: choices, things to answer, blocks."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["NEVER_ANSWERED", "OTHER", "OTHER_TEXT", "WHY", "Asked", "Block", "Choice", "Kind"]

Kind = Literal[
    "choice",
    "choices",
    "number",
    "text",
    "long-text",
    "date",
    "ranking",
    "slider",
    "allocation",
    "consent",
    "information",
    "video",
]
NEVER_ANSWERED = ("information", "video")
OTHER = "something_else"  # the code of the choice that `other:` adds
WHY = "_why"
OTHER_TEXT = "other"  # what its text is named by: KEY.other


@dataclass(frozen=True)
class Choice:
    """One of the answers on offer.

    `other` asks "please say" in a text beside it, whose field and column are `KEY.other`; the code of such a
    choice is `something_else`.
    """

    code: str
    label: str
    other: bool = False


@dataclass(frozen=True)
class Asked:
    """One thing to answer: one field, or one fieldset. Nothing is answered to information and video.

    `key` is the answer's name: `days_sick`, `swemwbs.optimistic`, `block.item`. Yes and no are a `choice`
    with the codes `yes` and `no`, as is `consent`; a Likert item is a `choice` whose codes are the numbers of
    its answer format as text. `text` is the question or statement (Markdown for information; a video's
    title). `choices` are those of choice, choices, consent, ranking and allocation. `decimals` of 0 means
    whole numbers; `total` is what an allocation sums to; `end_labels` are the words at a slider's ends.
    `random_order` is of its choices. `valid` is a rule over the answers, with the field's own `message`.
    `correct` is the answer that shows attention. `media`, `captions` and `transcript` are files in `media/`.
    `show_if` is that of its block. `lang` is set where its words are in another language than the page's.
    `numeric` says that the choices' codes are numbers and the answer is kept as one.
    """

    key: str
    kind: Kind
    text: str
    hint: str | None = None
    choices: tuple[Choice, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    decimals: int = 0
    step: float = 1.0
    total: float | None = None
    end_labels: tuple[str, str] | None = None
    required: bool = False
    dont_know: bool = False
    prefer_not_to_say: bool = False
    random_order: bool = False
    valid: str | None = None
    message: str | None = None
    correct: str | None = None
    activity: str | None = None
    media: str | None = None
    captions: str | None = None
    transcript: str | None = None
    show_if: str | None = None
    lang: str | None = None
    numeric: bool = False

    @property
    def answered(self) -> bool:
        """Whether there is anything to answer."""
        return self.kind not in NEVER_ANSWERED

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its answers, without the reason why there is none."""
        if not self.answered:
            return ()
        own: tuple[str, ...] = (self.key,)
        if self.kind in ("choices", "ranking", "allocation"):
            own = tuple(f"{self.key}.{choice.code}" for choice in self.choices)
        return (*own, self.other) if any(choice.other for choice in self.choices) else own

    @property
    def other(self) -> str:
        """The field and column of the text beside something else."""
        return f"{self.key}.{OTHER_TEXT}"

    @property
    def why(self) -> str:
        """The column that says why there is no answer."""
        return f"{self.key}{WHY}"

    def label(self, code: str) -> str:
        """The words of a choice, or the code itself where there is none."""
        return next((choice.label for choice in self.choices if choice.code == code), code)


@dataclass(frozen=True)
class Block:
    """What one question of a survey becomes: itself, the items of an instrument, the statements of a block.

    `random_order` is of what is asked in it. `likert` says that all of it has the same answers, so that it
    may be set as one. `demonstration` marks wording of our own, shown as such. `lang` is that of title and
    intro where it is not the page's.
    """

    id: str
    asked: tuple[Asked, ...]
    title: str | None = None
    intro: str | None = None
    random_order: bool = False
    show_if: str | None = None
    likert: bool = False
    demonstration: bool = False
    instrument: str | None = None
    lang: str | None = None
