"""Whether GOV.UK Notify would take the workspace's messages: asked for its templates, which sends nothing."""

import os
from collections.abc import Iterator

from equipoise.platform.delivery.channels.notify.channel import opened
from equipoise.platform.delivery.channels.notify.client import Answer, NoAnswer, NotReached
from equipoise.platform.delivery.channels.notify.setup import problems
from equipoise.platform.operations.checks.finding import Finding, good, note, wrong
from equipoise.platform.workspace import Workspace

__all__ = ["notify"]

_WHY = {
    "certificate": "has a certificate that cannot be trusted",
    "slow": "does not answer",
    "not-reached": "cannot be reached",
}
_WAY = "look at notify.address in workspace.yaml, and at the way there; no proxy is used"


def notify(workspace: Workspace) -> Iterator[Finding]:
    """Ask Notify by the key whether it knows us, and whether the templates are there."""
    named, carriers = workspace.settings.notify, workspace.settings.carriers
    if named is None and "notify" not in (carriers.email, carriers.sms):
        return
    if found := problems(workspace):
        for each in found:
            said, _, remedy = each.message.partition("; ")
            yield wrong("notify", f"{each.where} {said}", remedy)
        return
    try:
        with opened(workspace) as channel:
            known = channel.templates()
    except (Answer, NoAnswer, NotReached) as error:
        yield _refused(error)
        return
    yield good("notify", f"it answers and takes the {named.key if named else ''} key; nothing was sent")
    yield from _templates(workspace, known)


def _templates(workspace: Workspace, known: dict[str, str]) -> Iterator[Finding]:
    named, carriers = workspace.settings.notify, workspace.settings.carriers
    for channel in ("email", "sms"):
        wanted = getattr(named, f"{channel}_template")
        if getattr(carriers, channel) == "notify" and known.get(wanted) != channel:
            said = f"there is no template for {channel} with the id of notify.{channel}-template"
            yield wrong("notify", said, "copy the id of the template from Notify")
    if "notify" in (carriers.email, carriers.sms) and not _called_back(workspace):
        said = "it calls nobody back: what became of messages is asked for, which takes longer"
        remedy = "set the token of its callbacks in the environment, and the addresses in Notify"
        yield note("notify", said, remedy)


def _called_back(workspace: Workspace) -> bool:
    named = workspace.settings.notify
    return named is not None and bool(os.environ.get(named.callback_from))


def _refused(error: Exception) -> Finding:
    """In our words: a server's own may repeat what it was told."""
    if isinstance(error, NotReached):
        return wrong("notify", f"it {_WHY.get(error.why, 'cannot be reached')}", _WAY)
    if isinstance(error, Answer) and error.status in (401, 403):
        if "clock" in error.message.lower():
            said = "it refuses us because this machine's clock is wrong by more than 30 seconds"
            return wrong("notify", said, "have the clock set by NTP")
        return wrong("notify", "it refuses the key", "make a new key in Notify and set it in the environment")
    if isinstance(error, Answer):
        return wrong("notify", f"it answers with status {error.status}", _WAY)
    return wrong("notify", "it does not answer", _WAY)
