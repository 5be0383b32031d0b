"""The one form in which a value is hashed: canonical JSON (RFC 8785)."""

from collections.abc import Mapping
from typing import Any

import rfc8785

__all__ = ["canonical"]

_LARGEST = 2**53 - 1


def canonical(value: Any) -> bytes:
    """A value of JSON, always as the same bytes.

    The canonical form has no whole numbers beyond 2^53, where doubles have gaps, and people type such
    numbers; they are hashed as their digits under a name of their own.

    >>> canonical({"b": 1.0, "a": 10**20})
    b'{"a":{"integer":"100000000000000000000"},"b":1}'
    """
    return bytes(rfc8785.dumps(_safe(value)))


def _safe(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _safe(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_safe(each) for each in value]
    if isinstance(value, int) and abs(value) > _LARGEST:
        return {"integer": str(value)}
    return value
