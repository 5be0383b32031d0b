"""Messages of dispatches: the template in the participant's language, with everything that goes into it.

Links are made for each message, because only their hashes are kept; earlier ones go on working. For a partner
who keeps the contact list nothing of contact details is opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from equipoise.errors import InputError
from equipoise.messages import LONGEST_TEXT, Compiled, Measured, compile_message, measure
from equipoise.messages.fields import LINKS
from equipoise.messages.mime import ascii_address
from equipoise.platform.clock import now
from equipoise.platform.delivery.channels.contract import Outgoing
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.writing.known import Known, known_of
from equipoise.platform.delivery.writing.message_links import LinksOfBatch, link_places
from equipoise.platform.delivery.writing.values import OCCASION, example_word, occasion_word, roster_word
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, rolling, roster_columns
from equipoise.protocol.models.fieldwork import Channel
from equipoise.protocol.models.files import Message
from equipoise.protocol.piping import piped_names
from equipoise.protocol.sends import ADDRESSES, Send, sends
from equipoise.protocol.translation import message_paths, same_language

__all__ = ["Composer", "Preview", "Unsendable", "preview"]

_PARTNER = "partner_file"


@dataclass(frozen=True)
class Unsendable:
    """Why a dispatch cannot go out: one of the words for reasons, and the field that it is about."""

    reason: str
    field: str = ""


@dataclass(frozen=True)
class Preview:
    """A message as somebody would get it; its links lead nowhere.

    Attributes:
        subject: empty where it has none.
        text: as plain text.
        html: as a mail.
        measured: what it takes as a text message; None on other channels.
        problems: what a person should look at, in sentences.
    """

    subject: str
    text: str
    html: str
    measured: Measured | None
    problems: tuple[str, ...]


class Composer:
    """Composes dispatches of one study, a batch at a time.

    Args:
        study: whose folder in force has the templates.
        names: put contact details into the text; otherwise the names of their fields stand there.
    """

    def __init__(self, study: Study, *, names: bool = True) -> None:
        self.study, self.names = study, names
        self.folder = folder_of(study)
        self.sends = sends(self.folder)
        self.columns = roster_columns(study)
        self.rolling = rolling(study)
        self.places = link_places()
        self._ready: dict[tuple[str, int, str], Compiled] = {}
        self._said: dict[tuple[Any, ...], str | None] = {}

    def compose(
        self, dispatches: Sequence[Dispatch], *, links: bool = True
    ) -> dict[int, Outgoing | Unsendable]:
        """What goes out of each dispatch, or why nothing can.

        Args:
            dispatches: of this study, each with its `reference`.
            links: store the links that are in the messages. Otherwise their addresses are examples that lead
                nowhere.
        Raises:
            CheckFailedError: the key that protects contact details is missing.
        """
        reached = {each.participant_id for each in dispatches if each.carrier != _PARTNER}
        people = known_of({each.participant_id for each in dispatches}, reached=reached)
        made = LinksOfBatch(self.places, now() if links else None)
        composed = {each.pk: self._one(each, people.get(each.participant_id), made) for each in dispatches}
        made.store()
        return composed

    def compiled(self, send: Send, occasion: int, known: Known | None) -> Compiled:
        """The template of an occasion in the participant's language, or else in its own."""
        column = self.folder.protocol.sending.language
        wanted = str(known.facts.get(column) or "") if known and column else ""
        key = (send.name, occasion, wanted)
        if key not in self._ready:
            paths = message_paths(self.folder, send.template_of(occasion))
            spoken = (same_language(wanted, paths) if wanted else None) or next(iter(paths))
            self._ready[key] = _compiled(self.folder.messages[paths[spoken]], spoken)
        return self._ready[key]

    def values(
        self, compiled: Compiled, send: Send, occasion: int, known: Known | None
    ) -> tuple[dict[str, str], list[str]]:
        """The values of the fields that are no links, and the names of those that have none.

        Args:
            compiled: the message.
            send: what is sent; the columns in the name of its asset need values as well.
            occasion: its number.
            known: of the participant; None for an example.
        """
        fields: dict[str, str] = {}
        missing: list[str] = []
        for name in (*compiled.fields, *(name for name, _ in piped_names(send.asset or ""))):
            if name in LINKS:
                continue
            value = self._value(name, compiled.language, send, occasion, known)
            if value is None:
                missing.append(name)
            else:
                fields[name] = value
        return fields, missing

    def address(self, channel: Channel, known: Known) -> str | Unsendable:
        """Where it goes: the first address that is there and not closed; of a letter every line."""
        columns = [
            name
            for name, column in self.columns.items()
            if column.role == "contact" and column.type == ADDRESSES[channel] and known.details.get(name)
        ]
        left = [name for name in columns if name not in known.closed]
        if not left:
            return Unsendable("closed-address" if columns else "no-address")
        if channel == "letter":
            return "\n".join(known.details[name] for name in left)
        found = known.details[left[0]]
        try:
            return ascii_address(found) if channel == "email" else found
        except InputError:
            return Unsendable("no-address", left[0])

    def _one(self, dispatch: Dispatch, known: Known | None, made: LinksOfBatch) -> Outgoing | Unsendable:
        send = self.sends.get(dispatch.contact)
        if send is None:
            return Unsendable("withdrawn-send")
        if known is None:
            return Unsendable("left")
        partner = dispatch.carrier == _PARTNER
        to = "" if partner else self.address(dispatch.channel, known)
        if isinstance(to, Unsendable):
            return to
        compiled = self.compiled(send, dispatch.occasion, known)
        fields, missing = self.values(compiled, send, dispatch.occasion, known)
        if missing:
            return Unsendable("field-missing", missing[0])
        links = made.of(compiled.fields, send, dispatch)
        fields |= links
        unfit = _unfit(compiled, fields, dispatch.channel)
        if unfit is not None:
            return unfit
        mail = dispatch.channel == "email" and not partner
        unsubscribe = made.unsubscribing(links, dispatch) if mail else ""
        return Outgoing(dispatch.reference or "", to, compiled, fields, unsubscribe)

    def _value(self, name: str, language: str, send: Send, occasion: int, known: Known | None) -> str | None:
        if name in OCCASION:
            enrolled = known.enrolled if known and self.rolling and name == "closes" else None
            key = (name, send.name, occasion, language, enrolled)
            if key not in self._said:
                self._said[key] = occasion_word(name, self.study, send, occasion, language, enrolled)
            return self._said[key]
        column = self.columns.get(name)
        if column is None:
            return None
        if known is None:
            return example_word(name, column)
        if column.role == "attribute":
            return roster_word(column, known.facts.get(name), language)
        detail = known.details.get(name)
        return f"{{{name}}}" if detail and not self.names else roster_word(column, detail, language)


