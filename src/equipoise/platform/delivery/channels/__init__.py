"""The ways by which messages leave: one folder each, all under the contract of `contract`.

A new one is a folder and a line here.
"""

from collections.abc import Callable
from importlib import import_module

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.delivery.channels.contract import Channel
from equipoise.platform.workspace import Workspace

__all__ = ["CHANNELS", "carriers_in_use", "channel_of"]

# Where the function is that opens a channel for a workspace. Channels are imported when they are used: each
# needs libraries of its own. What goes by files that people make has no channel.
CHANNELS = {
    "smtp": "equipoise.platform.delivery.channels.smtp.channel",
    "notify": "equipoise.platform.delivery.channels.notify.channel",
    "rehearsal": "equipoise.platform.delivery.channels.rehearsal.channel",
}


def channel_of(workspace: Workspace, carrier: str) -> Channel:
    """The channel of a carrier, as the workspace's settings have it.

    Raises:
        InputError: there is no such channel, or the settings lack something that it needs.
    """
    if carrier not in CHANNELS:
        message = f"is no channel that sends: {carrier}. There are {nearest(carrier, sorted(CHANNELS))}"
        raise InputError(Problem(str(workspace.folder), "carriers", message))
    opened: Callable[[Workspace], Channel] = import_module(CHANNELS[carrier]).opened
    return opened(workspace)


def carriers_in_use(workspace: Workspace) -> tuple[str, ...]:
    """The carriers of which the worker sends, by the workspace's settings."""
    named = workspace.settings.carriers
    chosen = {named.email, named.sms, "rehearsal"}
    return tuple(name for name in CHANNELS if name in chosen)
