"""Whether Notify is set up as it has to be, asked before anything is sent."""

import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from equipoise.errors import Problem
from equipoise.platform.workspace import Notify, Workspace

__all__ = ["api_key", "problems", "reaches_people"]

_PLACE = "workspace.yaml"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_KEY = re.compile(rf".+-{_UUID}-{_UUID}")


def problems(workspace: Workspace) -> list[Problem]:
    """Everything that keeps Notify from carrying messages of this workspace; it is not asked.

    Args:
        workspace: opened.
    """
    named = workspace.settings.notify
    if named is None:
        message = "messages are carried by notify, which is not set up; say its key and templates"
        return [Problem(_PLACE, "notify", message)]
    return [*_of_address(named, workspace.live), *_of_key(named, workspace.live), *_of_templates(workspace)]


def reaches_people(workspace: Workspace) -> bool:
    """Whether a rehearsal would write to real addresses; nothing is launched there then."""
    named, carriers = workspace.settings.notify, workspace.settings.carriers
    carries = "notify" in (carriers.email, carriers.sms)
    return not workspace.live and carries and named is not None and named.key == "live"


def api_key(named: Notify) -> str:
    """The API key from the environment; empty where there is none."""
    return os.environ.get(named.key_from, "").strip()


def _of_address(named: Notify, live: bool) -> Iterator[Problem]:
    """A rehearsal may speak to this machine without TLS; nothing else may be spoken to so."""
    parts = urlsplit(named.address)
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK and not live
    hidden = parts.username or parts.password or parts.query or parts.fragment
    if hidden or not parts.hostname or not (parts.scheme == "https" or plain):
        message = (
            "has to be an https address without a name, a question mark or a hash in it; a rehearsal may"
        )
        yield Problem(_PLACE, "notify.address", f"{message} also name http on this machine")


def _of_key(named: Notify, live: bool) -> Iterator[Problem]:
    key = api_key(named)
    if not key:
        message = f"{named.key_from} is not set in the environment; it holds the API key of Notify"
        yield Problem(_PLACE, "notify.key-from", message)
    elif not _KEY.fullmatch(key):
        message = (
            f"{named.key_from} does not hold an API key; expected NAME-SERVICE-SECRET as Notify shows it once"
        )
        yield Problem(_PLACE, "notify.key-from", message)
    if named.key is None:
        message = "is missing; say live or test, as the key was made in Notify"
        yield Problem(_PLACE, "notify.key", message)
    elif live and named.key == "test":
        message = "is test in a live workspace: no message would reach anybody; make a live key in Notify"
        yield Problem(_PLACE, "notify.key", message)
    elif not live and named.key == "live":
        message = "is live in a rehearsal: made-up addresses would be written to; make a test key in Notify"
        yield Problem(_PLACE, "notify.key", message)


def _of_templates(workspace: Workspace) -> Iterator[Problem]:
    carriers, named = workspace.settings.carriers, workspace.settings.notify
    for channel, fields in (("email", "((subject)) and ((body))"), ("sms", "((body))")):
        if getattr(carriers, channel) == "notify" and getattr(named, f"{channel}_template") is None:
            message = f"is missing; make a template of {fields} in Notify, and give its id"
            yield Problem(_PLACE, f"notify.{channel}-template", message)
