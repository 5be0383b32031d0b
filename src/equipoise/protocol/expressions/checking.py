"""What is wrong with an expression, in words: unknown names, functions, levels, and types that do not fit."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal as OneOf

from equipoise.errors import ProtocolError, nearest
from equipoise.protocol.expressions.functions import FUNCTIONS, MACROS
from equipoise.protocol.expressions.schema import WORDS, Schema, Type
from equipoise.protocol.expressions.syntax import (
    Call,
    Chain,
    Choice,
    Fact,
    ListOf,
    Literal,
    Name,
    Node,
    Relation,
    Sign,
    parse,
)

__all__ = ["Checked", "Expected", "check_expression", "checked", "is_null_test", "normal", "written_value"]

Expected = OneOf["bool", "double", "any"]

_DURATION = re.compile(r"(\d{1,5})\s*(weeks?|days?|hours?|minutes?|h|m)")
_MINUTES = {"w": 7 * 24 * 60, "d": 24 * 60, "h": 60, "m": 1}
_ANY = Type("any")


@dataclass
class Checked:
    """A tree with its type (None where it has none), and what is wrong with it."""

    tree: Node | None
    type: Type | None
    messages: list[str] = field(default_factory=list)


def check_expression(text: str, schema: Schema, *, expects: str = "any") -> list[str]:
    """What is wrong with an expression.

    Args:
        text: as written in the protocol.
        schema: what it may name.
        expects: what it must give: `bool` for a condition, `double` for a number, `any` for any value.
    Returns:
        Messages in plain English, without place; none if it may be compiled.
    """
    return checked(text, schema, expects=expects).messages


def checked(text: str, schema: Schema, *, expects: str = "any") -> Checked:
    """The tree of an expression, its type and what is wrong with it."""
    try:
        tree = parse(normal(text))
    except ProtocolError as error:
        return Checked(None, None, [problem.message for problem in error.problems])
    checking = _Checking(normal(text), schema)
    found = checking.type_of(tree, {})
    if found is not None and not checking.messages:
        checking.result(found, expects)
    return Checked(tree, found, list(dict.fromkeys(checking.messages)))


def normal(text: str) -> str:
    """Text in the one form in which it is compared (Unicode NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_null_test(node: Relation) -> bool:
    """Whether a comparison asks if something is missing."""
    return any(isinstance(side, Literal) and side.value is None for side in (node.left, node.right))


def written_value(function: str, text: str) -> date | datetime | timedelta:
    """What `date('...')`, `timestamp('...')` or `duration('...')` says.

    Raises:
        ValueError: the text is none.
    """
    if function == "date":
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError(text)
        return date.fromisoformat(text)
    if function == "timestamp":
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return timedelta(minutes=int(match[1]) * _MINUTES[match[2][0]])


class _Checking:
    """One pass over a tree; a part whose type is None has already been complained about."""

    def __init__(self, text: str, schema: Schema) -> None:
        self.text, self.schema = text, schema
        self.messages: list[str] = []

    def result(self, found: Type, expects: str) -> None:
        wanted = {"double": "number"}.get(expects, expects)
        if found.kind in ("null", "list", "duration") or (
            wanted not in ("any", found.kind) and found.kind != "any"
        ):
            self._say(f"the expression gives {found.words}; it must give {self._wanted(wanted)}")

    def type_of(self, node: Node, own: Mapping[str, Type]) -> Type | None:
        """The type of a part; `own` are a macro's variables."""
        match node:
            case Literal():
                return self._literal(node)
            case Name():
                return own.get(node.name) or self._name(node, own)
            case Fact():
                return self._fact(node)
            case Sign():
                kind = "bool" if node.operator == "!" else "number"
                return self._must_be(
                    kind, node.operand, self.type_of(node.operand, own), f"`{node.operator}`"
                )
            case Relation():
                return self._relation(node, own)
            case Chain():
                return self._chain(node, own)
            case Choice():
                return self._choice(node, own)
            case ListOf():
                return self._list(node, own)
            case Call():
                return self._call(node, own)

    def _literal(self, node: Literal) -> Type | None:
        if node.value is None:
            return Type("null")
        if isinstance(node.value, bool):
            return Type("bool")
        if isinstance(node.value, float):
            if math.isinf(node.value):
                return self._say(f"{self._quote(node)} is too large a number")
            return Type("number")
        return Type("text", (node.value,), literal=True)

    def _name(self, node: Name, own: Iterable[str]) -> Type | None:
        found = self.schema.type_of(node.name)
        if found is None:
            known = [*own, *self.schema.names]
            hint = " A text stands in quotes." if self._is_level(node.name) else ""
            return self._say(f'"{node.name}" is not known here. Names: {nearest(node.name, known)}{hint}')
        return found

    def _is_level(self, name: str) -> bool:
        return any(name in (column.levels or ()) for column in self.schema.columns.values())

    def _fact(self, node: Fact) -> Type | None:
        allowed = self.schema.waves if node.function == "answered" else self.schema.contacts
        if node.argument in allowed:
            return Type("bool")
        what = "a wave" if node.function == "answered" else "a contact"
        plural = "Waves" if node.function == "answered" else "Contacts"
        listed = nearest(node.argument, allowed)
        return self._say(
            f'{self._quote(node)}: "{node.argument}" is not {what} known here. {plural}: {listed}'
        )

    def _relation(self, node: Relation, own: Mapping[str, Type]) -> Type | None:
        if is_null_test(node):
            return self._null_test(node, own)
        left, right = self.type_of(node.left, own), self.type_of(node.right, own)
        if left is None or right is None:
            return None
        if node.operator == "in":
            return self._in(node, left, right)
        if not self._comparable(node, left, right):
            return None
        if node.operator in ("==", "!="):
            return Type("bool") if self._levels_meet(node, left, right) else None
        for side in (left, right):
            if side.kind in ("text", "bool", "list"):
                return self._say(
                    f"{self._quote(node)}: {side.words} has no order, so `{node.operator}` says nothing; "
                    "compare with == or list the values: x in ['a', 'b']"
                )
        return Type("bool")

    def _null_test(self, node: Relation, own: Mapping[str, Type]) -> Type | None:
        tested = node.right if isinstance(node.left, Literal) and node.left.value is None else node.left
        if node.operator not in ("==", "!=") or not isinstance(tested, Name) or tested.name in own:
            return self._say(
                f"{self._quote(node)}: null stands only in tests of a name, `x == null` or `x != null`"
            )
        return Type("bool") if self.type_of(tested, own) is not None else None

    def _in(self, node: Relation, left: Type, right: Type) -> Type | None:
        if right.kind == "any":
            return Type("bool")
        if right.kind != "list" or right.items is None:
            return self._say(
                f"{self._quote(node)}: after `in` comes a list, such as ['a', 'b']; found {right.words}"
            )
        if not self._comparable(node, left, right.items):
            return None
        return Type("bool") if self._levels_meet(node, left, right.items) else None

    def _comparable(self, node: Relation, left: Type, right: Type) -> bool:
        if left.kind == right.kind or "any" in (left.kind, right.kind):
            return True
        message = f"{self._quote(node)} compares {left.words} with {right.words}"
        for one, other, side in ((left, right, node.right), (right, left, node.left)):
            if one.kind == "moment" and other.literal:
                message += f"; a date is written date('2021-01-31'), not {self._quote(side)}"
            elif one.kind == "text" and other.kind == "number" and isinstance(side, Literal):
                message += f"; what {one.words} says is text, so write '{self._quote(side)}'"
            elif one.kind == "number" and other.literal:
                message += "; a number is written without quotes"
        self._say(message)
        return False

    def _levels_meet(self, node: Relation, left: Type, right: Type) -> bool:
        if left.levels is None or right.levels is None or left.literal == right.literal:
            if left.levels and right.levels and not set(left.levels) & set(right.levels):
                self._say(f"{self._quote(node)} can never hold: the two have no level in common")
                return False
            return True
        written, declared = (left, right) if left.literal else (right, left)
        strange = [level for level in written.levels or () if level not in (declared.levels or ())]
        for level in strange:
            listed = nearest(level, declared.levels or ())
            self._say(f'{self._quote(node)}: "{level}" is not one of the levels. Levels: {listed}')
        return not strange

    def _chain(self, node: Chain, own: Mapping[str, Type]) -> Type | None:
        types = [self.type_of(operand, own) for operand in node.operands]
        if node.operators[0] in ("&&", "||"):
            fine = [
                self._must_be("bool", operand, found, f"`{node.operators[0]}`")
                for operand, found in zip(node.operands, types, strict=True)
            ]
            return Type("bool") if all(fine) else None
        total = types[0]
        for operator, operand, found in zip(node.operators, node.operands[1:], types[1:], strict=True):
            if total is None or found is None:
                return None
            if operator == "/" and isinstance(operand, Literal) and operand.value == 0:
                return self._say(f"{self._quote(node)} divides by zero")
            total = self._sum(node, operator, total, found)
        return total

    def _sum(self, node: Chain, operator: str, left: Type, right: Type) -> Type | None:
        if "any" in (left.kind, right.kind):
            return _ANY
        result = _ARITHMETIC.get((left.kind, operator, right.kind))
        if result is None:
            return self._say(f"{self._quote(node)}: `{operator}` cannot join {left.words} and {right.words}")
        return Type(result)

    def _choice(self, node: Choice, own: Mapping[str, Type]) -> Type | None:
        test = self._must_be("bool", node.test, self.type_of(node.test, own), "`?`")
        then, otherwise = self.type_of(node.then, own), self.type_of(node.otherwise, own)
        if test is None or then is None or otherwise is None:
            return None
        return self._either(node, [then, otherwise], "the two results of a choice")

    def _list(self, node: ListOf, own: Mapping[str, Type]) -> Type | None:
        types = [self.type_of(item, own) for item in node.items]
        if not types:
            return self._say("an empty list [] has nothing to be found in it")
        known = [found for found in types if found is not None]
        if len(known) < len(types):
            return None
        items = self._either(node, known, "the items of a list")
        return None if items is None else Type("list", items=items)

    def _either(self, node: Node, types: list[Type], what: str) -> Type | None:
        kinds = {found.kind for found in types}
        if "any" in kinds:
            return _ANY
        if len(kinds) > 1 or kinds & {"null", "list"}:
            found = " and ".join(dict.fromkeys(one.words for one in types))
            return self._say(
                f"{self._quote(node)}: {what} are of one type (text, numbers or dates); found {found}"
            )
        if any(one.levels is None for one in types):
            return Type(types[0].kind)
        levels = tuple(dict.fromkeys(level for one in types for level in one.levels or ()))
        return Type(types[0].kind, levels, literal=all(one.literal for one in types))

    def _call(self, node: Call, own: Mapping[str, Type]) -> Type | None:
        if node.function in MACROS and node.method:
            return self._macro(node, own)
        signature = FUNCTIONS.get(node.function)
        if signature is None:
            usages = nearest(node.function, [*FUNCTIONS, *MACROS])
            return self._say(f'"{node.function}" is not a function of expressions. Functions: {usages}')
        if signature.form == ("function" if node.method else "method"):
            return self._say(f"{self._quote(node)}: `{node.function}` is written {signature.usage}")
        if len(node.arguments) != len(signature.parameters):
            takes = f"takes {len(signature.parameters)} value{'s' * (len(signature.parameters) > 1)}"
            given = f"as in {signature.usage}; found {len(node.arguments)}"
            return self._say(f"{self._quote(node)}: `{node.function}` {takes}, {given}")
        if signature.parameters == ("written",):
            return self._written(node, signature.usage)
        if signature.parameters[0] in ("wave", "contact"):
            return self._say(f"{self._quote(node)} cannot be read; write {signature.usage}")
        types = [self.type_of(argument, own) for argument in node.arguments]
        for kind, argument, found in zip(signature.parameters, node.arguments, types, strict=True):
            if node.function == "size" and found is not None and found.kind == "list":
                continue
            if self._must_be(kind, argument, found, f"`{node.function}`") is None:
                return None
        return Type(signature.result)

    def _written(self, node: Call, usage: str) -> Type | None:
        (argument,) = node.arguments
        if isinstance(argument, Literal) and isinstance(argument.value, str):
            try:
                written_value(node.function, argument.value)
            except ValueError:
                return self._say(f"{self._quote(node)} cannot be read; write it as in {usage}")
            return Type(FUNCTIONS[node.function].result)
        return self._say(f"{self._quote(node)}: `{node.function}` takes a text in quotes, as in {usage}")

    def _macro(self, node: Call, own: Mapping[str, Type]) -> Type | None:
        usage = MACROS[node.function]
        variable = node.arguments[1] if len(node.arguments) == 3 else None
        if not isinstance(variable, Name):
            return self._say(f"{self._quote(node)} cannot be read; write it as in {usage}")
        listed, condition = node.arguments[0], node.arguments[2]
        if not re.fullmatch(r"[a-z][a-z0-9_]*", variable.name) or variable.name in self.schema.names:
            return self._say(
                f'"{variable.name}" cannot stand for each item: choose a name that is not used, as in {usage}'
            )
        found = self.type_of(listed, own)
        if found is None:
            return None
        if found.kind not in ("list", "any"):
            return self._say(f"{self._quote(node)}: `{node.function}` needs a list before it, as in {usage}")
        inner = {**own, variable.name: found.items or _ANY}
        return self._must_be("bool", condition, self.type_of(condition, inner), f"`{node.function}`")

    def _must_be(self, kind: str, node: Node, found: Type | None, what: str) -> Type | None:
        if found is None or found.kind in (kind, "any"):
            return None if found is None else Type(kind)
        return self._say(f"{what} needs {WORDS[kind]}, but {self._quote(node)} is {found.words}")

    def _wanted(self, kind: str) -> str:
        return "yes or no, a number, a text or a date" if kind == "any" else WORDS[kind]

    def _quote(self, node: Node) -> str:
        written = " ".join(self.text[node.start : node.end].split())
        return written if len(written) <= 60 else f"{written[:57]}..."

    def _say(self, message: str) -> Type | None:
        """Keep a message; the part has no type then."""
        self.messages.append(message)
        return None


_ARITHMETIC = {
    **{("number", operator, "number"): "number" for operator in "+-*/"},
    ("text", "+", "text"): "text",
    ("moment", "-", "moment"): "duration",
    ("moment", "+", "duration"): "moment",
    ("duration", "+", "moment"): "moment",
    ("moment", "-", "duration"): "moment",
    ("duration", "+", "duration"): "duration",
    ("duration", "-", "duration"): "duration",
}
