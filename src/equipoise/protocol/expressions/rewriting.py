"""An expression as the CEL library is to read it.

The library has no null, refuses dates without a time and counts in three kinds of number. So whole numbers
become doubles, null tests and facts hidden names of yes or no, and written dates hidden names of moments.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from equipoise.protocol.expressions.checking import is_null_test, written_value
from equipoise.protocol.expressions.functions import MACROS
from equipoise.protocol.expressions.schema import Schema
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
)
from equipoise.protocol.expressions.values import moment

__all__ = ["Rewriting", "fact_column"]

# Dividing by zero is unknown. The library makes it infinite; an index beyond a list is an error.
NOT_ZERO = "[{}].filter(_q, _q != 0.0)[0]"


def fact_column(function: str, name: str) -> str:
    """The column that tells a fact: `answered_after`, `sent_weekly_message`."""
    return f"{function}_{name.replace('-', '_')}"


class Rewriting:
    """What to put in place of which part, and what the expression needs."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.replacements: dict[int, tuple[int, str]] = {}
        self.openings: dict[int, str] = {}
        self.closings: dict[int, str] = {}
        self.valued: dict[str, None] = {}
        self.tested: dict[str, str] = {}
        self.facts: dict[tuple[str, str], str] = {}
        self.fixed: dict[str, datetime | timedelta] = {}
        self.functions: set[str] = set()

    def visit(self, node: Node, own: frozenset[str]) -> None:
        """Note what a part needs; `own` are the variables of macros around it."""
        match node:
            case Literal():
                if isinstance(node.value, float):
                    self._replace(node, repr(node.value))
            case Name():
                if node.name not in own:
                    self.valued[node.name] = None
            case Fact():
                self.functions.add(node.function)
                hidden = self.facts.setdefault((node.function, node.argument), f"_fact{len(self.facts)}")
                self._replace(node, hidden)
            case Sign():
                self.visit(node.operand, own)
            case Relation():
                self._relation(node, own)
            case Chain():
                self._chain(node, own)
            case Choice():
                for part in (node.test, node.then, node.otherwise):
                    self.visit(part, own)
            case ListOf():
                for part in node.items:
                    self.visit(part, own)
            case Call():
                self._call(node, own)

    def applied(self, text: str) -> str:
        """The text as the library is to read it."""
        written, place = "", 0
        while place <= len(text):
            written += self.closings.get(place, "") + self.openings.get(place, "")
            end, replacement = self.replacements.get(place, (place + 1, text[place : place + 1]))
            written, place = written + replacement, end
        return written

    def _replace(self, node: Node, written: str) -> None:
        self.replacements[node.start] = (node.end, written)

    def _wrap(self, node: Node, before: str, after: str) -> None:
        """Outer parts are visited first: their openings stand first, and their closings last."""
        self.openings[node.start] = self.openings.get(node.start, "") + before
        self.closings[node.end] = after + self.closings.get(node.end, "")

    def _relation(self, node: Relation, own: frozenset[str]) -> None:
        if not is_null_test(node):
            self.visit(node.left, own)
            self.visit(node.right, own)
            return
        tested = node.left if isinstance(node.left, Name) else node.right
        if isinstance(tested, Name):
            hidden = self.tested.setdefault(tested.name, f"_missing{len(self.tested)}")
            self._replace(node, hidden if node.operator == "==" else f"(!{hidden})")

    def _chain(self, node: Chain, own: frozenset[str]) -> None:
        for place, operand in enumerate(node.operands):
            if place and node.operators[place - 1] == "/" and not isinstance(operand, Literal):
                self._wrap(operand, *NOT_ZERO.split("{}"))
            self.visit(operand, own)

    def _call(self, node: Call, own: frozenset[str]) -> None:
        self.functions.add(node.function)
        first = node.arguments[0]
        if isinstance(first, Literal) and node.function in ("date", "timestamp", "duration"):
            hidden = f"_fixed{len(self.fixed)}"
            self.fixed[hidden] = written_moment(node.function, str(first.value), ZoneInfo(self.schema.zone))
            self._replace(node, hidden)
            return
        arguments = node.arguments
        if node.function in MACROS and isinstance(arguments[1], Name):
            own, arguments = own | {arguments[1].name}, (arguments[0], arguments[2])
        if node.function == "size":
            self._wrap(node, "double(", ")")
        for argument in arguments:
            self.visit(argument, own)


def written_moment(function: str, text: str, zone: ZoneInfo) -> datetime | timedelta:
    """What a date, moment or length of time that is written in an expression is in UTC."""
    value = written_value(function, text)
    return value if isinstance(value, timedelta) else moment(value, zone)
