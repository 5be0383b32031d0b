"""What messages add to the record of a participant: what was sent, what became of it, what was watched."""

from collections.abc import Iterator
from datetime import datetime

from equipoise.platform.delivery.models import ClosedAddress, Dispatch
from equipoise.platform.people.models import Participant
from equipoise.platform.people.records import RecordSection, adds_sections
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, roster_columns

__all__ = ["messages_of"]

_STATES = {
    "planned": "To be sent again",
    "claimed": "To be sent again",
    "sending": "Being sent",
    "sent": "Sent",
    "delivered": "Delivered",
    "failed": "Could not be delivered",
    "unknown": "Not known whether it arrived",
    "cancelled": "Not sent again",
    "missed": "Not sent in time",
}
_CHANNELS = {"email": "e-mail", "sms": "text message", "letter": "letter"}
_LATER = "Whether it was sent to you is told when the study has ended"
_WAVES = {"invite": "Invitation", "remind": "Reminder", "thank": "Thanks"}


@adds_sections
def messages_of(participant: Participant) -> Iterator[RecordSection]:
    """Every message that went out; those that tell the arm only once the results are unmasked, as the arm."""
    study = participant.study
    hidden = _telling(study) if study.results != "unmasked" else set()
    rows = Dispatch.objects.filter(participant=participant, sent_at__isnull=False).exclude(contact__in=hidden)
    rows = rows.select_related("watch").prefetch_related("links").order_by("sent_at", "pk")
    said = [line for row in rows for line in _said(study, row)]
    titles = folder_of(study).protocol.contacts
    kept = participant.state != "erased" and Dispatch.objects.filter(study=study).exists()
    later = [(titles[name].label or name, _LATER) for name in titles if kept and name in hidden]
    yield RecordSection("Messages", (*said, *later))
    yield RecordSection("Addresses that nothing is sent to", tuple(_closed(participant)))


def _telling(study: Study) -> set[str]:
    """The contacts that not everybody gets: that one was sent, or was not, tells the arm."""
    contacts = folder_of(study).protocol.contacts.items()
    return {name for name, contact in contacts if contact.to.arm or contact.to.where is not None}


def _said(study: Study, row: Dispatch) -> Iterator[tuple[str, object]]:
    title = _title(study, row)
    reason = f" ({row.reason})" if row.reason else ""
    said = f"{_STATES[row.state]}{reason}, {_CHANNELS[row.channel]}"
    yield title, f"{said}, {_minute(row.sent_at)}" if row.sent_at else said
    links = list(row.links.all())
    for label, moments in (
        ("page opened", [link.opened_at for link in links]),
        ("video started", [link.started_at for link in links]),
    ):
        met = [moment for moment in moments if moment is not None]
        if met:
            yield f"{title}: {label}", min(met)
    if hasattr(row, "watch"):
        yield f"{title}: seconds of the video played", round(row.watch.seconds, 1)


def _title(study: Study, row: Dispatch) -> str:
    protocol = folder_of(study).protocol
    if row.contact in protocol.contacts:
        contact = protocol.contacts[row.contact]
        number = f", {row.occasion} of {contact.times}" if contact.times > 1 else ""
        return f"{contact.label or row.contact}{number}"
    wave, _, kind = row.contact.partition(".")
    label = protocol.waves[wave].label if wave in protocol.waves else None
    number = f" {row.occasion}" if kind == "remind" else ""
    return f"{_WAVES.get(kind, kind)}{number}: {label or wave}"


def _closed(participant: Participant) -> Iterator[tuple[str, object]]:
    columns = roster_columns(participant.study)
    for row in ClosedAddress.objects.filter(participant=participant).order_by("at"):
        label = columns[row.column].label if row.column in columns else None
        yield label or row.column, f"{row.reason}, {_minute(row.at)}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
