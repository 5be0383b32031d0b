"""Who may do what: roles, verbs by role, and the verb that each address asks for."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from equipoise.platform.permissions import MASKED_ROLES, PERMISSIONS, REVEALING, ROLES
from equipoise.platform.workspace import activate, create_workspace
from generation.markdown import escaped, table

__all__ = ["pages"]


_ROLES = """# Roles and what they may do

A role is held in the workspace, in a programme, in a study or, as a coordinator, for the people of one
partner of a study. Whether a study's state allows an act is another question: see
[the platform](../explanation/the-platform.md).

## Roles

"""
_VERBS = """
{} are masked: whoever holds one of them in a study is denied what would show them the arms, whatever other
role they hold, until the results are unmasked. Such verbs are marked *shows arms*.

## Verbs

"""
_ADDRESSES = """
## Addresses

Every page of the office and every address for programs, with the verb that it asks for. Where *partner* is
said, a coordinator is let in for the people of their partner.

"""


def pages() -> Iterator[tuple[str, str]]:
    """One page."""
    text = _ROLES + table(
        ("Role", "What for"), [(f"`{role}`", escaped(says)) for role, says in ROLES.items()]
    )
    text += _VERBS.format(" and ".join(f"`{role}`" for role in sorted(MASKED_ROLES)))
    rows = [
        (
            f"`{verb}`" + (" *shows arms*" if verb in REVEALING else ""),
            ", ".join(role for role in ROLES if role in roles),
        )
        for verb, roles in PERMISSIONS.items()
    ]
    text += table(("Verb", "Roles"), rows) + _ADDRESSES
    yield "permissions.md", text + table(("Address", "Verb", ""), list(_addresses()))


def _addresses() -> Iterator[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        activate(create_workspace(Path(folder) / "workspace", mode="rehearsal"))
        from django.urls import get_resolver

        from equipoise.platform.api.addresses import PREFIX, TABLE

        for route, name, view in _walk(get_resolver().url_patterns):
            asks = (
                view if hasattr(view, "verb") else TABLE.get(name) if f"/{route}".startswith(PREFIX) else None
            )
            if asks is not None:
                yield f"`/{route}`", f"`{asks.verb}`", "partner" if asks.by_partner else ""


def _walk(patterns: Any, above: str = "") -> Iterator[tuple[str, str, Any]]:
    for each in patterns:
        route = above + str(each.pattern)
        if hasattr(each, "url_patterns"):
            yield from _walk(each.url_patterns, route)
        else:
            yield route, each.name or "", each.callback
