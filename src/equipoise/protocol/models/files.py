"""The other files of a study folder: messages, vignettes, guides, codebooks, logic models, amendments.

Each model's docstring says which file it is; the reference shows a ten-line example of each. Surveys and
their translations are in `surveys`, wording packs with the instruments.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from equipoise.protocol.models.surveys import Question
from equipoise.record import Identifier, Name, Record, Text

__all__ = [
    "Amendment",
    "Attribute",
    "Code",
    "Codebook",
    "Forest",
    "Guide",
    "Link",
    "LogicModel",
    "Message",
    "Programme",
    "ProgrammeHead",
    "SynthesisPlan",
    "Topic",
    "Vignette",
]


class Message(Record):
    """`messages/NAME.md`: front matter and Markdown with {fields} of the roster and the occasion.

    `messages/NAME.cy.md` is the same in another language, with the same fields.
    """

    subject: Text | None = None
    author: Text | None = None
    theme: Text | None = None
    language: str = "en-GB"
    body: Text


class Attribute(Record):
    """An attribute of a vignette: its levels with their shares, and what each level puts into the text."""

    levels: dict[str, int]
    text: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    label: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _equal(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("levels"), list):
            return given | {"levels": dict.fromkeys(given["levels"], 1)}
        return given


class Vignette(Record):
    """`vignettes/NAME.yaml`: attributes whose levels are drawn, a template, the questions asked of each."""

    attributes: dict[Name, Attribute]
    template: Text
    questions: tuple[Question, ...]
    intro: Text | None = None
    debrief: Text | None = None


class Topic(Record):
    """A topic of an interview guide with its probes."""

    title: Text
    probes: tuple[Text, ...] = ()


class Guide(Record):
    """`interviews/guide.md`: front matter, and a heading for each topic with its probes as a list."""

    title: Text
    minutes: float = Field(gt=0)
    topics: tuple[Topic, ...]
    opening: Text | None = None


class Code(Record):
    """A code of a codebook, with codes under it."""

    label: Text
    definition: Text | None = None
    include: Text | None = None
    exclude: Text | None = None
    codes: dict[Identifier, "Code"] = Field(default_factory=dict)


class Codebook(Record):
    """`interviews/codebook.yaml`: the tree of codes and the declared method of analysis."""

    method: Literal["framework", "codebook", "reflexive"] = "framework"
    unit: Literal["segment", "character"] = "segment"
    codes: dict[Identifier, Code]


class Link(Record):
    """A link of a logic model and what would support it."""

    from_: Identifier
    to: Identifier
    evidence: tuple[str, ...] = ()


class LogicModel(Record):
    """`logic-model.yaml`: inputs, activities, outputs, outcomes, assumptions, and the links between them."""

    inputs: dict[Identifier, Text] = Field(default_factory=dict)
    activities: dict[Identifier, Text] = Field(default_factory=dict)
    outputs: dict[Identifier, Text] = Field(default_factory=dict)
    outcomes: dict[Identifier, Text] = Field(default_factory=dict)
    assumptions: dict[Identifier, Text] = Field(default_factory=dict)
    links: tuple[Link, ...] = ()


class Amendment(Record):
    """`amendments/NNN.yaml`: a dated, reasoned change to a locked protocol, with the new hashes.

    `stops` marks a decision to end data collection; `after-unmasking` whether results by arm had been seen.
    """

    date: str
    by: Text
    reason: Text
    data_seen: Text
    after_unmasking: bool = False
    stops: bool = False
    changes: tuple[Text, ...] = ()
    hashes: dict[str, str] = Field(default_factory=dict)
    protocol_hash: str | None = None


class ProgrammeHead(Record):
    """What the programme is."""

    id: Identifier
    title: Text
    question: Text
    period: Text
    synthetic: bool = False
    authors: tuple[Text, ...] = ()
    funding: Text | None = None
    conflicts: Text | None = None
    contact: Text | None = None


class Forest(Record):
    """The results of the studies in one figure.

    `results` names, by study, the findings that are drawn; left out, each study's first primary result.
    `pooled` averages them by random effects. That is for studies of one intervention: `estimand` says what
    the average is of. `shrink` adds each study's effect drawn towards the average, by as much as it is
    uncertain.
    """

    title: Text | None = None
    scale: Literal["standardised", "own"] = "standardised"
    pooled: bool = False
    estimand: Text | None = None
    shrink: bool = False
    results: dict[Identifier, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _one_result(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("results"), dict):
            named = {study: [one] if isinstance(one, str) else one for study, one in given["results"].items()}
            return given | {"results": named}
        return given

    @model_validator(mode="after")
    def _of_what(self) -> "Forest":
        if self.pooled and self.estimand is None:
            raise ValueError(
                "an average of studies needs `estimand:`, which says of what: the intervention, the people "
                "and the outcome that the studies share; without it write `pooled: false`"
            )
        if self.shrink and not self.pooled:
            raise ValueError("effects are drawn towards an average, so `shrink: true` needs `pooled: true`")
        return self


class SynthesisPlan(Record):
    """What is said of the studies together."""

    forest: Forest | None = None


class Programme(Record):
    """`programme.yaml`: the studies in their order, and the programme's own words in `narrative/`."""

    equipoise: Literal[1]
    programme: ProgrammeHead
    studies: tuple[str, ...]
    synthesis: SynthesisPlan = SynthesisPlan()
