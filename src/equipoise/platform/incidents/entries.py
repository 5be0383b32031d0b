"""What the study's record says of a statement: what was chosen and when, never what was written."""

from typing import Any

from equipoise.platform.incidents.models import Statement

__all__ = ["DAYS", "LISTED", "STATED", "said_of"]

STATED = ("incidents.record", "incidents.correct", "incidents.close", "incidents.reopen")
LISTED = ("kind", "way", "serious", "expected", "related", "outcome")
DAYS = ("happened_on", "learnt_on")


def said_of(statement: Statement) -> dict[str, Any]:
    """The statement in the record, but for the digests of what was written and of who was named.

    Args:
        statement: with its incident.
    """
    chosen = {name: getattr(statement, name) for name in (*LISTED, "closed")}
    days = {name: getattr(statement, name).isoformat() for name in DAYS}
    return {"incident": statement.incident.code, "statement": statement.number, **chosen, **days}
