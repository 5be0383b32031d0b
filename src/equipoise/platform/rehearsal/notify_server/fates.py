"""What becomes of a message, which its address decides: Notify's own addresses for trying things out."""

import re

__all__ = ["fate", "is_address", "is_number", "leaves_no_trace"]

# By the last digits of a number, or what stands before @simulator.notify.
_BY_NUMBER = {
    "7700900001": "delivered",
    "7700900002": "permanent-failure",
    "7700900003": "temporary-failure",
}
_BY_NAME = {
    "delivered": "delivered",
    "perm-fail": "permanent-failure",
    "temp-fail": "temporary-failure",
}
_NO_TRACE_NAMES = re.compile(r"simulate-delivered(-2|-3)?@notifications\.service\.gov\.uk")
_NO_TRACE_NUMBERS = ("7700900000", "7700900111", "7700900222")
_DIGITS = 10
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_NUMBER = re.compile(r"\+?\d{10,15}")


def fate(to: str) -> str:
    """The status in which a message to this address ends."""
    name, _, domain = to.partition("@")
    if domain == "simulator.notify":
        return _BY_NAME.get(name, "delivered")
    return _BY_NUMBER.get(_plain(to)[-_DIGITS:], "delivered")


def leaves_no_trace(to: str) -> bool:
    """Whether it is an address for smoke tests: taken, answered, and forgotten at once."""
    return bool(_NO_TRACE_NAMES.fullmatch(to)) or _plain(to)[-_DIGITS:] in _NO_TRACE_NUMBERS


def is_address(text: object) -> bool:
    """Whether this could be an e-mail address."""
    return isinstance(text, str) and (
        _ADDRESS.fullmatch(text) is not None or text.endswith("@simulator.notify")
    )


def is_number(text: object) -> bool:
    """Whether this could be a telephone number."""
    return isinstance(text, str) and _NUMBER.fullmatch(_plain(text)) is not None


def _plain(number: str) -> str:
    return re.sub(r"[\s()-]", "", number)
