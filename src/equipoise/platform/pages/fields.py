"""The ids of the fields of a question's form, and what was typed into them."""

from collections.abc import Mapping, Sequence

from equipoise.protocol.asked import Asked
from equipoise.protocol.replies import DATE_FIELDS, field_names

__all__ = ["Form", "Typed", "id_of", "target_of", "typed_into"]

# What a form sent: a field's name and its values.
Form = Mapping[str, Sequence[str]]
# The same for one question, in the order of its fields, without what was left empty.
Typed = tuple[tuple[str, tuple[str, ...]], ...]


def id_of(name: str) -> str:
    """The id that the first field of a question has by the question's key, and every other by its own name.

    >>> id_of("swemwbs.optimistic")
    'swemwbs-optimistic'
    """
    return name.replace(".", "-")


def target_of(asked: Asked, field: str) -> str:
    """The id to which an error summary links for a problem of one field.

    The first field of a question has the id of the question's key, so that a problem of the whole question
    leads to where answering begins.
    """
    first = f"{asked.key}{DATE_FIELDS[0]}" if asked.kind == "date" else asked.key
    if asked.kind in ("ranking", "allocation") and asked.choices:
        first = f"{asked.key}.{asked.choices[0].code}"
    return id_of(asked.key if field == first else field)


def typed_into(asked: Asked, form: Form | None) -> Typed:
    """What was typed into the fields of one question; `()` when that is nothing."""
    if not form:
        return ()
    found = ((name, tuple(value for value in form.get(name, ()) if value)) for name in field_names(asked))
    return tuple((name, values) for name, values in found if values)
