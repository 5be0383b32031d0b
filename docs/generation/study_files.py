"""A page for each kind of file in a study folder: an example, then every key with its type and default."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from equipoise.instruments.definition import Instrument
from equipoise.instruments.wording import WordingPack
from equipoise.protocol.models import files, surveys
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.models.protocol import Protocol
from generation.markdown import docstring, fenced, table
from generation.types_in_words import default_in_words, models_inside, type_in_words, types_of

__all__ = ["FILE_KINDS", "FileKind", "pages"]

_EXAMPLES = Path(__file__).parent.parent / "reference-examples"


@dataclass(frozen=True)
class FileKind:
    """A kind of file: its page, where its example lies in which folder, its model, and what it holds."""

    page: str
    where: str
    folder: str
    model: type[BaseModel]
    says: str

    @property
    def example(self) -> str:
        """The ten-line example that the page shows and a test reads."""
        return (_EXAMPLES / self.folder / self.where).read_text("utf-8")


FILE_KINDS = (
    FileKind("protocol", "protocol.yaml", "study", Protocol, "the design, whole"),
    FileKind("survey", "surveys/wellbeing.yaml", "study", surveys.Survey, "pages and questions"),
    FileKind(
        "translation",
        "surveys/wellbeing.cy.yaml",
        "study",
        surveys.Translation,
        "a survey's words in another language",
    ),
    FileKind("wording", "wording/swemwbs.yaml", "study", WordingPack, "an instrument's wording"),
    FileKind("message", "messages/week-1.md", "study", files.Message, "one message"),
    FileKind("vignette", "vignettes/cv.yaml", "study", files.Vignette, "what is judged in an experiment"),
    FileKind("guide", "interviews/guide.md", "study", files.Guide, "topics and probes"),
    FileKind("codebook", "interviews/codebook.yaml", "study", files.Codebook, "the codes and the method"),
    FileKind("logic-model", "logic-model.yaml", "study", files.LogicModel, "how it should work"),
    FileKind("explore", "explore.yaml", "study", Analysis, "analyses that were not planned"),
    FileKind("amendment", "amendments/001.yaml", "study", files.Amendment, "a change after the lock"),
    FileKind("programme", "programme.yaml", "", files.Programme, "several studies together"),
    FileKind("instrument", "instrument.yaml", "", Instrument, "how answers become a score"),
)


def pages() -> Iterator[tuple[str, str]]:
    """The index and a page a kind, each as its path under `reference/` and its text."""
    yield "files/index.md", _index()
    for kind in FILE_KINDS:
        yield f"files/{kind.page}.md", _page(kind)


def _index() -> str:
    rows = [(f"[`{kind.where}`]({kind.page}.md)", kind.says) for kind in FILE_KINDS]
    listed = "\n".join(kind.page for kind in FILE_KINDS)
    return (
        "# The files of a study\n\n"
        "A study is a folder of text files. Unknown keys are errors, and every key that may be left out "
        "has the default that its page shows; `equipoise check --explain` writes all of them out.\n\n"
        + table(("File", "Holds"), rows)
        + f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    )


def _page(kind: FileKind) -> str:
    language = "yaml" if kind.where.endswith(".yaml") else "text"
    text = f"# `{kind.where}`\n\n{fenced(kind.example, language)}\n"
    if kind.page == "explore":
        text += (
            "The file has the grammar of `analyses:` in the protocol: a name and an analysis. All of it is "
        )
        text += "reported as not planned.\n\n"
    return text + "\n".join(_model(model, kind.page) for model in _reached(kind.model))


def _reached(root: type[BaseModel]) -> list[type[BaseModel]]:
    """The model and all models that it mentions, in the order of a reader who follows the keys down."""
    found = [root]
    for model in found:
        for annotation in types_of(model).values():
            found += [inner for inner in models_inside(annotation) if inner not in found]
    return found


def _model(model: type[BaseModel], prefix: str) -> str:
    annotations = types_of(model)
    rows = [
        (f"`{info.alias or name}`", type_in_words(annotations[name], prefix, info), default_in_words(info))
        for name, info in model.model_fields.items()
    ]
    name = model.__name__
    head = f"({prefix}-{name.lower()})=\n## {name}\n\n{docstring(model)}\n{_shorthands(model)}"
    return head + table(("Key", "What stands there", "If left out"), rows)


def _shorthands(model: type[BaseModel]) -> str:
    """Shorter ways of writing a record, as the validators that spell them out describe them."""
    decorators = model.__pydantic_decorators__
    validators = [*decorators.model_validators.values(), *decorators.field_validators.values()]
    said = [docstring(validator.func).strip() for validator in validators if validator.func.__doc__]
    return f"Shorter: {' '.join(said)}\n\n" if said else ""
