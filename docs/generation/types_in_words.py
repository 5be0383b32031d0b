"""What may stand at a key, in words, from the type annotations of the models."""

import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from equipoise.record import Identifier, Name, Text

__all__ = ["default_in_words", "models_inside", "type_in_words", "types_of"]

_PLAIN = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: "day, as 2027-03-01",
    Any: "anything",
    object: "anything",
    type(None): "nothing",
}
_NAMED = ((Name, "name"), (Identifier, "identifier"), (Text, "text"))
_BOUNDS = ((Gt, "gt", "above"), (Ge, "ge", "at least"), (Lt, "lt", "below"), (Le, "le", "at most"))


def types_of(model: type[BaseModel]) -> dict[str, Any]:
    """The annotations of a model's fields as they are written, by field name."""
    return get_type_hints(model, include_extras=True)


def type_in_words(annotation: Any, prefix: str, info: FieldInfo | None = None) -> str:
    """A type as a person would say it.

    Args:
        annotation: the type, with its `Annotated` extras.
        prefix: what the anchors of this page's models begin with; a model becomes a link to its anchor.
        info: the field, for the bounds that are declared there.
    """
    words = _words(annotation, prefix)
    return words + _bounds(list(info.metadata)) if info is not None else words


def default_in_words(info: FieldInfo) -> str:
    """What holds where the key is left out."""
    if info.is_required():
        return "**required**"
    value = info.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its own defaults"
    if value is None or value == () or value == {}:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "`" + (", ".join(map(str, value)) if isinstance(value, tuple) else str(value)) + "`"


def models_inside(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation mentions, in order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_inside(part)]


def _words(annotation: Any, prefix: str) -> str:
    for known, words in _NAMED:
        if annotation == known:
            return words
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or is_dataclass(annotation)):
        return f"[{annotation.__name__}](#{prefix}-{annotation.__name__.lower()})"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(arguments[0], prefix) + _bounds(list(arguments[1:]))
    if origin is Literal:
        return (
            "one of " + ", ".join(f"`{value}`" for value in arguments)
            if len(arguments) > 1
            else f"`{arguments[0]}`"
        )
    if origin in (Union, types.UnionType):
        return " or ".join(_words(part, prefix) for part in arguments if part is not type(None))
    if origin is tuple:
        return _tuple_in_words(arguments, prefix)
    if origin is not None and issubclass(origin, Mapping):
        return f"for each {_words(arguments[0], prefix)}: {_words(arguments[1], prefix)}"
    raise TypeError(f"no words for {annotation!r}; say them in docs/generation/types_in_words.py")


def _tuple_in_words(arguments: tuple[Any, ...], prefix: str) -> str:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return f"list of {_words(arguments[0], prefix)}"
    return "[" + ", ".join(_words(part, prefix) for part in arguments) + "]"


def _bounds(metadata: list[Any]) -> str:
    said = [
        f"{words} {getattr(bound, name):g}"
        for kind, name, words in _BOUNDS
        for bound in _flat(metadata)
        if isinstance(bound, kind)
    ]
    return f" ({', '.join(said)})" if said else ""


def _flat(metadata: list[Any]) -> list[Any]:
    """A `Field(gt=0)` inside `Annotated` holds its bounds one level down."""
    return [
        bound for entry in metadata for bound in (entry.metadata if isinstance(entry, FieldInfo) else [entry])
    ]
