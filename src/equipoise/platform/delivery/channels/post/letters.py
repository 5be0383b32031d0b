"""Letters as one PDF to print: each on pages of its own, tagged to be read aloud (PDF/UA-1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from equipoise.messages import Compiled
from equipoise.messages.letters import letter_html

if TYPE_CHECKING:
    from weasyprint import Document

__all__ = ["Letter", "address_lines", "letters_pdf"]

_WHOLE = 3  # lines of an address that has a column for each
_VARIANT = {"pdf_variant": "pdf/ua-1", "pdf_tags": True}


@dataclass(frozen=True)
class Letter:
    """A letter to one person.

    Attributes:
        address: its lines, as they stand in the window.
        template: the compiled message of its language.
        fields: the value of every field that it uses.
        sender: who writes.
        date: as it is printed.
    """

    address: Sequence[str]
    template: Compiled
    fields: Mapping[str, str]
    sender: str = ""
    date: str = ""


def address_lines(text: str) -> tuple[str, ...]:
    """The lines of an address; one that a roster has in a single column is broken at its commas.

    >>> address_lines("Zoë Example\\n12 High Street, Northmoor, NM1 2AB")
    ('Zoë Example', '12 High Street', 'Northmoor', 'NM1 2AB')
    """
    lines = text.splitlines()
    if 0 < len(lines) < _WHOLE:
        lines[-1:] = lines[-1].split(",")
    return tuple(line.strip() for line in lines if line.strip())


def letters_pdf(letters: Sequence[Letter], title: str) -> bytes:
    """All letters in their order; the pages of each are counted by themselves.

    Args:
        letters: one or more.
        title: of the document, which names nobody.
    """
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    documents = [_document(letter, fonts) for letter in letters]
    whole = documents[0].copy([page for document in documents for page in document.pages])
    whole.metadata.title = title
    pdf: bytes = whole.write_pdf(**_VARIANT)
    return pdf


def _document(letter: Letter, fonts: Any) -> "Document":
    from weasyprint import HTML

    text = letter_html(letter.template, letter.fields, letter.address, sender=letter.sender, date=letter.date)
    return HTML(string=text, url_fetcher=_fetches_nothing).render(font_config=fonts, **_VARIANT)


def _fetches_nothing(url: str, *_: Any, **__: Any) -> Any:
    """A letter is whole as it is: nothing that stands in it makes this machine call another."""
    raise ValueError("a letter fetches nothing")
