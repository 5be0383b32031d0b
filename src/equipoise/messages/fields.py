"""Fields in braces: `{name}` stands for what is known of a person, `{{` and `}}` for braces.

A template is cut into pieces once. Filling it puts each value, dressed for where it stands, between them, so
that a value is never read as Markdown or HTML, whatever it holds.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from equipoise.errors import InputError, Problem

__all__ = [
    "LINKS",
    "MARK",
    "OUR_LINK",
    "Dress",
    "Template",
    "in_html",
    "in_text",
    "marked",
    "part_of_address",
    "template",
]

Dress = Callable[[str], str]

LINKS = ("link", "stop_link", "asset")  # whole addresses of ours

# Inside Markdown a field is one character of the private use area, so that it is read as a letter of a word:
# that of its place in the list of names, which begins with the links, or, where its value is only a part of
# an address, so many further. Such characters of an author's own are left out.
_FIRST, _FURTHER, _LAST = 0xE000, 0xC00, 0xF7FF
MARK = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
OUR_LINK = re.compile(f"[{chr(_FIRST)}-{chr(_FIRST + len(LINKS) - 1)}]")
_RESERVED = re.compile(rb"[^A-Za-z0-9_.~-]")  # all but what RFC 3986 section 2.3 leaves as it is
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def marked(text: str, names: list[str]) -> str:
    """A text with one character for each field, and braces where two stood.

    Args:
        text: as it was written.
        names: of the fields so far, beginning with `LINKS`; new ones are added.
    """
    return _FIELD.sub(lambda found: _marked(found, names), MARK.sub("", text))


def part_of_address(text: str) -> str:
    """A marked address in which the values of its fields are only parts."""
    return MARK.sub(lambda found: chr(ord(found[0]) + _FURTHER), text)


def template(text: str, names: list[str], dress: Dress) -> "Template":
    """A marked text as a template.

    Args:
        text: with marks.
        names: what the marks stand for.
        dress: makes a value fit into the text; in an address it is quoted besides.
    """
    pieces: list[str] = []
    slots: list[tuple[int, str, Dress]] = []
    last = 0
    for found in MARK.finditer(text):
        place = ord(found[0]) - _FIRST
        further = place >= _FURTHER
        name = names[place - _FURTHER if further else place]
        slots.append((len(pieces) + 1, name, _in_address if further else dress))
        pieces += [text[last : found.start()], ""]
        last = found.end()
    return Template((*pieces, text[last:]), tuple(slots))


@dataclass(frozen=True)
class Template:
    """A text with places for values.

    Attributes:
        pieces: the text, cut where values go; an empty piece waits for each.
        slots: which piece, by which field, dressed how.
    """

    pieces: tuple[str, ...]
    slots: tuple[tuple[int, str, Dress], ...]

    def fill(self, fields: Mapping[str, str]) -> str:
        """The text with the values in their places.

        Raises:
            InputError: a field has no value; a blank is never put in its place.
        """
        pieces = list(self.pieces)
        try:
            for place, name, dress in self.slots:
                pieces[place] = dress(fields[name])
        except KeyError as error:
            message = "there is no value for this field, and a blank is never sent; give it one"
            raise InputError(Problem("", str(error.args[0]), message)) from None
        return "".join(pieces)


def in_text(value: str) -> str:
    """A value in plain text, its lines broken in one way."""
    return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value


def in_html(value: str) -> str:
    """A value in HTML, as words or as an address."""
    return html.escape(in_text(value)).replace("\n", "<br>")


def _in_address(value: str) -> str:
    raw = _RESERVED.sub(lambda found: b"%%%02X" % found[0][0], value.encode("utf-8", "replace"))
    return raw.decode("ascii")


def _marked(found: re.Match[str], names: list[str]) -> str:
    if found[0] in ("{{", "}}"):
        return found[0][0]
    name = found[1].strip()
    if name not in names:
        names.append(name)
    return chr(_FIRST + names.index(name))
