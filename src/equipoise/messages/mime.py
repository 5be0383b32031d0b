"""A mail as bytes: its structure made once, its values put in for each person.

Both parts are quoted-printable, in which no line is long, no dot stands alone on a line, and every `=` is
written `=3D`; so the boundary, which has a bare `=`, cannot occur in them, whatever a field holds. RFC 2045
section 6.7, RFC 2046 section 5.1.
"""

import binascii
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from equipoise.errors import InputError, Problem

__all__ = ["Structure", "ascii_address", "has_breaks"]

# What ends a line in some program or other, and all other controls: none belongs into a header.
_BREAKS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,255}")
_REFERENCE = re.compile(r"[A-Za-z0-9._-]+")
_ADDRESS = re.compile(r"[!-;=?-~]+")  # of the web: visible ASCII without < and >
_BOUNDARY = "=_equipoise"
_PLAIN_SUBJECT = 68  # with `Subject: ` before it, a line has at most 78
_WORD_BYTES = 42  # of UTF-8 in an encoded word, which has at most 75 characters: RFC 2047 section 2
_HEADERS = """\
From: {sender}
To: {to}
Subject: {subject}
Date: {date}
Message-ID: <{reference}@{domain}>
MIME-Version: 1.0
Auto-Submitted: auto-generated
Content-Language: {language}
"""
_UNSUBSCRIBE = """\
List-Unsubscribe: <{unsubscribe}>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
"""
_PART = """\
--{boundary}
Content-Type: text/{kind}; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

"""


@dataclass(frozen=True)
class Structure:
    """What is the same in every mail of a message."""

    language: str

    def fill(
        self,
        *,
        subject: str,
        text: str,
        html: str,
        sender: str,
        to: str,
        reference: str,
        unsubscribe: str,
        date: datetime,
    ) -> bytes:
        """The mail as bytes, its lines ended by CRLF; each part ends with the end of a line.

        Raises:
            InputError: what is to stand in a header cannot.
        """
        named, domain = _sender(sender)
        if not _REFERENCE.fullmatch(reference):
            raise InputError(Problem("", "reference", "may hold letters, digits, and the signs . _ -"))
        headers = _HEADERS.format(
            sender=named,
            to=ascii_address(to),
            subject=_subject(subject),
            date=format_datetime(date),
            reference=reference,
            domain=domain,
            language=self.language,
        )
        if unsubscribe:
            if not _ADDRESS.fullmatch(unsubscribe):
                raise InputError(Problem("", "unsubscribe", "is not an address that a header can hold"))
            headers += _UNSUBSCRIBE.format(unsubscribe=unsubscribe)
        return b"".join((_lines(headers), _OPENING, _PLAIN, _quoted(text), _RICH, _quoted(html), _CLOSING))


def has_breaks(text: str) -> bool:
    """Whether a text holds what ends a line somewhere, or another control character."""
    return _BREAKS.search(text) is not None


@lru_cache(maxsize=4096)
def ascii_address(address: str) -> str:
    """An e-mail address as servers take it, its domain in ASCII.

    Raises:
        InputError: its local part holds something that cannot be carried.
    """
    local, _, domain = address.rpartition("@")
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        domain = ""
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        message = "is not an e-mail address that can be written to; look at the roster"
        raise InputError(Problem("", "address", message))
    return f"{local}@{domain}"


@lru_cache(maxsize=64)
def _sender(sender: str) -> tuple[str, str]:
    """The header `From` without its name, folded, and the domain of the address."""
    header = SMTP.header_factory("From", "" if has_breaks(sender) else sender)
    if len(header.addresses) != 1 or not header.addresses[0].domain:
        message = 'is not a sender; write it like "Study team <study@example.org>"'
        raise InputError(Problem("", "sender", message))
    found = header.addresses[0]
    address = ascii_address(found.addr_spec)
    named = SMTP.header_factory("From", Address(found.display_name, addr_spec=address))
    folded = named.fold(policy=SMTP).removeprefix("From:").strip().replace("\r\n", "\n")
    return folded, address.rpartition("@")[2]


def _subject(line: str) -> str:
    """The subject as it is where it is short ASCII, otherwise in encoded words."""
    if len(line) <= _PLAIN_SUBJECT and line.isascii() and "=?" not in line:
        return line
    return "\n ".join(f"=?utf-8?b?{b64encode(part).decode('ascii')}?=" for part in _words(line))


def _words(line: str) -> Iterator[bytes]:
    """A line in pieces of whole characters."""
    piece = b""
    for letter in line:
        more = letter.encode()
        if len(piece) + len(more) > _WORD_BYTES:
            yield piece
            piece = b""
        piece += more
    yield piece


def _quoted(text: str) -> bytes:
    """Quoted-printable. The end of line at its end is needed: it tells the encoder how lines end.

    The encoder sees to dots that stand alone, but not to those that do because it broke the line.
    """
    raw = (text + "\n").encode("utf-8", "replace").replace(b"\n", b"\r\n")
    return binascii.b2a_qp(raw, istext=True).replace(b"\r\n.\r\n", b"\r\n=2E\r\n")


def _lines(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("ascii")


_OPENING = _lines(f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"\n\n')
_PLAIN = _lines(_PART.format(boundary=_BOUNDARY, kind="plain"))
_RICH = _lines("\n" + _PART.format(boundary=_BOUNDARY, kind="html"))
_CLOSING = _lines(f"\n--{_BOUNDARY}--\n")
