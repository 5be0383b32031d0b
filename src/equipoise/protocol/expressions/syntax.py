"""An expression as a tree, for checking only: what it evaluates to is the CEL library's business."""

from dataclasses import dataclass, replace

from equipoise.errors import ProtocolError
from equipoise.protocol.expressions.functions import MACROS
from equipoise.protocol.expressions.tokens import Token, tokens

__all__ = [
    "DEEPEST",
    "LONGEST_LIST",
    "Call",
    "Chain",
    "Choice",
    "Fact",
    "ListOf",
    "Literal",
    "Name",
    "Node",
    "Relation",
    "Sign",
    "parse",
]

DEEPEST = 20
LONGEST_LIST = 50

_RELATIONS = ("==", "!=", "<", "<=", ">", ">=", "in")
_LEVELS = (("||",), ("&&",), ("+", "-"), ("*", "/"))


@dataclass(frozen=True)
class _Part:
    start: int
    end: int


@dataclass(frozen=True)
class Literal(_Part):
    """A text, a number, true, false or null as written."""

    value: str | float | bool | None


@dataclass(frozen=True)
class Name(_Part):
    """A column, a constant, or a macro's own variable."""

    name: str


@dataclass(frozen=True)
class Fact(_Part):
    """`answered(WAVE)` or `sent(CONTACT)`."""

    function: str
    argument: str


@dataclass(frozen=True)
class Sign(_Part):
    """`!a` or `-a`."""

    operator: str
    operand: "Node"


