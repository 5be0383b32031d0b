"""What a person confirms before anything goes out: all that decides it, by one hash."""

import hashlib
import re
from pathlib import PurePosixPath
from typing import Any

from equipoise.protocol.canonical import canonical_bytes, plain
from equipoise.protocol.models.fieldwork import Contact
from equipoise.protocol.occasions import each_their_own, occasions
from equipoise.protocol.sends import Send, sends
from equipoise.protocol.study import Study

__all__ = ["send_digest", "templates_of"]


def send_digest(study: Study, name: str) -> str:
    """SHA-256 (hexadecimal) of all that decides what goes out, to whom and when.

    That is its definition, its templates in every language, what goes with them, the rules of sending and the
    moments that follow from them: whatever changes one of these changes the hash.

    Args:
        study: loaded and checked.
        name: of a send.
    Raises:
        ProtocolError: a time of it, or a rule of sending, cannot be read.
    """
    send = sends(study)[name]
    moments = occasions(study.protocol, send)
    said = {
        "definition": _definition(study, send),
        "texts": {path: plain(study.messages[path]) for path in templates_of(study, send)},
        "media": {path: found for path, found in study.media.items() if _may_go_with(send, path)},
        "sending": plain(study.protocol.sending),
        "zone": study.protocol.study.timezone,
        "times": [[each.number, each.due.isoformat(), each.last.isoformat()] for each in moments],
    }
    return hashlib.sha256(canonical_bytes(said)).hexdigest()


def templates_of(study: Study, send: Send) -> tuple[str, ...]:
    """The files of `messages/` that a send takes, those in other languages (`week-1.cy.md`) among them."""
    named = {send.template_of(number) for number in range(1, send.times + 1)}
    stems = {str(PurePosixPath(path).with_suffix("")) for path in named}
    return tuple(path for path in study.messages if path in named or path.partition(".")[0] in stems)


def _definition(study: Study, send: Send) -> dict[str, Any]:
    """Named one by one: what a later version adds to a send must not stop a study that is under way."""
    owner = study.protocol.waves[send.wave] if send.wave else study.protocol.contacts[send.name]
    return {
        "name": send.name,
        "channel": send.channel,
        "carrier": send.carrier,
        "template": send.template,
        "times": send.times,
        "stage": send.stage,
        "arms": sorted(send.arms),
        "where": send.where,
        "at_least_once": send.at_least_once,
        "asset": send.asset,
        "own": each_their_own(study.protocol, send),
        "from": owner.from_ if isinstance(owner, Contact) else owner.opens,
    }


def _may_go_with(send: Send, path: str) -> bool:
    """Whether a file of `media/` may be somebody's: all that begin as the asset does before its fields."""
    return send.asset is not None and path.startswith(re.split(r"[{.]", send.asset)[0])
