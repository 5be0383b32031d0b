"""What every channel keeps to; `tests/platform/delivery/channels/test_contract.py` holds each to it.

A channel is opened for a batch, is given one message after the other, and says of each what became of it. It
never reads or writes the database, never logs an address, and never raises for what a provider does: that is
an outcome. It gives up a whole request, and not only a read, once its deadline has passed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

from equipoise.messages import Compiled

__all__ = ["Channel", "Outcome", "Outgoing", "Record"]

Kind = Literal["sent", "later", "refused", "unknown"]


@dataclass(frozen=True)
class Outgoing:
    """One message, about to go out.

    Attributes:
        reference: of the dispatch; the same at every attempt.
        to: the address or number.
        template: the compiled message of its language.
        fields: the value of every field that it uses, all of them text.
        unsubscribe: the address of one-click unsubscribing (RFC 8058); empty where there is none.
    """

    reference: str
    to: str
    template: Compiled
    fields: Mapping[str, str]
    unsubscribe: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt.

    Attributes:
        kind: `sent`: the provider took it. `later`: it certainly did not, and may at another time.
            `refused`: it did not and will not. `unknown`: it may have.
        code: why, in a word of ours or the provider's number; never a text that could hold an address.
        provider_id: the provider's name for the message, where it gives one.
        burnt: whether the attempt counts; false where the provider only said to wait.
        pause_seconds: how long the whole carrier is to be left in peace; 0 for not at all.
        closes_address: the address itself is refused for good.
    """

    kind: Kind
    code: str = ""
    provider_id: str = ""
    burnt: bool = True
    pause_seconds: float = 0.0
    closes_address: bool = False


@dataclass(frozen=True)
class Record:
    """What a provider knows of a message when it is asked: its own id, and sent, delivered or failed."""

    provider_id: str
    status: Literal["sent", "delivered", "failed"]
    code: str = ""
    closes_address: bool = False


class Channel(Protocol):
    """A way by which messages leave."""

    name: str
    at_once: int  # messages a batch
    asks: bool  # whether `look_up` can tell what became of a message

    def __enter__(self) -> Self:
        """Ready for a batch; opens no connection before the first message."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Done with the batch."""

    def send(self, message: Outgoing) -> Outcome:
        """Hand one message to the provider."""

    def look_up(self, reference: str) -> Record | None:
        """What the provider knows of a message; None where it knows none, which proves nothing at once.

        Raises:
            ConnectionError: it could not be asked now.
        """
