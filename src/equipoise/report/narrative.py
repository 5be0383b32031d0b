"""Narrative files: Markdown without HTML, whose numbers are drawn from findings by reference."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from equipoise.errors import InputError, Problem, ProtocolError
from equipoise.report.references import REFERENCE, References, linked

__all__ = ["Prose", "Recommendation", "parse", "recommendations", "render", "spoken_lines"]

_SUPPORT = re.compile(r"^\s*\**Supported by:?\**:?\s*(.*)$", re.IGNORECASE)


@dataclass(frozen=True)
class Prose:
    """A narrative file with its place, for problems that name file and line."""

    text: str
    place: str


@dataclass(frozen=True)
class Recommendation:
    """A recommendation: its title, its reasons as HTML, and the findings and themes that support it."""

    title: str
    html: Markup
    supports: tuple[str, ...]
    line: int


def parse(text: str) -> list[Token]:
    """The tokens of a narrative: CommonMark with tables; HTML is shown as text, never passed through."""
    return MarkdownIt("commonmark", {"html": False}).enable("table").parse(text)


def render(prose: Prose, references: References, *, top: int, skip_title: bool = True) -> Markup:
    """The narrative as HTML whose headings begin at level `top` and never skip one.

    Raises:
        ProtocolError: references that nothing answers to, each with file and line.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(prose.text)
    if skip_title:
        tokens = _without_title(tokens)
    _shift_headings(tokens, top)
    problems: list[Problem] = []
    _quote(tokens, references, prose, problems)
    if problems:
        raise ProtocolError(problems)
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704 - html is off in the parser


def recommendations(prose: Prose, references: References, *, top: int) -> tuple[Recommendation, ...]:
    """Each `## Title`, its text, and its last line `Supported by: finding, theme.code`."""
    found = []
    for title, line, body in _sections(prose.text):
        supports: tuple[str, ...] = ()
        kept = []
        for text in body:
            match = _SUPPORT.match(text)
            if match:
                supports = tuple(one.strip(" .`") for one in match[1].split(",") if one.strip(" .`"))
            kept.append("" if match else text)
        # Empty lines in place of what stands above keep the line numbers of problems right.
        padded = Prose("\n" * line + "\n".join(kept), prose.place)
        html = render(padded, references, top=top, skip_title=False)
        found.append(Recommendation(title, html, supports, line))
    return tuple(found)


def spoken_lines(text: str) -> Iterator[tuple[int, str]]:
    """The words of a narrative by line, without code, links' addresses and references."""
    for token in parse(text):
        if token.type != "inline" or token.map is None:
            continue
        line = token.map[0] + 1
        for child in token.children or ():
            if child.type == "text":
                yield line, REFERENCE.sub(" ", child.content)
            elif child.type in ("softbreak", "hardbreak"):
                line += 1


def _sections(text: str) -> Iterator[tuple[str, int, list[str]]]:
    title, start, body = "", 0, list[str]()
    for at, line in enumerate(text.splitlines(), start=1):
        if line.startswith("## "):
            if title:
                yield title, start, body
            title, start, body = line[3:].strip(), at, []
        elif title:
            body.append(line)
    if title:
        yield title, start, body


def _without_title(tokens: list[Token]) -> list[Token]:
    if len(tokens) > 2 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return tokens[3:]
    return tokens


def _shift_headings(tokens: Sequence[Token], top: int) -> None:
    levels = sorted({int(token.tag[1]) for token in tokens if token.type == "heading_open"})
    shifted = {f"h{level}": f"h{min(6, top + rank)}" for rank, level in enumerate(levels)}
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = shifted[token.tag]


def _quote(tokens: Sequence[Token], references: References, prose: Prose, problems: list[Problem]) -> None:
    for token in tokens:
        if token.type != "inline":
            continue
        line = (token.map or [0, 0])[0] + 1
        children: list[Token] = []
        for child in token.children or ():
            line += child.type in ("softbreak", "hardbreak")
            if child.type == "text" and "{{" in child.content:
                children.extend(_quoted(child, references, f"{prose.place}:{line}", problems))
            else:
                children.append(child)
        token.children = children


def _quoted(token: Token, references: References, place: str, problems: list[Problem]) -> Iterator[Token]:
    at = 0
    for match in REFERENCE.finditer(token.content):
        yield _text(token.content[at : match.start()])
        try:
            quoted = references.quote(match[1].strip())
        except InputError as error:
            problems.extend(Problem(place, match[0], one.message) for one in error.problems)
        else:
            yield (
                _text(quoted.text)
                if quoted.finding is None
                else _linked(quoted.text, quoted.finding, references.page)
            )
        at = match.end()
    yield _text(token.content[at:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _linked(text: str, finding: str, page: str) -> Token:
    """A quoted number as a link to its row; `html_inline` is written by us alone, since the parser makes
    none."""
    return Token("html_inline", "", 0, content=str(linked(finding, text, page)))
