"""Looking at a message before it goes out: as one person gets it, and as a test to one's own address."""

from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.database import writing
from equipoise.platform.delivery.writing.composing import Preview, preview
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.registry.models import Study

__all__ = ["preview_as", "test_message"]


def preview_as(who: Acting, study: Study, name: str, occasion: int, participant: Participant) -> Preview:
    """A message as one participant would get it; the record says that somebody looked.

    Args:
        who: needs `messages.preview`, and `people.contact`, since their name may stand in it.
        study: theirs.
        name: of the send.
        occasion: from 1.
        participant: of the study.
    Raises:
        CheckFailedError: their contact details cannot be read.
    """
    check_permission(who, "messages.preview", study)
    check_permission(who, "people.contact", study, participant.partner_id)
    found = preview(study, name, occasion, participant, names=True)
    said = {"participant": participant.key, "contact": name, "occasion": occasion}
    with writing():
        record(study.name, who.actor, "messages.preview", said)
    return found


def test_message(who: Any, study: Study, name: str, occasion: int) -> None:
    """Mail a message to whoever asks, with example values, marked as a test. It is no dispatch.

    A text or a letter comes as mail as well: what it says can be read, how it arrives cannot be tried so.

    Args:
        who: a member of staff, whose own address it goes to; needs `messages.send`.
        study: in any state.
        name: of the send.
        occasion: from 1.
    Raises:
        InputError: nobody's own address is known, no mail server is named, or it does not take the message.
    """
    check_permission(who, "messages.send", study)
    own = getattr(who, "email", "")
    mail = settings.WORKSPACE.settings.mail
    if not own or mail is None:
        lacking = "no mail server is named; fill in mail in workspace.yaml" if own else "you have no address"
        raise InputError(Problem(study.name, "", f"the test was not sent: {lacking}"))
    found = preview(study, name, occasion, None)
    message = EmailMultiAlternatives(f"TEST: {found.subject or name}", f"TEST\n\n{found.text}", to=[own])
    if found.measured is None:
        message.attach_alternative(found.html, "text/html")
    try:
        message.send()
    except (OSError, SMTPException) as error:
        why = f"the mail server did not take it ({type(error).__name__})"
        raise InputError(Problem(study.name, "", f"the test was not sent: {why}; try again later")) from None
    said = {"contact": name, "occasion": occasion}
    with writing():
        record(study.name, who.actor, "messages.test", said)
