"""Whether somebody carries a study's messages: asked before its launch, and by `equipoise doctor`."""

from django.conf import settings

from equipoise.errors import Problem
from equipoise.platform.delivery.channels.notify.setup import problems
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.sends import sends

__all__ = ["channels_of", "lacking", "launch_problems"]

_KINDS = {"email": "e-mails", "sms": "text messages", "letter": "letters"}


def channels_of(study: Study) -> dict[str, str]:
    """The channels by which the workspace sends for a study, each with the first place that says so."""
    found: dict[str, str] = {}
    for send in sends(folder_of(study)).values():
        if send.carrier == "workspace":
            place = f"contacts.{send.name}" if send.wave is None else f"waves.{send.name}"
            found.setdefault(send.channel, place)
    return found


def launch_problems(study: Study) -> list[Problem]:
    """What keeps messages of a study from going out: a channel that nobody carries, or that is not set up.

    Args:
        study: in any state.
    """
    return [
        Problem(study.name, place, message)
        for channel, place in channels_of(study).items()
        if (message := lacking(channel)) is not None
    ]


def lacking(channel: str) -> str | None:
    """What this workspace lacks to send by a channel, and what to do; None where nothing is missing."""
    workspace = settings.WORKSPACE.settings
    carrier = getattr(workspace.carriers, channel)
    if carrier is None:
        choices = "smtp or notify" if channel == "email" else "post" if channel == "letter" else "notify"
        return f"nobody carries {_KINDS[channel]}; say {channel}: {choices} under carriers in workspace.yaml"
    if carrier == "smtp" and workspace.mail is None:
        return "e-mails are carried by smtp, and no server is named; fill in mail in workspace.yaml"
    return _lacking_notify(channel) if carrier == "notify" else None


def _lacking_notify(channel: str) -> str | None:
    """The first thing that is wrong with Notify's set-up and concerns the channel."""
    other = {"email": "notify.sms-template", "sms": "notify.email-template"}[channel]
    found = [each for each in problems(settings.WORKSPACE) if each.where != other]
    return f"{found[0].where} {found[0].message}" if found else None
