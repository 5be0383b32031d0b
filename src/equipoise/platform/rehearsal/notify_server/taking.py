"""Whether Notify would take a message, and as what it is kept."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from equipoise.platform.rehearsal.notify_server.fates import is_address, is_number
from equipoise.platform.rehearsal.notify_server.keeping import Kept
from equipoise.platform.rehearsal.notify_server.keys import Refused, new_id

__all__ = ["NEEDED", "message_of"]

LONGEST_TEXT = 918
# The fields of each template of the service.
NEEDED: dict[str, tuple[str, ...]] = {"email": ("subject", "body"), "sms": ("body",)}
_ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_WHERE = {"email": "email_address", "sms": "phone_number"}


def message_of(kind: str, sent: object, key: str, at: datetime) -> Kept:
    """The message that somebody would send, as it is kept.

    Args:
        kind: email or sms.
        sent: the body of the request.
        key: the kind of key by which it was asked.
        at: when.
    Raises:
        Refused: Notify would not take it.
    """
    if not isinstance(sent, Mapping):
        raise Refused(400, "BadRequestError", "Invalid JSON supplied in POST data")
    where = _WHERE[kind]
    to = sent.get(where)
    if to is None:
        raise Refused(400, "ValidationError", f"{where} is a required property")
    if not (is_address(to) if kind == "email" else is_number(to)):
        fault = "Not a valid email address" if kind == "email" else "Not a valid phone number"
        raise Refused(400, "ValidationError", f"{where} {fault}")
    if key == "team":
        message = "Can't send to this recipient using a team-only API key"
        raise Refused(400, "BadRequestError", message)
    return Kept(
        id=new_id(),
        kind="email" if kind == "email" else "sms",
        to=str(to),
        reference=sent.get("reference"),
        template=_template(sent.get("template_id")),
        personalisation=_personalisation(kind, sent.get("personalisation")),
        unsubscribe=sent.get("one_click_unsubscribe_url"),
        sender=sent.get("sms_sender_id"),
        key=key,
        status="created",
        created_at=at,
    )


def _template(given: object) -> str:
    if not isinstance(given, str) or not _ID.fullmatch(given):
        raise Refused(400, "ValidationError", "template_id is not a valid UUID")
    return given.lower()


def _personalisation(kind: str, given: Any) -> dict[str, str]:
    filled = dict(given) if isinstance(given, Mapping) else {}
    missing = [name for name in NEEDED[kind] if name not in filled]
    if missing:
        raise Refused(400, "BadRequestError", f"Missing personalisation: {', '.join(missing)}")
    if kind == "sms" and len(str(filled["body"])) > LONGEST_TEXT:
        message = f"Content for template has a character count greater than the limit of {LONGEST_TEXT}"
        raise Refused(400, "BadRequestError", message)
    return {name: str(value) for name, value in filled.items()}
