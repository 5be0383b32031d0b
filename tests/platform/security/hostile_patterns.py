"""Tries every pattern of the source on texts made to keep it busy: run by `test_hostile_texts` within bounds.

A pattern that takes the square of a text's length needs seconds for these texts, one that does not milliseconds:
whichever needs more than `SECONDS` of the processor is named.
"""

import ast
import importlib
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import django

import equipoise

PACKAGE = Path(equipoise.__file__).parent
LENGTH = 20_000
SECONDS = 0.3  # of the processor, for all texts together
ANYWHERE = ("search", "finditer", "findall", "sub", "split")  # the others begin at the beginning
UNITS = (
    *(
        "a",
        "A",
        " ",
        "\t",
        "\n",
        "0",
        "0,",
        "1.",
        "-",
        "_",
        ".",
        "/",
        "<",
        "{",
        "{{",
        "(",
        "[",
        "'",
        '"',
        "\\",
    ),
    *("a ", "aA", "a.", "a-", "a@", "%s", "é", "=", "*", "`", "|", "&a", "0 ", "x=", "](", "--"),
)
# Met with texts whose length is bounded before, or anchored by how they are called.
FORMATTED = {
    "protocol/entries.py": "300 characters",
    "protocol/reserved.py": "a name",
    "roster/spreadsheets.py": "a cell",
}


class TooSlowError(Exception):
    """So much of the processor has gone by."""


def patterns() -> Iterator[tuple[str, re.Pattern, tuple[str, ...]]]:
    """Where, the pattern, and by which of its methods it is asked."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree, place = ast.parse(path.read_text("utf-8")), path.relative_to(PACKAGE).as_posix()
        if "re" not in {
            name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
        }:
            continue
        asked: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                asked.setdefault(node.value.id, set()).add(node.attr)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and _is_re(node.func.value)
            ):
                yield from _inline(place, node)
        module = importlib.import_module(
            "equipoise." + place.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        )
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{place} {name}", value, tuple(asked.get(name, ())) or ANYWHERE


def _is_re(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "re"


def _inline(place: str, call: ast.Call) -> Iterator[tuple[str, re.Pattern, tuple[str, ...]]]:
    """A pattern that is given outright to a function of `re`."""
    method, said = call.func.attr, call.args[0] if call.args else None
    if method in ("compile", "escape") or said is None or isinstance(said, ast.Name):
        return
    if not isinstance(said, ast.Constant):
        assert place in FORMATTED, f"{place}:{call.lineno}: say what bounds the text"
        return
    flags = [node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute) and _is_re(node.value)]
    given = sum(getattr(re, name) for name in flags if name.isupper())
    yield f"{place}:{call.lineno}", re.compile(said.value, given), (method,)


def is_slow(pattern: re.Pattern, methods: tuple[str, ...]) -> bool:
    """Whether the texts keep it busy for too long."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        for unit in UNITS:
            text = unit * (LENGTH // len(unit)) + "!"
            for method in {"search" if one in ANYWHERE else one for one in methods} & {
                "search",
                "match",
                "fullmatch",
            }:
                getattr(pattern, method)(text if isinstance(pattern.pattern, str) else text.encode())
    except TooSlowError:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return False


def _stop(*_: object) -> None:
    raise TooSlowError


def main() -> None:
    django.setup()  # the workspace is that of the tests
    signal.signal(signal.SIGVTALRM, _stop)
    found = list(patterns())
    slow = [f"{place}: {pattern.pattern!r}" for place, pattern, methods in found if is_slow(pattern, methods)]
    known = [text for text in ("(a+)+$", r"\s+$") if is_slow(re.compile(text), ("search",))]
    print(json.dumps({"slow": slow, "patterns": len(found), "texts": len(UNITS), "would notice": known}))


if __name__ == "__main__":
    main()
