"""The keys that a workspace needs: which of them anything is wrapped by, and whether they open it."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Value
from django.db.models.functions import StrIndex, Substr

from equipoise.errors import CheckFailedError, InputError
from equipoise.platform.people.contacts import opened_contact
from equipoise.platform.people.models import ContactDetails
from equipoise.platform.registry.models import Stage
from equipoise.platform.workspace import KEY_FILES

__all__ = ["key_faults", "keys_in_use", "keys_needed"]

_WRAPPED = "data_key"  # the column that every table calls so which keeps a wrapped key


def keys_needed() -> list[str]:
    """The keys without which the workspace cannot go on: those in use, and those for what comes."""
    newest = list(settings.WORKSPACE.contact_keys())[-1:]
    return sorted({*KEY_FILES[:2], *(newest or KEY_FILES[2:]), *keys_in_use()})


def keys_in_use() -> list[str]:
    """The names of the keys by which anything is wrapped, in any table."""
    kept = [(Stage.objects.exclude(secret=""), "secret")]
    kept += [
        (model.objects.all(), _WRAPPED)
        for model in apps.get_models()
        if any(field.name == _WRAPPED for field in model._meta.fields)
    ]
    return sorted({name for rows, column in kept for name in _names(rows, column)})


def key_faults() -> Iterator[tuple[str, str]]:
    """Each key that is needed and does not do, and why.

    Every key in use is tried on one person's contact details: a key of the right form can be the wrong one.
    """
    for name in keys_needed():
        try:
            settings.WORKSPACE.key(name)
        except InputError as error:
            yield name, error.problems[0].message
            continue
        row = (
            ContactDetails.objects.filter(data_key__startswith=f"{name}:")
            .select_related("participant")
            .first()
        )
        if row is not None:
            try:
                opened_contact(row, row.participant.key, {name: settings.WORKSPACE.key(name)})
            except CheckFailedError:
                yield name, "is not the key that contact details were wrapped by; put the right one back"


def _names(rows: Any, column: str) -> Iterator[str]:
    name = Substr(column, 1, StrIndex(column, Value(":")) - 1)
    yield from rows.order_by().annotate(wrapped_by=name).values_list("wrapped_by", flat=True).distinct()
