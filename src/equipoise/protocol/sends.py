"""Everything that a study sends, in one list: its contacts, and each wave's invitation, reminders and thanks.

`weekly-message` is a contact, `after.invite`, `after.remind` and `after.thank` belong to the wave `after`.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from equipoise.protocol.models.fieldwork import Channel, Contact, Wave
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.study import Study

__all__ = ["ADDRESSES", "Kind", "Send", "sends"]

Kind = Literal["contact", "invite", "remind", "thank"]
ADDRESSES: dict[Channel, str] = {"email": "email", "sms": "phone", "letter": "text"}  # types of columns
_WORDS: dict[Kind, str] = {"invite": "Invitation", "remind": "Reminder", "thank": "Thanks"}


@dataclass(frozen=True)
class Send:
    """An entry of the protocol that sends.

    Attributes:
        name: by which it is known: that of the contact, or `WAVE.invite`, `WAVE.remind`, `WAVE.thank`.
        kind: contact, invite, remind or thank.
        wave: to which it belongs; None for a contact.
        label: in words.
        channel: email, sms or letter.
        carrier: workspace or partner.
        template: the file of `messages/`; `{n}` stands for the occasion.
        times: how many occasions it has.
        stage: of allocation, whose arms get it; None where everybody does.
        arms: who of that stage; empty for everybody.
        where: an expression that selects among them.
        at_least_once: it is sent again where nobody knows whether it went out.
        asset: the file of `media/` that goes with it, with roster columns in braces.
    """

    name: str
    kind: Kind
    wave: str | None
    label: str
    channel: Channel
    carrier: Literal["workspace", "partner"]
    template: str
    times: int = 1
    stage: str | None = None
    arms: tuple[str, ...] = ()
    where: str | None = None
    at_least_once: bool = False
    asset: str | None = None

    @property
    def activity(self) -> Literal["messages", "survey"]:
        """Of the consents, which one it needs."""
        return "messages" if self.wave is None else "survey"

    def template_of(self, occasion: int) -> str:
        """The file that an occasion takes."""
        return self.template.replace("{n}", str(occasion))


def sends(study: Study | Protocol) -> dict[str, Send]:
    """Everything that a study sends, by name: contacts first, then waves, as the protocol has them."""
    protocol = study if isinstance(study, Protocol) else study.protocol
    found = [_contact(name, contact, protocol) for name, contact in protocol.contacts.items()]
    for name, wave in protocol.waves.items():
        found += _of_wave(name, wave, protocol)
    return {send.name: send for send in found}


def _contact(name: str, contact: Contact, protocol: Protocol) -> Send:
    arms = contact.to.arm
    return Send(
        name=name,
        kind="contact",
        wave=None,
        label=contact.label or name.replace("-", " ").replace("_", " ").capitalize(),
        channel=contact.channel,
        carrier=contact.carrier,
        template=contact.template,
        times=contact.times,
        stage=(contact.to.stage or protocol.main_stage) if arms else contact.to.stage,
        arms=arms,
        where=contact.to.where,
        at_least_once=contact.repeat_risk == "at-least-once",
        asset=contact.asset,
    )


def _of_wave(name: str, wave: Wave, protocol: Protocol) -> list[Send]:
    found = []
    for kind, part in (("invite", wave.invite), ("thank", wave.thank)):
        if part is not None:
            what: Kind = "invite" if kind == "invite" else "thank"
            found.append(_about(name, wave, what, _Way.of(protocol, part.channel), part.template))
    if wave.remind is not None:
        channel = wave.remind.channel or (wave.invite.channel if wave.invite else "email")
        times = len(wave.remind.after)
        way = _Way.of(protocol, channel)
        found.insert(1 if wave.invite else 0, _about(name, wave, "remind", way, wave.remind.template, times))
    return found


class _Way(NamedTuple):
    channel: Channel
    carrier: Literal["workspace", "partner"]

    @classmethod
    def of(cls, protocol: Protocol, channel: Channel) -> "_Way":
        """What goes with a wave is sent by the partners where they gave references and no addresses."""
        roster = protocol.participants.roster.values() if protocol.participants else ()
        known = any(column.role == "identifier" for column in roster) and bool(protocol.partners)
        reached = any(column.role == "contact" and column.type == ADDRESSES[channel] for column in roster)
        return cls(channel, "partner" if known and not reached else "workspace")


def _about(wave: str, declared: Wave, kind: Kind, way: _Way, template: str, times: int = 1) -> Send:
    title = declared.label or wave.replace("_", " ")
    return Send(
        name=f"{wave}.{kind}",
        kind=kind,
        wave=wave,
        label=f"{_WORDS[kind]}: {title}",
        channel=way.channel,
        carrier=way.carrier,
        template=template,
        times=times,
        where=declared.among,
        at_least_once=True,
    )
