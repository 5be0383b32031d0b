"""An expression as words: the first reading, which refuses what CEL has and protocols do not need."""

import re
from dataclasses import dataclass

from equipoise.errors import ProtocolError

__all__ = ["LONGEST", "Token", "tokens"]

LONGEST = 1_000

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<fact>(?:answered|sent)\s*\(\s*[^()]*\))
    | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/<>!?:(),.\[\]])
    """,
    re.VERBOSE,
)
_ADVICE = {
    "=": "a comparison is written `==`",
    "&": "`and` is written `&&`",
    "|": "`or` is written `||`",
    "%": "there is no remainder in protocols",
    "{": "there are no maps in protocols; a list is written ['a', 'b']",
    "‘": "quotation marks are straight: 'text'",
    "’": "quotation marks are straight: 'text'",
    "“": "quotation marks are straight: 'text'",
    "”": "quotation marks are straight: 'text'",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "'": "a quotation mark is not closed",
    '"': "a quotation mark is not closed",
}
_WORDS = {"and": "&&", "or": "||", "not": "!", "is": "==", "True": "true", "False": "false", "None": "null"}
_ESCAPES = {"'": "'", '"': '"', "\\": "\\", "n": "\n", "t": "\t"}


@dataclass(frozen=True)
class Token:
    """A word of an expression: its sort (fact, number, name, text, sign, end), its text and its place."""

    sort: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place after it."""
        return self.start + len(self.text)

    @property
    def value(self) -> str:
        """A text without its quotation marks and escapes."""
        return re.sub(r"\\(.)", lambda escape: _ESCAPES[escape[1]], self.text[1:-1])


def tokens(text: str) -> list[Token]:
    """The words of an expression, ending with one of sort `end`.

    Raises:
        ProtocolError: too long, empty, or a sign that expressions do not have.
    """
    if len(text) > LONGEST:
        raise ProtocolError(f"the expression has {len(text):,} characters; at most {LONGEST:,} are allowed")
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ProtocolError(_refused(text, place))
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], place))
            _check(found[-1], text)
        place = match.end()
    if not found:
        raise ProtocolError("the expression is empty; leave the key out if nothing is to be asked")
    return [*found, Token("end", "", len(text))]


def _check(token: Token, text: str) -> None:
    if token.sort == "text":
        for escape in re.findall(r"\\(.)", token.text[1:-1], re.DOTALL):
            if escape not in _ESCAPES:
                raise ProtocolError(
                    f"\\{escape} in {token.text} is not allowed; after \\ comes ' or \" or \\ or n or t"
                )
    after = text[token.end : token.end + 1]
    if token.sort == "number" and (after.isalnum() or after == "_"):
        word = re.match(r"\w+", text[token.start :])
        raise ProtocolError(
            f'"{word[0] if word else after}" is neither a number nor a name; a text stands in quotes'
        )
    if token.sort == "name" and token.text in _WORDS:
        raise ProtocolError(f'"{token.text}" is no word of expressions; write `{_WORDS[token.text]}`')
    if token.sort == "name" and after in ("'", '"'):
        raise ProtocolError(f"{token.text}{after}: a text has no letters before its quotation mark")


def _refused(text: str, place: int) -> str:
    sign = text[place]
    advice = _ADVICE.get(sign, "it is no part of an expression")
    return f'"{sign}" at character {place + 1} is not allowed: {advice}'
