"""The channel: messages handed to Notify one after the other, and Notify asked about them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from equipoise.errors import InputError
from equipoise.platform.clock import now
from equipoise.platform.delivery.channels.contract import Outcome, Outgoing, Record
from equipoise.platform.delivery.channels.notify.client import (
    ANSWER_SECONDS,
    Answer,
    Client,
    NoAnswer,
    NotReached,
)
from equipoise.platform.delivery.channels.notify.outcomes import outcome_of
from equipoise.platform.delivery.channels.notify.setup import api_key, problems
from equipoise.platform.delivery.channels.notify.statuses import Told, record_of
from equipoise.platform.workspace import Notify, Workspace

__all__ = ["NotifyChannel", "TextIn", "opened"]

_FAULTS = (Answer, NoAnswer, NotReached)
_NOT_FOUND = 404
_UNREADABLE = "an answer that cannot be read"
_INERT = str.maketrans("[]", "()")


class TextIn:
    """A text that somebody sent us; it is not printed, since it says who and what."""

    def __init__(self, provider_id: str, number: str, words: str) -> None:
        self.provider_id, self.number, self.words = provider_id, number, words


class NotifyChannel:
    """Hands messages to Notify.

    Args:
        named: the workspace's settings for it.
        key: the API key.
        answer_seconds: how long a whole answer may take.
        clock: tells when the day of Notify's daily limit is over.
    """

    name = "notify"
    at_once = 50
    asks = True

    def __init__(
        self,
        named: Notify,
        key: str,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._named, self._clock = named, clock
        # The library gives the types of few of its functions.
        self._client: Any = Client(key, named.address, answer_seconds=answer_seconds)

    def __enter__(self) -> Self:
        """Ready for a batch."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self._client.close()

    def send(self, message: Outgoing) -> Outcome:
        """Hand one message to Notify."""
        try:
            answer = self._send_email(message) if "@" in message.to else self._send_text(message)
        except _FAULTS as error:
            return outcome_of(error, message.reference, self._clock)
        number = answer.get("id")
        if not isinstance(number, str) or not number:
            return Outcome("unknown", "bad-answer")
        return Outcome("sent", provider_id=number)

    def look_up(self, reference: str) -> Record | None:
        """What Notify knows of a message; None where it knows none, which proves nothing at once.

        Raises:
            ConnectionError: Notify could not be asked now.
        """
        told = self.told_of(reference)
        return None if told is None else record_of(told)

    def told_of(self, reference: str) -> Told | None:
        """As `look_up`, in Notify's own words.

        Raises:
            ConnectionError: Notify could not be asked now.
        """
        page = self._asked(self._client.get_all_notifications, reference=reference)
        found = [told for told in map(_told, _listed(page, "notifications")) if told.reference == reference]
        # Posted twice, it is there twice: that one went out settles it.
        return min(found, key=lambda told: record_of(told).status == "failed", default=None)

    def state_of(self, provider_id: str) -> Told | None:
        """What became of a message so far; None where Notify does not keep it any more.

        Raises:
            ConnectionError: Notify could not be asked now.
        """
        try:
            return _told(self._client.get_notification_by_id(provider_id))
        except Answer as answer:
            if answer.status == _NOT_FOUND:
                return None
            raise ConnectionError(f"status {answer.status}") from None
        except (NoAnswer, NotReached) as error:
            raise ConnectionError(str(error)) from None

    def texts_in(self) -> Iterator[TextIn]:
        """The texts that came in, newest first, page by page, for as long as Notify keeps them.

        Raises:
            ConnectionError: Notify could not be asked now.
        """
        oldest: str | None = None
        while True:
            page = self._asked(self._client.get_received_texts, older_than=oldest)
            texts = [_text(each) for each in _listed(page, "received_text_messages")]
            if not texts:
                return
            yield from texts
            oldest = texts[-1].provider_id

    def templates(self) -> dict[str, str]:
        """The templates of the service: for each id, whether it is for email or sms.

        Raises:
            NotReached, NoAnswer, Answer: Notify is not there, or does not take the key.
        """
        found = _listed(self._client.get_all_templates(), "templates")
        return {str(each.get("id")): str(each.get("type")) for each in found}

    def _send_email(self, message: Outgoing) -> dict[str, Any]:
        # Notify reads what stands for a field as its Markdown: what a roster says is to make no link there.
        fields = {name: value.translate(_INERT) for name, value in message.fields.items()}
        subject, body = message.template.subject_line(message.fields), message.template.text(fields)
        secure = message.unsubscribe.startswith("https://")  # Notify takes no other
        return self._client.send_email_notification(
            message.to,
            self._named.email_template,
            personalisation={"subject": subject, "body": body},
            reference=message.reference,
            one_click_unsubscribe_url=message.unsubscribe if secure else None,
        )

    def _send_text(self, message: Outgoing) -> dict[str, Any]:
        return self._client.send_sms_notification(
            message.to,
            self._named.sms_template,
            personalisation={"body": message.template.text(message.fields)},
            reference=message.reference,
            sms_sender_id=self._named.sms_sender,
        )

    def _asked(self, ask: Callable[..., dict[str, Any]], **about: Any) -> dict[str, Any]:
        try:
            return ask(**about)
        except _FAULTS as error:
            raise ConnectionError(str(error)) from None


def opened(workspace: Workspace) -> NotifyChannel:
    """The channel of a workspace.

    Raises:
        InputError: Notify is not set up as it has to be, such as with a test key in a live workspace.
    """
    named = workspace.settings.notify
    faults = problems(workspace)
    if faults or named is None:
        raise InputError(faults)
    return NotifyChannel(named, api_key(named))


def _listed(page: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = page.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ConnectionError(_UNREADABLE)
    return found


def _told(said: dict[str, Any]) -> Told:
    try:
        moment = said.get("completed_at") or said.get("sent_at") or said["created_at"]
        at = datetime.fromisoformat(moment)
        return Told(
            provider_id=str(said["id"]),
            reference=str(said.get("reference") or ""),
            status=str(said["status"]),
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
        )
    except (KeyError, TypeError, ValueError):
        raise ConnectionError(_UNREADABLE) from None


def _text(said: dict[str, Any]) -> TextIn:
    try:
        return TextIn(str(said["id"]), str(said["user_number"]), str(said["content"]))
    except KeyError:
        raise ConnectionError(_UNREADABLE) from None
