"""The server's records in the shapes of Notify's public interface."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from equipoise.platform.rehearsal.notify_server.keeping import Kept, KeptText

__all__ = ["answer", "listed", "listed_texts", "notification", "receipt", "received"]

Json = dict[str, object]


def answer(kept: Kept, base: str) -> Json:
    """What whoever sends a message is told."""
    content: Json = {"body": kept.body}
    if kept.kind == "email":
        content |= {"subject": kept.subject, "from_email": "rehearsal@notifications.example.org"}
        content["one_click_unsubscribe_url"] = kept.unsubscribe
    else:
        content["from_number"] = kept.sender or "REHEARSAL"
    return {
        "id": kept.id,
        "reference": kept.reference,
        "content": content,
        "template": _template(kept, base),
        "uri": f"{base}/v2/notifications/{kept.id}",
        "scheduled_for": None,
    }


def notification(kept: Kept, base: str) -> Json:
    """What whoever asks about a message is told."""
    return {
        "id": kept.id,
        "reference": kept.reference,
        "email_address": kept.to if kept.kind == "email" else None,
        "phone_number": kept.to if kept.kind == "sms" else None,
        "type": kept.kind,
        "status": kept.status,
        "template": _template(kept, base),
        "subject": kept.subject or None,
        "body": kept.body,
        "created_at": _time(kept.created_at),
        "sent_at": None if kept.status == "created" else _time(kept.created_at),
        "completed_at": _time(kept.completed_at),
        "created_by_name": None,
        "scheduled_for": None,
    }


def listed(page: Sequence[Kept], base: str, asked: Mapping[str, str]) -> Json:
    """A page of messages, with the way to the next."""
    return {
        "notifications": [notification(kept, base) for kept in page],
        "links": _links(f"{base}/v2/notifications", [kept.id for kept in page], asked),
    }


def listed_texts(page: Sequence[KeptText], base: str, service: str) -> Json:
    """A page of texts that came in, with the way to the next."""
    texts: list[Json] = [
        {
            "id": text.id,
            "user_number": text.number.lstrip("+"),
            "notify_number": "07700900999",
            "service_id": service,
            "content": text.words,
            "created_at": _time(text.created_at),
        }
        for text in page
    ]
    links = _links(f"{base}/v2/received-text-messages", [text.id for text in page], {})
    return {"received_text_messages": texts, "links": links}


def receipt(kept: Kept) -> Json:
    """What the platform is told when it is called about a message."""
    return {
        "id": kept.id,
        "reference": kept.reference,
        "to": kept.to,
        "status": kept.status,
        "created_at": _time(kept.created_at),
        "sent_at": _time(kept.created_at),
        "completed_at": _time(kept.completed_at),
        "notification_type": kept.kind,
        "template_id": kept.template,
        "template_version": 1,
    }


def received(text: KeptText) -> Json:
    """What the platform is told when it is called about a text that came in."""
    return {
        "id": text.id,
        "source_number": text.number.lstrip("+"),
        "destination_number": "07700900999",
        "message": text.words,
        "date_received": _time(text.created_at),
    }


def _template(kept: Kept, base: str) -> Json:
    return {"id": kept.template, "version": 1, "uri": f"{base}/v2/template/{kept.template}"}


def _links(path: str, ids: Sequence[str], asked: Mapping[str, str]) -> Json:
    links: Json = {"current": path}
    if ids:  # also where nothing follows: whoever asks on is given an empty page
        further = {**asked, "older_than": ids[-1]}
        links["next"] = f"{path}?" + "&".join(f"{name}={value}" for name, value in further.items())
    return links


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
