"""Everything that reaches the people of a rehearsal, by mail and by text, and their replies."""

import time

from equipoise.errors import CheckFailedError
from equipoise.platform.rehearsal.cast.people import address_of
from equipoise.platform.rehearsal.diary import Diary
from equipoise.platform.rehearsal.notify_server import NotifyServer
from equipoise.platform.rehearsal.servers.post import LINK, Message, Post

__all__ = ["Inbox"]

_SECONDS_TO_CALL_BACK = 60.0


class Inbox:
    """What has come, in the order in which it is read.

    Attributes:
        messages: everything so far.
    """

    def __init__(self, diary: Diary, post: Post, notify: NotifyServer) -> None:
        """Read from these two."""
        self.messages: list[Message] = []
        self.post, self.notify = post, notify
        self._diary, self._mails, self._texts = diary, 0, 0

    def fresh(self) -> list[Message]:
        """What has come since this was asked last; whoever sent it has been told what became of it."""
        self._wait()
        mails = self.post.messages[self._mails :]
        kept = self.notify.messages[self._texts :]
        self._mails, self._texts = self._mails + len(mails), self._texts + len(kept)
        texts = [
            Message(
                number=self._diary.number(),
                at=each.created_at,
                channel=each.kind,
                to=each.to,
                reference=each.reference or "",
                subject=each.subject,
                text=each.body,
                links=tuple(LINK.findall(each.body)),
                unsubscribe=each.unsubscribe or "",
            )
            for each in kept
        ]
        self.messages += [*mails, *texts]
        return [*mails, *texts]

    def add(self, messages: list[Message]) -> None:
        """What came by another way."""
        self.messages += messages

    def reply(self, number: str, words: str) -> None:
        """Somebody answers a text."""
        self.notify.text_in(f"+44{address_of(number)}", words)
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + _SECONDS_TO_CALL_BACK
        while not self.notify.quiet:
            if time.monotonic() > until:
                raise CheckFailedError("the platform does not answer when it is told what became of texts")
            time.sleep(0.01)
