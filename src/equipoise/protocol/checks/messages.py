"""Messages: whether their fields are known, and whether their channels can carry them.

A study that is locked keeps its meaning: it is only asked for fields that nothing stands for, and is told of
the rest when it is launched.
"""

import re
from collections.abc import Iterator

from equipoise.errors import Problem, nearest
from equipoise.protocol.models.fieldwork import LONGEST_TEXT
from equipoise.protocol.models.files import Message
from equipoise.protocol.models.participants import RosterColumn
from equipoise.protocol.piping import piped_names
from equipoise.protocol.sends import Send, sends
from equipoise.protocol.study import Study
from equipoise.protocol.translation import is_language, same_language, translated

__all__ = ["check_messages", "message_problems"]

# What a message may say of the person and the occasion besides the roster's columns.
_LINKS = ("link", "stop_link", "asset")
_ALWAYS = ("link", "stop_link", "n", "study", "contact")
_OF_WAVES = ("closes", "minutes")
_OF_LOCKED = (*_ALWAYS, *_OF_WAVES, "asset", "reward")
_COLUMN_AS_ADDRESS = re.compile(r"\]\(\s*<?\{\s*([^{}]*?)\s*\}")
_MARKDOWN_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()]*)\)")
_LONGEST_WORD = {"link": 70, "stop_link": 70, "asset": 70, "closes": 50, "date": 20}
_TWO_PLACES = "^{}\\[~]|€"  # characters that a text message writes with an escape


def check_messages(study: Study) -> Iterator[Problem]:
    """Fields that nothing stands for; before the lock everything else as well."""
    if study.registration is None:
        yield from message_problems(study)
        return
    known = [*_roster(study), *_OF_LOCKED]
    for path in study.messages:
        yield from _unknown(study, path, known)


def message_problems(study: Study) -> Iterator[Problem]:
    """Whatever would keep a message from going out, or from being of use to whoever gets it."""
    uses = _uses(study)
    for path in study.messages:
        base = _base(study, path, uses)
        using = uses.get(base or path, [])
        yield from _unknown(study, path, _known(study, using))
        yield from _lone_braces(study, path)
        yield from _addresses(study, path)
        yield from _length(study, path, using)
        yield from _carried(study, path, using) if base is None else _translation(study, path, base)
    yield from _language(study)


def _uses(study: Study) -> dict[str, list[Send]]:
    """Which sends take which file."""
    found: dict[str, list[Send]] = {}
    for send in sends(study).values():
        for path in dict.fromkeys(send.template_of(number) for number in range(1, send.times + 1)):
            found.setdefault(path, []).append(send)
    return found


def _base(study: Study, path: str, uses: dict[str, list[Send]]) -> str | None:
    """The message that a file translates; None for one that is sent as it is, or has a dot for another
    reason."""
    other = translated(path)
    if other is None or path in uses:
        return None
    base = f"messages/{other[0]}.md"
    return base if base in study.messages or is_language(other[1]) else None


def _known(study: Study, using: list[Send]) -> list[str]:
    known = [*_roster(study), *_ALWAYS]
    if all(send.wave is not None for send in using):
        known += _OF_WAVES
    if all(send.asset is not None for send in using):
        known.append("asset")
    return known


def _roster(study: Study) -> dict[str, RosterColumn]:
    return study.protocol.participants.roster if study.protocol.participants else {}


def _texts(message: Message) -> tuple[tuple[str, str], ...]:
    return ("subject", message.subject or ""), ("body", message.body)


def _names(message: Message) -> set[str]:
    return {name for _, text in _texts(message) for name, _ in piped_names(text) if name}


def _unknown(study: Study, path: str, known: list[str]) -> Iterator[Problem]:
    for part, text in _texts(study.messages[path]):
        for name, place in piped_names(text):
            if name and name not in known:
                listed = nearest(name, known)
                message = f'"{{{name}}}" is not a roster column or a word of the occasion. Known: {listed}'
                yield _at(study, path, part, text, place, message)


def _lone_braces(study: Study, path: str) -> Iterator[Problem]:
    for part, text in _texts(study.messages[path]):
        for name, place in piped_names(text):
            if not name:
                message = "a brace stands alone; write {NAME} for a field, and {{ or }} for a brace itself"
                yield _at(study, path, part, text, place, message)


def _addresses(study: Study, path: str) -> Iterator[Problem]:
    text = study.messages[path].body
    for found in _COLUMN_AS_ADDRESS.finditer(text):
        if found[1] not in _LINKS:
            message = (
                f'"{{{found[1]}}}" cannot be what a link leads to; write {{link}}, {{stop_link}}, {{asset}} '
                "or an address that begins with https://"
            )
            yield _at(study, path, "body", text, found.start(), message)


