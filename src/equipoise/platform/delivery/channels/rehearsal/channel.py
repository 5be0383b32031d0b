"""Says of every message that it was sent, and sends none."""

from types import TracebackType
from typing import Self

from equipoise.platform.delivery.channels.contract import Outcome, Outgoing, Record
from equipoise.platform.workspace import Workspace

__all__ = ["Rehearsal", "opened"]


def opened(workspace: Workspace) -> "Rehearsal":
    """The channel; it needs no setting."""
    return Rehearsal()


class Rehearsal:
    """Writes each message as it would be read, so that what is wrong with one shows, and drops it."""

    name = "rehearsal"
    at_once = 100
    asks = False

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def send(self, message: Outgoing) -> Outcome:
        """Say that it was sent."""
        message.template.text(message.fields)
        return Outcome("sent")

    def look_up(self, reference: str) -> Record | None:
        """Nobody can be asked."""
        return None
