"""The links in messages: made for each message, and stored a batch at a time, as hashes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from equipoise.messages.fields import LINKS
from equipoise.platform.crypto import token, token_hash
from equipoise.platform.database import insert, writing
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.fieldwork.links import address
from equipoise.protocol.sends import Send

__all__ = ["LinksOfBatch", "link_places"]

_KEPT = {"token_hash": "text", "made_at": "timestamptz"}
_EXAMPLE = "x" * len(token())  # as long as a token, so that texts are measured rightly


def link_places() -> dict[str, str]:
    """What links begin with, by the name of their address; a token comes after it."""
    names = ("survey-link", "stop-link", "message-page", "unsubscribe")
    return {name: address(name, _EXAMPLE).removesuffix(_EXAMPLE) for name in names}


class LinksOfBatch:
    """The links of a batch of messages.

    Args:
        places: `link_places()`.
        moment: when they are made; without one they are examples that lead nowhere and are not stored.
    """

    def __init__(self, places: Mapping[str, str], moment: datetime | None) -> None:
        self.places, self.example = places, moment is None
        self.made_at = connection.ops.adapt_datetimefield_value(moment)
        self.personal: list[tuple[int, str, str, Any]] = []
        self.pages: list[tuple[int, str, Any]] = []

    def of(self, used: Sequence[str], send: Send, dispatch: Dispatch) -> dict[str, str]:
        """The links that a message uses, by field.

        `{link}` leads to the wave, to the page of the asset, or else to the participant's own choices.
        `{asset}` is there only where a message has one.

        Args:
            used: names of fields; others than links are passed over.
            send: what is sent.
            dispatch: to whom.
        """
        found: dict[str, str] = {}
        wanted = [name for name in LINKS if name in used]
        if send.asset is not None and ("link" in wanted or "asset" in wanted):
            found["link"] = found["asset"] = self.places["message-page"] + self._page(dispatch)
        elif send.wave is not None and "link" in wanted:
            found["link"] = self.places["survey-link"] + self._personal(dispatch, send.wave)
        if any(name in wanted and name not in found for name in ("link", "stop_link")):
            found["stop_link"] = self.places["stop-link"] + self._personal(dispatch, "")
            found.setdefault("link", found["stop_link"])
        return {name: found[name] for name in wanted if name in found}

    def unsubscribing(self, links: Mapping[str, str], dispatch: Dispatch) -> str:
        """The address of one-click unsubscribing: that of the stop link in the message, if it has one."""
        place = self.places["stop-link"]
        stop = (
            links["stop_link"].removeprefix(place) if "stop_link" in links else self._personal(dispatch, "")
        )
        return self.places["unsubscribe"] + stop

    def store(self) -> None:
        """Store what was made, as hashes, in one transaction."""
        if not self.personal and not self.pages:
            return
        with writing():
            insert("fieldwork_link", {"participant_id": "bigint", "wave": "text"} | _KEPT, self.personal)
            insert("delivery_messagelink", {"dispatch_id": "bigint"} | _KEPT, self.pages)

    def _personal(self, dispatch: Dispatch, wave: str) -> str:
        if self.example:
            return _EXAMPLE
        made = token()
        self.personal.append((dispatch.participant_id, wave, token_hash(made), self.made_at))
        return made

    def _page(self, dispatch: Dispatch) -> str:
        if self.example:
            return _EXAMPLE
        made = token()
        self.pages.append((dispatch.pk, token_hash(made), self.made_at))
        return made