def _length(study: Study, path: str, using: list[Send]) -> Iterator[Problem]:
    longest = _longest(study, study.messages[path].body)
    if longest > LONGEST_TEXT and any(send.channel == "sms" for send in using):
        message = (
            f"this can have {longest} characters, with the longest values of its fields; a text message has "
            f"at most {LONGEST_TEXT}; shorten it"
        )
        yield study.documents[path].problem(("body",), message)


def _carried(study: Study, path: str, using: list[Send]) -> Iterator[Problem]:
    """What channels and kinds ask of a message; its translations have the same fields, and a subject if it
    has one."""
    document, message = study.documents[path], study.messages[path]
    if message.subject is not None and using and all(send.channel == "sms" for send in using):
        said = f"{using[0].name} sends this as a text message, which has no subject"
        yield document.problem(("subject",), said)
    for send in using:
        if send.channel == "email" and message.subject is None:
            said = f"{send.name} sends this as an e-mail, which needs a subject"
            yield document.problem(("subject",), said)
        for said in _of_send(study, send, _names(message)):
            yield document.problem(("body",), said)


def _of_send(study: Study, send: Send, names: set[str]) -> Iterator[str]:
    if send.kind in ("invite", "remind") and "link" not in names:
        what = "an invitation" if send.kind == "invite" else "a reminder"
        yield f"{send.name} sends this as {what}; write {{link}} where the survey is"
    survey = study.protocol.waves[send.wave].survey if send.wave is not None else ""
    if "minutes" in names and survey in study.surveys and study.surveys[survey].minutes is None:
        yield f"{{minutes}} is known only where surveys/{survey}.yaml has `minutes`"
    details = [name for name, column in _roster(study).items() if column.role != "attribute"]
    for name in (name for name in details if name in names and send.carrier == "partner"):
        yield f'"{{{name}}}" is a contact detail; a partner sends {send.name}, and none is opened for that'


def _longest(study: Study, body: str) -> int:
    """How long a text message can become, as far as it can be known before anybody's values are."""
    roster = _roster(study)
    text = _MARKDOWN_LINK.sub(r"\1: \2", " ".join(body.split()))
    length = 0
    for name, _ in piped_names(text):
        column = roster.get(name)
        if column is not None and column.levels:
            length += max(map(_places, column.levels))
        elif name == "study":
            length += _places(study.protocol.study.title)
        else:
            length += _LONGEST_WORD.get(column.type if column else name, 1)
    bare = re.sub(
        r"\{\{|\}\}|\{[^{}]*\}", lambda found: found[0][0] if found[0] in ("{{", "}}") else "", text
    )
    return length + _places(bare)


def _places(text: str) -> int:
    return len(text) + sum(text.count(letter) for letter in _TWO_PLACES)


def _translation(study: Study, path: str, base: str) -> Iterator[Problem]:
    """Whole, of a message that is there, with the same fields."""
    document, (name, language) = study.documents[path], translated(path) or ("", "")
    own = study.messages.get(base)
    if own is None:
        listed = nearest(base, [one for one in study.messages if translated(one) is None])
        yield document.problem((), f'this translates "{base}", which is not there. Messages: {listed}')
        return
    if not is_language(language):
        message = f'"{language}" is not a language tag; name the file like {name}.cy.md'
        yield document.problem((), message)
    elif same_language(language, [own.language]) is not None:
        yield document.problem((), f'the message itself is in "{own.language}"; change its own words there')
    words = study.messages[path]
    if (words.subject is None) != (own.subject is None):
        yield document.problem(
            ("subject",), f"a translation has a subject if {base} has one, and otherwise none"
        )
    lacking, more = _names(own) - _names(words), _names(words) - _names(own)
    for names, said in ((lacking, "lacks"), (more, "has more than it:")):
        if names:
            listed = ", ".join(f"{{{one}}}" for one in sorted(names))
            yield document.problem(
                ("body",), f"a translation has the fields of {base}; this one {said} {listed}"
            )


def _language(study: Study) -> Iterator[Problem]:
    """The column of languages is one of the roster, and its levels are languages."""
    name = study.protocol.sending.language
    roster = _roster(study)
    document, path = study.documents["protocol.yaml"], ("sending", "language")
    if name is None:
        return
    if name not in roster or roster[name].role != "attribute":
        attributes = [one for one, column in roster.items() if column.role == "attribute"]
        listed = nearest(name, attributes)
        yield document.problem(path, f'"{name}" is not an attribute of the roster. Attributes: {listed}')
        return
    for level in roster[name].levels or ():
        if not is_language(level):
            message = f'the level "{level}" of {name} is not a language tag, such as en or cy'
            yield document.problem(path, message)


def _at(study: Study, path: str, part: str, text: str, place: int, message: str) -> Problem:
    document = study.documents[path]
    line = document.line((part,)) + text.count("\n", 0, place)
    return Problem(f"{document.name}:{line}", part, message)
