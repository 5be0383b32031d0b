"""The certificates in a time stamp put in the order that DER wants (X.690, section 11.6).

Several authorities, those that use OpenSSL among them, send the set of certificates in the order of the
chain, which a strict reader refuses. The signature does not cover the set, so its order may be mended.
"""

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["with_certificates_in_order"]

_SEQUENCE, _FIRST = 0x30, 0xA0  # tags: a sequence, and what is marked [0]


class _Part(NamedTuple):
    """A value in DER: its tag, where it begins, where its content begins, and where both end."""

    tag: int
    start: int
    content: int
    end: int


def with_certificates_in_order(response: bytes) -> bytes:
    """The same response with its certificates sorted; anything that is no response comes back as it is.

    Args:
        response: TimeStampResp of RFC 3161: a status, then a ContentInfo with the SignedData of RFC 5652.
    """
    try:
        answer = _only(response, 0, len(response))
        token = list(_parts(response, answer))[1]
        signed = _only(response, list(_parts(response, token))[1].content, token.end)
        held = next(part for part in _parts(response, signed) if part.tag == _FIRST)
        found = sorted(response[each.start : each.end] for each in _parts(response, held))
    except (IndexError, StopIteration, ValueError):
        return response
    return response[: held.content] + b"".join(found) + response[held.end :]


def _only(data: bytes, start: int, end: int) -> _Part:
    """The sequence that fills a place."""
    found = _part(data, start, end)
    if found.tag != _SEQUENCE or found.end != end:
        raise ValueError
    return found


def _parts(data: bytes, within: _Part) -> Iterator[_Part]:
    start = within.content
    while start < within.end:
        part = _part(data, start, within.end)
        yield part
        start = part.end


def _part(data: bytes, start: int, end: int) -> _Part:
    """The value that begins at a place; a ValueError where it does not fit."""
    length, content = data[start + 1], start + 2
    if length > 0x7F:
        octets = length & 0x7F
        length, content = int.from_bytes(data[content : content + octets], "big"), content + octets
    if content + length > end:
        raise ValueError
    return _Part(data[start], start, content, content + length)
