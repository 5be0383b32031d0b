"""What one thing that was asked was answered, from the fields of a posted form.

Fields: `KEY` (the code, the codes, or what was entered), `KEY.other` (the text beside something else),
`KEY__day`, `KEY__month` and `KEY__year` of a date, `KEY.OPTION` of a ranking or an allocation. `KEY` holding
`__dont_know` or `__refused` is one of the two ways of not answering.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from equipoise.errors import InputError, Problem
from equipoise.protocol.asked import OTHER, Asked, Kind
from equipoise.protocol.entries import entered_date, entered_number, entered_text
from equipoise.protocol.faults import Fault, an_answer_is_needed, plain_number

__all__ = ["DONT_KNOW", "NO", "REFUSED", "YES", "Form", "Reply", "field_names", "reply"]

Form = Mapping[str, Sequence[str]]
Value = str | int | float
DONT_KNOW, REFUSED = "__dont_know", "__refused"
YES, NO = "yes", "no"
DATE_FIELDS = ("__day", "__month", "__year")
_REASONS = {DONT_KNOW: "dont_know", REFUSED: "refused"}
_WAYS = {DONT_KNOW: "Don't know", REFUSED: "Prefer not to say"}
_NOTHING: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True)
class Reply:
    """An answer by column, or the reason for none, or what is wrong by field; all empty for silence."""

    answers: Mapping[str, Value] = field(default_factory=lambda: _NOTHING)
    reason: str | None = None
    problems: Mapping[str, Fault] = field(default_factory=lambda: MappingProxyType({}))


def field_names(asked: Asked) -> tuple[str, ...]:
    """Every field that the form of one thing asked can have."""
    if not asked.answered:
        return ()
    names = [asked.key]
    if asked.kind == "date":
        names += [f"{asked.key}{part}" for part in DATE_FIELDS]
    if asked.kind in ("ranking", "allocation"):
        names += [f"{asked.key}.{choice.code}" for choice in asked.choices]
    if any(choice.other for choice in asked.choices):
        names.append(asked.other)
    return tuple(names)


def reply(asked: Asked, form: Form) -> Reply:
    """What was answered.

    Raises:
        InputError: a code or a way of not answering that was not on offer, or two answers where one can be
            given: no page of ours sends these.
    """
    ways = [value for value in form.get(asked.key, ()) if value in _REASONS]
    given = [value for value in form.get(asked.key, ()) if value not in _REASONS and value.strip()]
    for way in ways:
        if not {DONT_KNOW: asked.dont_know, REFUSED: asked.prefer_not_to_say}[way]:
            raise _tampered(asked, f'"{_WAYS[way]}" was not on offer')
    if not ways:
        return _READERS[asked.kind](asked, given, form)
    if len(set(ways)) > 1:
        return _wrong(asked.key, Fault("Choose either Don't know or Prefer not to say"))
    found = _READERS[asked.kind](replace(asked, required=False), given, form)
    if found.answers or found.problems:
        both = {"way": _WAYS[ways[0]]}
        return _wrong(asked.key, Fault("You gave an answer and chose {way}: keep one of them", both))
    return Reply(reason=_REASONS[ways[0]])


_ONE, _SOME, _ENTER = "Choose one answer", "Choose one answer or more", "Enter an answer"


def _choice(asked: Asked, given: list[str], form: Form) -> Reply:
    other = _text_beside(asked, form)
    if len(set(given)) > 1:
        raise _tampered(asked, "two answers where one can be given")
    if not given and other:
        given = [OTHER]
    if not given:
        return _empty(asked, _ONE)
    code = _offered(asked, given[0])
    answer: Value = int(code) if asked.numeric else code
    return _with_other(asked, {asked.key: answer}, other if code == OTHER else None, chosen=code == OTHER)


def _choices(asked: Asked, given: list[str], form: Form) -> Reply:
    other = _text_beside(asked, form)
    ticked = {_offered(asked, code) for code in given} | ({OTHER} if other else set())
    if not ticked:
        return _empty(asked, _SOME)
    answers: dict[str, Value] = {
        f"{asked.key}.{choice.code}": YES if choice.code in ticked else NO for choice in asked.choices
    }
    return _with_other(asked, answers, other, chosen=OTHER in ticked)


def _number(asked: Asked, given: list[str], form: Form) -> Reply:
    if not given:
        return _empty(asked, _ENTER)
    return _entered(asked, entered_number(asked, given[0]))


def _text(asked: Asked, given: list[str], form: Form) -> Reply:
    return _entered(asked, entered_text(asked, given[0])) if given else _empty(asked, _ENTER)


def _date(asked: Asked, given: list[str], form: Form) -> Reply:
    day, month, year = (_first(form, f"{asked.key}{part}") for part in DATE_FIELDS)
    if given:
        day = " ".join((given[0], day))
    if not (day + month + year).strip():
        return _empty(asked, _ENTER)
    found = entered_date(day, month, year)
    return _entered(asked, found.isoformat() if isinstance(found, date) else found)


def _ranking(asked: Asked, given: list[str], form: Form) -> Reply:
    entered = _by_option(asked, form)
    if not any(entered.values()):
        return _empty(asked, _ENTER)
    last = len(asked.choices)
    lacking = [asked.label(code) for code, text in entered.items() if not text]
    if lacking:
        said = {"last": str(last), "lacking": ", ".join(lacking)}
        return _wrong(asked.key, Fault("Give each a number from 1 to {last}. Still without: {lacking}", said))
    ranks = {code: int(text) if text.isdecimal() else 0 for code, text in entered.items()}
    outside = [asked.label(code) for code, rank in ranks.items() if not 1 <= rank <= last]
    if outside:
        said = {"last": str(last), "name": outside[0]}
        return _wrong(asked.key, Fault("The number for {name} must be one from 1 to {last}", said))
    twice = [rank for rank, count in Counter(ranks.values()).items() if count > 1]
    if twice:
        names = ", ".join(asked.label(code) for code, rank in ranks.items() if rank == twice[0])
        said = {"rank": str(twice[0]), "names": names}
        return _wrong(asked.key, Fault("Use each number once. {rank} is given to: {names}", said))
    return Reply({f"{asked.key}.{code}": rank for code, rank in ranks.items()})


def _allocation(asked: Asked, given: list[str], form: Form) -> Reply:
    entered = _by_option(asked, form)
    if not any(entered.values()):
        return _empty(asked, _ENTER)
    shares: dict[str, Value] = {}
    for code, text in entered.items():
        found = entered_number(asked, text, asked.label(code)) if text else 0
        if isinstance(found, Fault):
            return _wrong(asked.key, found)
        if found < 0:
            return _wrong(asked.key, Fault("{of} must be 0 or more", {"of": asked.label(code)}))
        shares[f"{asked.key}.{code}"] = found
    left = (asked.total or 0.0) - sum(float(share) for share in shares.values())
    if abs(left) > 1e-6:
        said = {
            "sum": plain_number((asked.total or 0.0) - left),
            "total": plain_number(asked.total or 0.0),
            "left": plain_number(abs(left)),
        }
        what = "{left} too few" if left > 0 else "{left} too many"
        return _wrong(
            asked.key, Fault(f"The numbers add up to {{sum}} and should add up to {{total}}: {what}", said)
        )
    return Reply(shares)


def _nothing(asked: Asked, given: list[str], form: Form) -> Reply:
    return Reply()


_READERS: Mapping[Kind, Callable[[Asked, list[str], Form], Reply]] = {
    "choice": _choice,
    "consent": _choice,
    "choices": _choices,
    "number": _number,
    "slider": _number,
    "text": _text,
    "long-text": _text,
    "date": _date,
    "ranking": _ranking,
    "allocation": _allocation,
    "information": _nothing,
    "video": _nothing,
}


def _entered(asked: Asked, found: Value | Fault) -> Reply:
    return _wrong(asked.key, found) if isinstance(found, Fault) else Reply({asked.key: found})


def _empty(asked: Asked, what: str) -> Reply:
    return _wrong(asked.key, an_answer_is_needed(asked, what)) if asked.required else Reply()


def _with_other(asked: Asked, answers: dict[str, Value], other: str | None, *, chosen: bool) -> Reply:
    if other:
        found = entered_text(asked, other)
        if isinstance(found, Fault):
            return _wrong(asked.other, found)
        answers[asked.other] = found
    elif chosen and asked.required:
        return _wrong(asked.other, Fault("Say what you mean, or choose another answer"))
    return Reply(answers)


def _text_beside(asked: Asked, form: Form) -> str:
    return _first(form, asked.other).strip()


def _by_option(asked: Asked, form: Form) -> dict[str, str]:
    return {choice.code: _first(form, f"{asked.key}.{choice.code}").strip() for choice in asked.choices}


def _first(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def _offered(asked: Asked, code: str) -> str:
    if all(choice.code != code for choice in asked.choices):
        raise _tampered(asked, f'"{code[:40]}" was not among the answers')
    return code


def _wrong(name: str, fault: Fault) -> Reply:
    return Reply(problems=MappingProxyType({name: fault}))


def _tampered(asked: Asked, what: str) -> InputError:
    return InputError(Problem("", asked.key, f"{what}. Go back to the page and answer it as it is shown"))