def preview(
    study: Study, send_name: str, occasion: int, participant: Participant | None, *, names: bool = False
) -> Preview:
    """A message as a participant, or an example of one, would get it; nothing is stored.

    Args:
        study: whose message it is.
        send_name: as `protocol.sends` has it.
        occasion: its number.
        participant: of this study; None for an example, which has the longest level of each column.
        names: show contact details, such as the name; otherwise the names of their fields stand there.
    Raises:
        KeyError: the study sends nothing of this name.
    """
    composer = Composer(study, names=names)
    send = composer.sends[send_name]
    known: Known | None = None
    problems: list[str] = []
    if participant is not None:
        reached = [] if send.carrier == "partner" else [participant.pk]
        known = known_of([participant.pk], reached=reached)[participant.pk]
        address = composer.address(send.channel, known) if reached else ""
        problems += _told(address) if isinstance(address, Unsendable) else []
    compiled = composer.compiled(send, occasion, known)
    fields, missing = composer.values(compiled, send, occasion, known)
    fields |= LinksOfBatch(composer.places, None).of(compiled.fields, send, Dispatch())
    lacking = dict.fromkeys([*missing, *(name for name in compiled.fields if name not in fields)])
    fields |= {name: f"{{{name}}}" for name in lacking}
    unfit = _unfit(compiled, fields, send.channel)
    problems += [sentence for name in lacking for sentence in _told(Unsendable("field-missing", name))]
    problems += _told(unfit) if unfit else []
    if send.kind != "thank" and "stop_link" not in compiled.fields:
        problems.append("Nothing in it says how to get no more messages. {stop_link} in the text would.")
    text = compiled.text(fields)
    return Preview(
        subject="" if unfit and unfit.field in compiled.fields else compiled.subject_line(fields),
        text=text,
        html=compiled.html(fields),
        measured=measure(text) if send.channel == "sms" else None,
        problems=tuple(problems),
    )


def _unfit(compiled: Compiled, fields: Mapping[str, str], channel: str) -> Unsendable | None:
    """Why a message with these values cannot go out."""
    lacking = next((name for name in compiled.fields if name not in fields), None)
    if lacking is not None:
        return Unsendable("field-missing", lacking)
    try:
        compiled.subject_line(fields)
    except InputError as error:
        return Unsendable("refused", error.problems[0].where)
    text = compiled.text(fields) if channel == "sms" else ""
    if 2 * len(text) > LONGEST_TEXT and measure(text).characters > LONGEST_TEXT:
        return Unsendable("refused", "text")
    return None


def _told(found: Unsendable) -> list[str]:
    """The same in a sentence for staff."""
    sentences = {
        "no-address": "There is no address to which it could go.",
        "closed-address": "Every address to which it could go is closed.",
        "field-missing": f'The field "{found.field}" has no value here; nothing is sent without it.',
        "refused": f'The value of "{found.field}" breaks the line of the subject.',
    }
    if found == Unsendable("refused", "text"):
        return [f"It is longer than a text message can be; at most {LONGEST_TEXT} characters are carried."]
    return [sentences[found.reason]]


@lru_cache(maxsize=512)
def _compiled(message: Message, language: str) -> Compiled:
    """Kept by what it says, so that another version of a study has its own."""
    return compile_message(message, language=language)
