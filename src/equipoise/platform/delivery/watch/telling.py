"""Alarms in words, and the second way by which somebody hears of them: the log, and another mail server."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.urls import reverse

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import Alarm
from equipoise.platform.pages.filters import moment
from equipoise.platform.workspace import Mail

__all__ = ["alarm_text", "tell"]

_log = logging.getLogger("equipoise.delivery")
_SECONDS = 20


def alarm_text(alarm: Alarm, zone: str = "UTC") -> str:
    """What an alarm says, in a sentence; numbers alone."""
    numbers = alarm.numbers
    if alarm.kind == "behind":
        return "; ".join(_behind(numbers, zone))
    if alarm.kind == "carrier":
        until = moment(datetime.fromisoformat(numbers["until"]), zone)
        return f"Nothing goes out by {numbers['carrier']} until {until}: {numbers['reason']}"
    if alarm.kind == "bounces":
        return f"{numbers['number']} of the last {numbers['of']} messages came back"
    number = numbers["number"]
    waits = "1 message" if number == 1 else f"{number:,} messages"
    return f"{waits} may have gone out or not, and somebody has to say which"


def tell(alarms: Iterable[Alarm]) -> None:
    """Tell of alarms, and note that it was done; where the mail does not go out, it is tried again later."""
    fresh = list(alarms)
    for alarm in fresh:
        of = alarm.study.name if alarm.study is not None else "all studies"
        _log.warning("alarm %s of %s: %s", alarm.kind, of, alarm_text(alarm))
    if not fresh or not _mailed(fresh):
        return
    with writing():
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in fresh]).update(told_at=now())


def _mailed(alarms: Sequence[Alarm]) -> bool:
    watching = settings.WORKSPACE.settings.watching
    if watching.mail is None or not watching.tell:
        return True  # the log and the health page are all that was asked for
    name = settings.WORKSPACE.settings.name
    message = EmailMessage(
        f"{name}: messages part from the plan",
        "\n\n".join(_paragraph(alarm) for alarm in alarms) + "\n",
        f"{watching.mail.name or name} <{watching.mail.sender}>",
        list(watching.tell),
        headers={"Auto-Submitted": "auto-generated"},
        connection=_server(watching.mail),
    )
    try:
        message.send()
    except (OSError, SMTPException) as error:
        _log.warning("the alarm could not be mailed (%s); it is tried again", type(error).__name__)
        return False
    return True


def _server(mail: Mail) -> EmailBackend:
    """Another server than that of the messages: what keeps them back must not keep this back."""
    return EmailBackend(
        host=mail.host,
        port=mail.port,
        username=os.environ.get("EQUIPOISE_ALARM_USER", ""),
        password=os.environ.get("EQUIPOISE_ALARM_PASSWORD", ""),
        use_tls=mail.security == "starttls",
        use_ssl=mail.security == "tls",
        timeout=_SECONDS,
    )


def _paragraph(alarm: Alarm) -> str:
    said = f"{_of(alarm)}: {alarm_text(alarm)}."
    if alarm.study is None:
        return said
    return f"{said}\n{settings.WORKSPACE.settings.origin}{reverse('messages', args=[alarm.study.name])}"


def _of(alarm: Alarm) -> str:
    return alarm.study.title if alarm.study is not None else "All studies"


def _behind(numbers: Mapping[str, Any], zone: str) -> Iterator[str]:
    late, missed = numbers.get("late", 0), numbers.get("missed", 0)
    if late:
        oldest = numbers.get("oldest")
        since = f", the oldest since {moment(datetime.fromisoformat(oldest), zone)}" if oldest else ""
        yield f"{_messages(late)} due and not sent{since}"
    if missed:
        yield f"{_messages(missed)} missed, in the last day"


def _messages(number: int) -> str:
    return "1 message is" if number == 1 else f"{number:,} messages are"
