"""What differs between two spelled-out protocols, in words that a reader of the protocol uses."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["differences"]

_MISSING = object()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that is new, gone or changed.

    Args:
        before, after: spelled-out protocols as plain data.
    Returns:
        Sentences such as `outcomes, wellbeing, margin: was 0.78, now 1`, in the order of the protocol.
    """
    return list(_compare((), before, after))


def _compare(path: tuple[str, ...], before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _compare((*path, str(key)), before.get(key, _MISSING), after.get(key, _MISSING))
    elif _listed_records(before) and _listed_records(after):
        for place in range(max(len(before), len(after))):
            yield from _compare(
                (*path, f"number {place + 1}"),
                before[place] if place < len(before) else _MISSING,
                after[place] if place < len(after) else _MISSING,
            )
    elif before is _MISSING:
        yield f"{_path(path)}: new, {_value(after)}"
    elif after is _MISSING:
        yield f"{_path(path)}: taken out (was {_value(before)})"
    elif before != after:
        yield f"{_path(path)}: was {_value(before)}, now {_value(after)}"


def _listed_records(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(entry, Mapping) for entry in value)
    )


def _path(path: tuple[str, ...]) -> str:
    return ", ".join(path)


def _value(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(entry) for entry in value) if value else "none"
    if isinstance(value, Mapping):
        given = {key: entry for key, entry in value.items() if entry not in (None, [], {}, ())}
        return "; ".join(f"{key} {_value(entry)}" for key, entry in given.items()) or "with nothing set"
    return f'"{value}"' if " " in str(value) else str(value)
