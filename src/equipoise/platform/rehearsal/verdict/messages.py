"""The messages that arrived, held against the protocol: each once, to whom it is for, when it may come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from equipoise.errors import EquipoiseError
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.rehearsal.cast.people import Person, address_of
from equipoise.platform.rehearsal.due import WAITS, Due, dues, essence, is_quiet
from equipoise.platform.rehearsal.production import Production
from equipoise.platform.rehearsal.servers.post import Message, Refusal
from equipoise.platform.rehearsal.verdict import Check
from equipoise.platform.rehearsal.verdict.outcomes import bounce_check, choice_check, settled_check
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import roster_schema

__all__ = ["Arrived", "message_checks"]

_TRIED_AGAIN = timedelta(days=1)  # how much later a message may come whose mailbox was busy
_FOR_A_PERSON = ("cap", "field-missing")

_Key = tuple[str, str, int]  # identifier, send, occasion


@dataclass(frozen=True)
class _Sent:
    """A dispatch as it ended."""

    key: str
    send: str
    occasion: int
    state: str
    reason: str
    carrier: str


def message_checks(
    production: Production, messages: Sequence[Message], refusals: Sequence[Refusal]
) -> list[Check]:
    """Every check of the messages of one study.

    Args:
        production: as it ended.
        messages: everything that arrived, of other studies too.
        refusals: what the mail server refused.
    """
    found = Arrived(production, messages)
    return [
        found.once(),
        found.everything_due(),
        found.nothing_else(),
        found.right_arm(),
        found.nobody_who_left(),
        found.in_time(),
        found.right_words(),
        bounce_check(production, refusals),
        choice_check(production),
        settled_check(production),
    ]


@dataclass
class Arrived:
    """What arrived of one study, with whom it reached and which send it is."""

    production: Production
    everything: Sequence[Message]
    known: dict[_Key, list[Message]] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        people = {person.identifier: person for person in self.production.cast}
        owners = {key: identifier for identifier, key in self.production.keys.items()}
        for message in self.everything:
            sent = self._sent(message)
            if sent is None:
                self._unknown(message)
                continue
            person = people.get(owners.get(sent.key, ""))
            if person is None or address_of(message.to) not in map(address_of, (person.email, person.phone)):
                self.strangers.append(f"{sent.send} {sent.occasion} reached somebody whom it was not for")
            if person is not None:
                self.known.setdefault((person.identifier, sent.send, sent.occasion), []).append(message)

    def _unknown(self, message: Message) -> None:
        """A message of which nothing is recorded: only what came to somebody before they were erased."""
        person = self.production.by_address.get(address_of(message.to))
        left = self.production.left.get(person.identifier) if person else None
        erased = left is not None and left.how == "erase" and message.number < left.number
        if message.to.endswith(f"@{self.production.name}.example.org") and not erased:
            self.strangers.append(f"{message.at:%Y-%m-%d %H:%M}: a message of which nothing is recorded")

    def _sent(self, message: Message) -> _Sent | None:
        """The dispatch of a message; a partner's own are known by whom they are for."""
        if not message.person or not message.to.endswith(f"@{self.production.name}.example.org"):
            return self.dispatches.get(message.reference)
        key = self.production.keys[message.person]
        state = self.states.get((key, message.send, message.occasion))
        return _Sent(key, message.send, message.occasion, *state, "partner_file") if state else None

    @cached_property
    def dispatches(self) -> dict[str, _Sent]:
        """By reference."""
        rows = Dispatch.objects.filter(study=self.production.study, reference__isnull=False)
        fields = ("participant__key", "contact", "occasion", "state", "reason", "carrier")
        return {row[0]: _Sent(*row[1:]) for row in rows.values_list("reference", *fields)}

    @cached_property
    def states(self) -> dict[tuple[str, str, int], tuple[str, str]]:
        """How each dispatch ended, by key, send and occasion."""
        rows = Dispatch.objects.filter(study=self.production.study)
        fields = ("participant__key", "contact", "occasion", "state", "reason")
        return {row[:3]: row[3:] for row in rows.values_list(*fields).iterator(10_000)}

    @cached_property
    def people(self) -> dict[str, Person]:
        """By identifier."""
        return {person.identifier: person for person in self.production.cast}

    @cached_property
    def due(self) -> dict[tuple[str, int], Due]:
        """What the protocol has, by send and occasion."""
        return {(each.send, each.occasion): each for each in dues(self.production.folder)}

    @cached_property
    def rules(self) -> dict[str, dict[str, bool] | None]:
        """Whom each rule selects, by identifier; None where it asks more than the roster knows."""
        return {each.rule: self._selected(each.rule) for each in self.due.values() if each.rule}

    @cached_property
    def columns(self) -> dict[str, str]:
        """The arms of everybody, by the column of the stage and the identifier."""
        return {
            f"{column}/{person.identifier}": arm
            for person in self.production.cast
            for column, arm in self.production.arms(person).items()
        }

    def once(self) -> Check:
        """No message twice."""
        faults = [
            f"{self._said(key)} came {len(some)} times" for key, some in self.known.items() if len(some) > 1
        ]
        return Check("once", "No message came twice", sum(map(len, self.known.values())), tuple(faults))

    def everything_due(self) -> Check:
        """Every message that was due came."""
        faults: list[str] = []
        notes: list[str] = []
        counted = 0
        for due in self.due.values():
            if due.channel == "letter":
                letters = sum(self._must(person, due) for person in self.production.cast)
                notes.append(_by_post(due, letters))
            elif due.rule and self.rules[due.rule] is None:
                notes.append(f"{due.send} {due.occasion}: whom `{due.rule}` selects was not worked out again")
            else:
                for person in self.production.cast:
                    if self._must(person, due):
                        counted += 1
                        self._missed(person, due, faults, notes)
        return Check("due", "Every message that was due came", counted, tuple(faults), tuple(notes))

    def nothing_else(self) -> Check:
        """Nothing came that the protocol does not have, no reminder after answering, no thanks without."""
        faults = list(self.strangers)
        for key, message in self._each():
            due = self.due.get(key[1:])
            if due is None:
                faults.append(f"{self._said(key)} is not in the protocol")
                continue
            answered = self.production.answered.get((due.wave, key[0]))
            finished = answered.finished if answered else None
            if due.kind == "remind" and finished is not None and finished < message.number:
                faults.append(f"{self._said(key)} came after they had answered")
            ended = answered.finished_at if answered else None
            # By the clock: a quick worker's thanks are there before the browser knows that it is done.
            if due.kind == "thank" and (ended is None or ended > message.at):
                faults.append(f"{self._said(key)} came before they had answered")
            if due.rule and (selected := self.rules[due.rule]) is not None and not selected.get(key[0]):
                faults.append(f"{self._said(key)} came to somebody whom `{due.rule}` leaves out")
        return Check("nothing-else", "Nothing came that was not due", len(list(self._each())), tuple(faults))

    def right_arm(self) -> Check:
        """No message to the wrong arm."""
        faults, counted = [], 0
        for key, _ in self._each():
            due = self.due.get(key[1:])
            if due is not None and due.arms:
                counted += 1
                if (arm := self._arm(self.people[key[0]], due)) not in due.arms:
                    faults.append(f"{self._said(key)} came to somebody in {arm or 'no arm'}")
        return Check("arm", "No message went to the wrong arm", counted, tuple(faults))

    def nobody_who_left(self) -> Check:
        """No message after somebody stopped them or left."""
        left = self.production.left
        faults = [
            f"{self._said(key)} came after they had left ({left[key[0]].how})"
            for key, message in self._each()
            if key[0] in left and left[key[0]].number < message.number
        ]
        return Check("left", "No message came to somebody who had stopped them", len(left), tuple(faults))

    def in_time(self) -> Check:
        """Each in its time, none in quiet hours."""
        faults = []
        for key, message in self._each():
            due = self.due.get(key[1:])
            if due is None:
                continue
            grace = _TRIED_AGAIN if self.people[key[0]].habits.busy else timedelta()
            if not due.after <= message.at <= due.until + grace:
                faults.append(f"{self._said(key)} came at {message.at:%Y-%m-%d %H:%M} UTC")
            elif is_quiet(self.production.folder, message.at):
                faults.append(f"{self._said(key)} came in quiet hours, at {message.at:%Y-%m-%d %H:%M} UTC")
        return Check("time", "Each message came in its time", len(list(self._each())), tuple(faults))

    def right_words(self) -> Check:
        """Each says what its template says."""
        faults, counted = [], 0
        words = {due: essence(self.production.folder, each) for due, each in self.due.items()}
        for key, message in self._each():
            wanted = words.get(key[1:], "")
            counted += bool(wanted)
            if wanted and wanted not in " ".join(message.text.split()):
                faults.append(f"{self._said(key)} does not say: {wanted[:60]}")
        return Check("words", "Each message says what its template says", counted, tuple(faults))

    def _must(self, person: Person, due: Due) -> bool:
        """Whether a message had to reach somebody, whatever the moment within its time."""
        answered = self.production.answered.get((due.wave, person.identifier))
        finished = answered.finished_at if answered else None
        until = due.until
        if due.kind == "thank":
            if finished is None:
                return False
            until = finished + WAITS
        if due.kind == "remind" and finished is not None and finished <= until:
            return False
        left = self.production.left.get(person.identifier)
        there = left is None or (left.at > until and left.how != "erase")
        selected = not due.rule or bool((self.rules[due.rule] or {}).get(person.identifier))
        return there and selected and self._reachable(person, due) and self._in_arms(person, due)

    def _missed(self, person: Person, due: Due, faults: list[str], notes: list[str]) -> None:
        key = (person.identifier, due.send, due.occasion)
        if key in self.known:
            return
        pseudonym = self.production.keys.get(person.identifier, "")
        state, reason = self.states.get((pseudonym, due.send, due.occasion), ("never planned", ""))
        said = f"{self._said(key)} did not come: {state}{f', {reason}' if reason else ''}"
        (notes if reason in _FOR_A_PERSON else faults).append(said)

    def _reachable(self, person: Person, due: Due) -> bool:
        if due.carrier == "partner":
            return True
        people = self.production.folder.protocol.participants
        kinds = {column.type for column in people.roster.values()} if people else set()
        if due.channel == "letter":
            return True
        if due.channel == "email":
            return "email" in kinds and not person.habits.bounces
        return "phone" in kinds and bool(person.phone)

    def _in_arms(self, person: Person, due: Due) -> bool:
        return not due.arms or self._arm(person, due) in due.arms

    def _arm(self, person: Person, due: Due) -> str:
        column = self.production.folder.protocol.arm_column(due.stage)
        return self.columns.get(f"{column}/{person.identifier}", "")

    def _selected(self, rule: str) -> dict[str, bool] | None:
        protocol, frame = self.production.folder.protocol, self.production.frame
        try:
            chosen = compile_expression(rule, roster_schema(protocol)).evaluate_frame(frame)
        except EquipoiseError:
            return None
        identifiers = frame[self.production.identifier].cast(str).to_list()
        return dict(zip(identifiers, chosen.fill_null(False).to_list(), strict=True))

    def _each(self) -> Iterator[tuple[_Key, Message]]:
        yield from ((key, message) for key, some in self.known.items() for message in some)

    def _said(self, key: _Key) -> str:
        return f"{key[0]}: {key[1]} {key[2]}"


def _by_post(due: Due, letters: int) -> str:
    """What nobody has looked at, and how somebody can."""
    return (
        f"{due.send} {due.occasion} goes by post: {letters:,} letters were due, and none was written or "
        "read; read one in the preview on the page Messages before it goes out"
    )
