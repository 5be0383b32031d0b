"""A message made ready once, and filled for each participant in a few microseconds.

The body is read as Markdown once, with its fields marked, and cut into pieces for plain text and for HTML.
What a field holds is put between the pieces and is never read as Markdown or HTML.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape

from equipoise.errors import InputError, Problem
from equipoise.messages.fields import LINKS, Template, in_html, in_text, marked, template
from equipoise.messages.markdown import parse, to_html, to_text
from equipoise.messages.mime import Structure, has_breaks
from equipoise.protocol.models.files import Message

__all__ = ["Compiled", "compile_message"]

_RIGHT_TO_LEFT = ("ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi")
_HEAD = """\
<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="margin:0;padding:16px;background:#ffffff">
<main style="max-width:600px;margin:0 auto;\
font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.5;color:#1a1a1a">
"""
_END = """
</main>
</body>
</html>"""


@dataclass(frozen=True)
class Compiled:
    """A message of one language, ready to be filled.

    Attributes:
        language: its tag.
        direction: in which it is written, `ltr` or `rtl`.
        fields: the names of the fields of its subject and body, in order.
        subject: empty for a message without one.
        plain: the body as plain text.
        rich: the body as HTML, without what stands around it.
        structure: of the mail.
    """

    language: str
    direction: str
    fields: tuple[str, ...]
    subject: Template
    plain: Template
    rich: Template
    structure: Structure

    def subject_line(self, fields: Mapping[str, str]) -> str:
        """The subject; empty for a message without one.

        Raises:
            InputError: a field has no value, or one with a line break, which could forge a header.
        """
        line = self.subject.fill(fields)
        if has_breaks(line):
            name = next((name for _, name, _ in self.subject.slots if has_breaks(fields[name])), "")
            message = "the value of this field has a line break or control character; a subject is one line"
            raise InputError(Problem("", name, message))
        return " ".join(line.split())

    def text(self, fields: Mapping[str, str]) -> str:
        """The body as plain text: of a mail, and the whole of a text message.

        Raises:
            InputError: a field has no value.
        """
        return self.plain.fill(fields)

    def html(self, fields: Mapping[str, str]) -> str:
        """The whole HTML of a mail.

        Raises:
            InputError: a field has no value.
        """
        title = escape(" ".join(self.subject.fill(fields).split()))
        head = _HEAD.format(language=self.language, direction=self.direction, title=title)
        return head + self.rich.fill(fields) + _END

    def mime(
        self,
        fields: Mapping[str, str],
        *,
        sender: str,
        to: str,
        reference: str,
        unsubscribe: str = "",
        date: datetime,
    ) -> bytes:
        """The mail as it goes to the server, with CRLF at the end of its lines.

        Args:
            fields: by name, as text.
            sender: an address, with a name before it if wanted.
            to: the address alone.
            reference: of the dispatch; names the message in its Message-ID.
            unsubscribe: the address of one-click unsubscribing (RFC 8058), if there is one.
            date: with its zone.
        Raises:
            InputError: a field has no value, or something that would break a header.
        """
        return self.structure.fill(
            subject=self.subject_line(fields),
            text=self.text(fields),
            html=self.html(fields),
            sender=sender,
            to=to,
            reference=reference,
            unsubscribe=unsubscribe,
            date=date,
        )


def compile_message(message: Message, *, language: str) -> Compiled:
    """A message ready to be filled.

    Args:
        message: as it was read.
        language: the tag of the language in which it is written.
    """
    names = list(LINKS)
    subject = marked(" ".join(unicodedata.normalize("NFC", message.subject or "").split()), names)
    tokens = parse(marked(unicodedata.normalize("NFC", message.body), names))
    plain, rich = to_text(tokens), to_html(tokens)
    direction = "rtl" if language.lower().partition("-")[0] in _RIGHT_TO_LEFT else "ltr"
    title = template(subject, names, in_text)
    filled = template(plain, names, in_text)
    used = dict.fromkeys(name for one in (title, filled) for _, name, _ in one.slots)
    return Compiled(
        language=language,
        direction=direction,
        fields=tuple(used),
        subject=title,
        plain=filled,
        rich=template(rich, names, in_html),
        structure=Structure(language),
    )
