"""YAML and front matter into records, with the line of everything that is wrong.

The YAML that a study may use is the plain part of YAML 1.2: mappings, lists, text, numbers, true, false and
null. Anchors, aliases and tags are refused (they hide what is meant, and a few lines of them can fill a
computer's memory); so is a key that stands twice. Dates stay text: the protocol says in which zone they are.
"""

import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from equipoise.errors import Problem, ProtocolError, nearest
from equipoise.record import Record

__all__ = ["Document", "read_front_matter", "read_yaml"]

RecordT = TypeVar("RecordT", bound=Record)
Path = tuple[str | int, ...]

_LARGEST_FILE = 2_000_000
_MOST_VALUES = 20_000  # keys count as well; a file of this size takes about a second to read
_DEEPEST = 40
_LARGEST_WHOLE = 2**53 - 1  # beyond it programs of other languages read another number
_TAG = "tag:yaml.org,2002:"
_COLLECTIONS = (f"{_TAG}map", f"{_TAG}seq")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*\n", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """A file's content as plain data, and the line of each key and list entry.

    `name` is the file as a person would name it, relative to where the study folder lies
    (`swing/protocol.yaml`).
    """

    name: str
    data: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def place(self, path: Path) -> str:
        """`file:line` of a path, or of the nearest thing above it that the file writes."""
        return f"{self.name}:{self.line(path)}"

    def problem(self, path: Path, message: str) -> Problem:
        """A problem with its place and its path in words (`outcomes.wellbeing.waves`)."""
        return Problem(self.place(path), ".".join(str(part) for part in path), message)

    def parse(self, model: type[RecordT]) -> RecordT:
        """The record that this document writes.

        Raises:
            ProtocolError: with every place where the document does not fit the model.
        """
        if not isinstance(self.data, dict):
            raise ProtocolError(
                Problem(f"{self.name}:1", "", f"expected `key: value` lines, found {_kind(self.data)}")
            )
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            raise ProtocolError(list(_problems(self, model, error))) from None

    def line(self, path: Path) -> int:
        """The line of a path; shorthands move things when spelled out: the best match finds most of it."""
        best, best_line = 0, self.lines.get((), 1)
        for start in range(len(path)):
            at: Path = ()
            for part in path[start:]:
                if (*at, part) in self.lines:
                    at = (*at, part)
            if len(at) > best:
                best, best_line = len(at), self.lines[at]
        return best_line


def read_yaml(text: str, name: str) -> Document:
    """Plain data and line numbers of a YAML text.

    Raises:
        ProtocolError: the text is not YAML of the plain part, or a key stands twice.
    """
    if len(text) > _LARGEST_FILE:
        raise ProtocolError(
            Problem(name, "", f"the file has {len(text):,} characters; the most is {_LARGEST_FILE:,}")
        )
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth, yaml.Composer = _DEEPEST + 1, _Bounded
    try:
        node = yaml.compose(text)
    except (MaxDepthExceededError, RecursionError) as error:
        place = f"{name}:{_line_of(error)}"
        raise ProtocolError(Problem(place, "", f"nested deeper than {_DEEPEST} levels")) from None
    except _TooMuchError as error:
        message = f"the file has more than {_MOST_VALUES:,} keys and values; leave out what is not needed"
        raise ProtocolError(Problem(f"{name}:{_line_of(error)}", "", message)) from None
    except MarkedYAMLError as error:
        line = _line_of(error)
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise ProtocolError(
            Problem(
                f"{name}:{line}", "", f"this is not YAML: {what}. Look at the indentation, quotes and colons"
            )
        ) from None
    except (YAMLError, ValueError) as error:
        what = next(iter(str(error).splitlines()), "it cannot be read")
        raise ProtocolError(Problem(f"{name}:1", "", f"this is not YAML: {what}")) from None
    if node is None:
        return Document(name, None)
    reader = _Reader(name)
    data = reader.value(node, ())
    if reader.problems:
        raise ProtocolError(reader.problems)
    return Document(name, data, reader.lines)


def read_front_matter(text: str, name: str) -> tuple[Document, str, int]:
    """The front matter of a Markdown file, its body, and the line at which the body begins."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    found = _FRONT_MATTER.match(text)
    if found is None:
        return Document(name, {}), text, 1
    document = read_yaml("\n" + found[1], name)  # the blank line stands for the first ---
    return (
        Document(name, document.data or {}, document.lines),
        text[found.end() :],
        found[0].count("\n") + 1,
    )


class _TooMuchError(MarkedYAMLError):
    """A text of more keys and values than any study has."""


class _Bounded(Composer):
    """Counts while it reads, so that a text of very many values is refused before they are all there."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader=loader)
        self._composed = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The next key or value."""
        self._composed += 1
        if self._composed > _MOST_VALUES:
            raise _TooMuchError(problem_mark=self.parser.peek_event().start_mark)
        return super().compose_node(parent, index)


def _line_of(error: Exception) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark.line + 1 if mark else 1