@dataclass(frozen=True)
class Relation(_Part):
    """`a == b` and its like; never a chain of them."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True)
class Chain(_Part):
    """`a && b && c`, `a + b - c`: operators of one precedence, from left to right."""

    operators: tuple[str, ...]
    operands: tuple["Node", ...]


@dataclass(frozen=True)
class Choice(_Part):
    """`test ? then : otherwise`."""

    test: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True)
class Call(_Part):
    """A function or macro; the receiver of a method is its first argument."""

    function: str
    arguments: tuple["Node", ...]
    method: bool


@dataclass(frozen=True)
class ListOf(_Part):
    """`[a, b, c]`."""

    items: tuple["Node", ...]


Node = Literal | Name | Fact | Sign | Relation | Chain | Choice | Call | ListOf


def parse(text: str) -> Node:
    """The tree of an expression.

    Raises:
        ProtocolError: it cannot be read, or is longer, deeper or larger than allowed.
    """
    parser = _Parser(tokens(text))
    node = parser.whole()
    parser.expect_end()
    return node


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self.words = words
        self.place = 0
        self.depth = 0
        self.macros = 0

    def whole(self) -> Node:
        """`a ? b : c`, and all that binds tighter."""
        self._deeper()
        node = self._chain(0)
        if self._takes("?"):
            then = self._chain(0)
            if not self._takes(":"):
                raise self._unexpected(
                    "a `:` and what holds otherwise (a choice inside a choice needs brackets)"
                )
            otherwise = self.whole()
            node = Choice(node.start, otherwise.end, node, then, otherwise)
        self.depth -= 1
        return node

    def expect_end(self) -> None:
        """Nothing may be left over."""
        if self._word.sort != "end":
            raise self._unexpected("an operator (&&, ||, ==, <, in, +) or the end")

    @property
    def _word(self) -> Token:
        return self.words[self.place]

    def _chain(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._signed()
        below = self._relation if level == 1 else lambda: self._chain(level + 1)
        operands, operators = [below()], []
        while operator := self._takes(*_LEVELS[level]):
            operators.append(operator)
            operands.append(below())
        if not operators:
            return operands[0]
        return Chain(operands[0].start, operands[-1].end, tuple(operators), tuple(operands))

    def _relation(self) -> Node:
        left = self._chain(2)
        operator = self._takes(*_RELATIONS)
        if operator is None:
            return left
        right = self._chain(2)
        if self._word.text in _RELATIONS and self._word.sort != "text":
            raise ProtocolError(
                f"two comparisons follow each other at character {self._word.start + 1}; "
                "join them with &&, as in `1 < a && a < 3`, or put brackets"
            )
        return Relation(left.start, right.end, operator, left, right)

    def _signed(self) -> Node:
        first = self._word
        sign = self._takes("!", "-")
        if sign is None:
            return self._member()
        self._deeper()
        operand = self._signed() if self._word.text == sign else self._member()
        self.depth -= 1
        return Sign(first.start, operand.end, sign, operand)

    def _member(self) -> Node:
        node = self._primary()
        calls = 0
        while self._takes("."):
            self._deeper()
            calls += 1
            name = self._word
            if name.sort != "name" or self.words[self.place + 1].text != "(":
                raise self._unexpected("a function such as `.contains('a')`; nothing else follows a dot")
            self.place += 1
            arguments = (node, *self._arguments("(", ")"))
            node = Call(node.start, self.words[self.place - 1].end, name.text, arguments, method=True)
            self._count_macro(name)
        self.depth -= calls
        if self._word.text == "[" and self._word.sort == "sign":
            raise ProtocolError(
                f"[ at character {self._word.start + 1}: items of lists cannot be picked out in protocols"
            )
        return node

    def _primary(self) -> Node:
        word = self._word
        if word.text == "(":
            self.place += 1
            node = self.whole()
            if not self._takes(")"):
                raise self._unexpected("a closing bracket")
            return replace(node, start=word.start, end=self.words[self.place - 1].end)
        if word.text == "[" and word.sort == "sign":
            items = self._arguments("[", "]")
            if len(items) > LONGEST_LIST:
                raise ProtocolError(f"a list of {len(items)} items; at most {LONGEST_LIST} are allowed")
            return ListOf(word.start, self.words[self.place - 1].end, items)
        if word.sort in ("fact", "number", "text"):
            self.place += 1
            return _atom(word)
        if word.sort == "name" and word.text != "in":
            self.place += 1
            return self._named(word)
        raise self._unexpected("a name, a number or a text in quotes")

    def _named(self, word: Token) -> Node:
        if word.text in ("true", "false", "null"):
            value = None if word.text == "null" else word.text == "true"
            return Literal(word.start, word.end, value)
        if self._word.text != "(":
            return Name(word.start, word.end, word.text)
        arguments = self._arguments("(", ")")
        return Call(word.start, self.words[self.place - 1].end, word.text, arguments, method=False)

    def _arguments(self, opening: str, closing: str) -> tuple[Node, ...]:
        if not self._takes(opening):
            raise self._unexpected(f"`{opening}`")
        found: list[Node] = []
        if self._takes(closing):
            return ()
        while True:
            found.append(self.whole())
            if self._takes(closing):
                return tuple(found)
            if not self._takes(","):
                raise self._unexpected(f"a comma or `{closing}`")

    def _takes(self, *signs: str) -> str | None:
        word = self._word
        if word.sort in ("sign", "name") and word.text in signs:
            self.place += 1
            return word.text
        return None

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ProtocolError(
                f"the expression is nested more than {DEEPEST} deep; give a part a name under `derived`"
            )

    def _count_macro(self, name: Token) -> None:
        self.macros += name.text in MACROS
        if self.macros > 1:
            raise ProtocolError(
                f"more than one of {', '.join(MACROS)}; at most one is allowed in an expression"
            )

    def _unexpected(self, wanted: str) -> ProtocolError:
        word = self._word
        found = "the expression ends" if word.sort == "end" else f'"{word.text}" stands'
        return ProtocolError(f"{found} at character {word.start + 1}; expected {wanted}")


def _atom(word: Token) -> Node:
    if word.sort == "fact":
        function, _, argument = word.text.partition("(")
        return Fact(word.start, word.end, function.strip(), argument[:-1].strip())
    return Literal(word.start, word.end, word.value if word.sort == "text" else float(word.text))
