"""Links asked for again: noted at once, sent by the worker, so that nobody learns from the answer who is
known."""

from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from equipoise.errors import CheckFailedError
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.models import LinkRequest
from equipoise.platform.fieldwork.standing import standing
from equipoise.platform.pages.words import words_for
from equipoise.platform.people.models import Participant
from equipoise.platform.people.queries import contact_of, find_by_contact
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.staff.actions import System

__all__ = ["ask_for_link", "send_requested_links"]

_AGAIN_AFTER = timedelta(minutes=30)


def ask_for_link(study: Study, address: str) -> None:
    """Note that whoever has this address wants their link; at most once in half an hour for one person."""
    moment = now()
    with writing():
        for participant in find_by_contact(study, address):
            recent = LinkRequest.objects.filter(participant=participant, at__gt=moment - _AGAIN_AFTER)
            if participant.state == "enrolled" and not recent.exists():
                LinkRequest.objects.create(participant=participant, at=moment)


def send_requested_links() -> int:
    """Send what was asked for: a new link to each wave that is open for the person.

    Returns:
        How many messages went out. One that cannot be sent now is tried again in the next round for a day.
    """
    if settings.WORKSPACE.settings.mail is None:
        return 0
    waiting = LinkRequest.objects.filter(sent_at=None, at__gt=now() - timedelta(days=1))
    return sum(_send(request) for request in waiting.select_related("participant__study")[:200])


def _send(request: LinkRequest) -> bool:
    participant, study = request.participant, request.participant.study
    with writing():  # claimed first: two workers never send the same
        if not LinkRequest.objects.filter(pk=request.pk, sent_at=None).update(sent_at=now()):
            return False
    try:
        message = _message(participant, study)
        if message is not None:
            message.send()
    except (OSError, CheckFailedError):
        with writing():
            LinkRequest.objects.filter(pk=request.pk).update(sent_at=None)
        return False
    return message is not None


def _message(participant: Participant, study: Study) -> EmailMessage | None:
    protocol = folder_of(study).protocol
    waves = [wave for wave in protocol.waves if standing(participant, study, wave, None).name == "open"]
    columns = protocol.participants.roster if protocol.participants else {}
    address = next(
        (contact_of(participant).get(name) for name, column in columns.items() if column.type == "email"),
        None,
    )
    if not waves or not address:
        return None
    links = [make_links(System(), study, wave, [participant])[0].link for wave in waves]
    words = words_for(protocol.study.language)["survey"]
    origin = settings.WORKSPACE.settings.origin.rstrip("/")
    notice = origin + reverse("privacy-notice", args=[study.name])
    title = " ".join(study.title.split())  # a subject is one line, however the protocol writes its title
    text = words["again_mail"].format(study=title, links="\n".join(links), notice=notice)
    return EmailMessage(words["again_subject"].format(study=title), text, to=[address])