class _Reader:
    """Walks composed nodes once; gathers lines and problems."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []

    def value(self, node: Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if node.anchor is not None:
            self._refuse(
                line, path, f'anchors and aliases ("&{node.anchor}") are not allowed; write the text out'
            )
            return None
        if len(path) > _DEEPEST:
            self._refuse(line, path, f"nested deeper than {_DEEPEST} levels")
            return None
        if isinstance(node, MappingNode | SequenceNode) and node.tag not in _COLLECTIONS:
            return self._refuse_tag(node, line, path)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(entry, (*path, place)) for place, entry in enumerate(node.value)]
        return self._scalar(node, path, line)

    def _mapping(self, node: MappingNode, path: Path) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._refuse(line, path, "a key has to be a word or a number")
                continue
            key = str(key_node.value)
            if key in found:
                first = self.lines[(*path, key)]
                self._refuse(
                    line, (*path, key), f'the key "{key}" stands twice, first on line {first}; keep one'
                )
                continue
            self.lines[(*path, key)] = line
            found[key] = self.value(value_node, (*path, key))
        return found

    def _scalar(self, node: Node, path: Path, line: int) -> Any:
        tag, text = str(node.tag).removeprefix(_TAG), str(node.value)
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        if tag in ("int", "float"):
            return self._number(text, tag, line, path)
        if tag in ("str", "timestamp"):
            if _SURROGATE.search(text):
                self._refuse(line, path, "half of a character's code stands here; write the character itself")
            return text
        return self._refuse_tag(node, line, path)

    def _refuse_tag(self, node: Node, line: int, path: Path) -> None:
        self._refuse(
            line, path, f'the tag "{node.tag}" is not allowed; write plain text, numbers, lists or keys'
        )

    def _number(self, text: str, tag: str, line: int, path: Path) -> int | float | str | None:
        plain = text.replace("_", "")
        try:
            number = (
                int(plain, 0) if tag == "int" and plain.lstrip("+-")[:2] in ("0x", "0o") else float(plain)
            )
        except ValueError:
            number = {".inf": float("inf"), "-.inf": float("-inf")}.get(plain.lower(), float("nan"))
        if tag == "int" and abs(number) > _LARGEST_WHOLE:
            self._refuse(
                line, path, f'"{text[:40]}" is larger than a whole number may be ({_LARGEST_WHOLE:,})'
            )
            return None
        if number - number != 0:
            self._refuse(
                line, path, f'"{text}" is not a number that can be computed with; write a finite number'
            )
            return None
        return int(plain) if tag == "int" and isinstance(number, float) else number

    def _refuse(self, line: int, path: Path, message: str) -> None:
        where = ".".join(str(part) for part in path)
        self.problems.append(Problem(f"{self.name}:{line}", where, message))


def _problems(document: Document, model: type[Record], error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors(include_url=False, include_context=True):
        path = tuple(detail["loc"])
        kind, found = detail["type"], detail.get("input")
        if kind == "extra_forbidden":
            allowed = _allowed_keys(model, path[:-1])
            message = f'"{path[-1]}" is not known here. Known: {nearest(str(path[-1]), allowed)}'
        elif kind == "missing":
            message = f'"{path[-1]}" is missing; it has to be written'
        elif kind == "literal_error":
            allowed = [part.strip(" '") for part in re.split(r",| or ", str(detail["ctx"]["expected"]))]
            listed = nearest(str(found), [choice for choice in allowed if choice])
            message = f"{_shown(found)} is not allowed here. Allowed: {listed}"
        elif kind == "string_pattern_mismatch":
            message = (
                f"{_shown(found)} is not a name. A name begins with a small letter and goes on with small "
                "letters, digits and underscores (identifiers of files, contacts and studies may have "
                "hyphens)"
            )
        elif kind == "value_error":
            message = _expected(detail)
        else:
            message = f"{_expected(detail)}, found {_shown(found)}"
        yield document.problem(tuple(part for part in path if part != "[key]"), message)


def _expected(detail: Mapping[str, Any]) -> str:
    """Pydantic's message in the words of this tool."""
    message = str(detail["msg"])
    kinds = {
        "string_type": "expected text (put quotes round a number that is meant as text)",
        "int_type": "expected a whole number",
        "int_parsing": "expected a whole number",
        "int_from_float": "expected a whole number",
        "float_type": "expected a number",
        "float_parsing": "expected a number",
        "bool_type": "expected true or false",
        "bool_parsing": "expected true or false",
        "dict_type": "expected `key: value` lines",
        "model_type": "expected `key: value` lines",
        "model_attributes_type": "expected `key: value` lines",
        "tuple_type": "expected a list",
        "list_type": "expected a list",
        "string_too_short": "expected some text",
    }
    if detail["type"] == "value_error":
        return message.removeprefix("Value error, ")
    return kinds.get(
        detail["type"], message[:1].lower() + message[1:].replace("Input should be", "it should be")
    )


def _shown(found: Any) -> str:
    if isinstance(found, str):
        return f'"{found[:60]}"'
    if isinstance(found, (bool, int, float)):
        return str(found).lower() if isinstance(found, bool) else f"{found}"
    return _kind(found)


def _kind(found: Any) -> str:
    if found is None:
        return "nothing"
    if isinstance(found, dict):
        return "`key: value` lines"
    return "a list" if isinstance(found, list) else f'"{found}"'


def _allowed_keys(model: type[Record], path: Path) -> list[str]:
    """The keys that the record at a path knows, following fields, mappings and lists down from `model`."""
    at: Any = model
    for part in path:
        at = _inner(at, part)
    if isinstance(at, type) and issubclass(at, BaseModel):
        return [info.alias or name for name, info in at.model_fields.items()]
    return []


def _inner(annotation: Any, part: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            if part in (info.alias, name):
                return _bare(info.annotation)
        return None
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return _bare(arguments[1])
    return _bare(arguments[0]) if arguments else None


def _bare(annotation: Any) -> Any:
    """Without `| None` and annotations."""
    if get_origin(annotation) is typing.Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _bare(next(choice for choice in get_args(annotation) if choice is not type(None)))
    return annotation
