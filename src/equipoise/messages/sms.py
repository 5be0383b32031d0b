"""Text messages: how many parts one takes, what it costs, and which character makes it dear.

A text goes as GSM-7 where the whole of it is in that alphabet, 160 characters in one part and 153 in each of
several, and otherwise as UCS-2 with 70 and 67. Some characters of GSM-7 take two places (an escape and a
character), and those beyond the first plane of Unicode two places of UCS-2; neither is cut in two by the end
of a part. 3GPP TS 23.038 section 6.2.1 has the alphabet, 3GPP TS 23.040 section 9.2.3.24.1 the header that
takes the room of seven characters.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from equipoise.protocol.models.fieldwork import LONGEST_TEXT

__all__ = ["LONGEST_TEXT", "Measured", "measure", "sms_cost"]

Encoding = Literal["GSM-7", "UCS-2"]

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("^{}\\[~]|€\f")
_ROOM: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
_INSTEAD = {
    **dict.fromkeys("‘’‚‛′´`", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−•·", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2009\u200a\u202f\t", " "),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    "…": "...",
    "→": "->",
    "½": "1/2",
    "×": "x",
    "™": "(TM)",
    "©": "(c)",
}


@dataclass(frozen=True)
class Measured:
    """What a text message takes.

    Attributes:
        encoding: GSM-7 where every character is in that alphabet.
        characters: as they count; an escaped character of GSM-7 counts two.
        parts: how many messages are paid for.
        dear: each character that is not in GSM-7, in order, with what could stand in its place; None where
            nothing does.
    """

    encoding: Encoding
    characters: int
    parts: int
    dear: tuple[tuple[str, str | None], ...]


def measure(text: str) -> Measured:
    """The encoding, length and parts of a text message.

    >>> measure("Don't forget").parts, measure("Don’t forget").dear
    (1, (('’', "'"),))
    """
    dear = tuple(dict.fromkeys(letter for letter in text if letter not in _BASIC and letter not in _ESCAPED))
    encoding: Encoding = "UCS-2" if dear else "GSM-7"
    widths = [_width(letter, encoding) for letter in text]
    suggested = tuple((letter, _instead(letter)) for letter in dear)
    return Measured(encoding, sum(widths), _parts(widths, *_ROOM[encoding]), suggested)


def sms_cost(measured: Measured, people: int, price: float) -> float:
    """What it costs to send a text to so many people.

    Args:
        measured: the text.
        people: who get it.
        price: of one part.
    """
    return measured.parts * people * price


def _width(letter: str, encoding: Encoding) -> int:
    if encoding == "GSM-7":
        return 2 if letter in _ESCAPED else 1
    return 2 if ord(letter) > 0xFFFF else 1


def _parts(widths: Iterable[int], alone: int, of_several: int) -> int:
    widths = list(widths)
    if sum(widths) <= alone:
        return 1
    parts, taken = 1, 0
    for width in widths:
        if taken + width > of_several:
            parts, taken = parts + 1, 0
        taken += width
    return parts


def _instead(letter: str) -> str | None:
    """What stands for a character in GSM-7: a plain form of the sign, or the letter without its accent."""
    if letter in _INSTEAD:
        return _INSTEAD[letter]
    for form in ("NFD", "NFKD"):
        bare = "".join(
            part for part in unicodedata.normalize(form, letter) if not unicodedata.combining(part)
        )
        if bare and all(part in _BASIC for part in bare):
            return bare
    return "" if unicodedata.combining(letter) else None
