"""The few pieces of Markdown that the pages are made of."""

import inspect
import re
from collections.abc import Iterable, Sequence

__all__ = ["docstring", "escaped", "fenced", "table"]

_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Yields):$")
_ENTRY = re.compile(r"^([A-Za-z_*][\w*.]*(?:, [A-Za-z_*][\w*.]*)*): (.*)$", re.DOTALL)
_CODE_SPAN = re.compile(r"(`[^`]*`)")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the caller has made its cells Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def fenced(text: str, language: str = "text") -> str:
    """A block of code, whatever fences it holds itself."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def escaped(text: str) -> str:
    """Plain text as Markdown; what stands between backticks is left alone."""
    pieces = _CODE_SPAN.split(text)
    return "".join(
        piece if place % 2 else re.sub(r"([\\*<>\[\]])", r"\\\1", piece).replace("`", "\\`")
        for place, piece in enumerate(pieces)
    )


def docstring(thing: object) -> str:
    """A docstring in Markdown: paragraphs, lists, blocks of code, and Args, Returns and Raises as lists."""
    text = inspect.getdoc(thing) or ""
    blocks: list[str] = []
    for block in _blocks(text):
        first, _, rest = block.partition("\n")
        if _SECTION.match(first):
            blocks.append(f"*{first.rstrip(':')}*\n\n{_entries(inspect.cleandoc('.' + chr(10) + rest)[2:])}")
        else:
            blocks.append(_block(block))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def _blocks(text: str) -> list[str]:
    """Paragraphs; a section of arguments ends where the next begins or its indentation ends."""
    blocks: list[list[str]] = [[]]
    in_section = False
    for line in text.splitlines():
        starts = bool(_SECTION.match(line))
        ends = in_section and line != "" and not line.startswith(" ")
        if starts or ends or (line == "" and not in_section):
            blocks.append([])
        in_section = starts or (in_section and not ends)
        blocks[-1].append(line)
    return [joined for block in blocks if (joined := "\n".join(block).strip("\n"))]


def _block(block: str) -> str:
    lines = block.splitlines()
    if lines[0].startswith(("  ", ">>>")):
        return fenced(inspect.cleandoc("\n" + block))
    if lines[0].startswith("- "):
        return escaped(block)
    return escaped(re.sub(r"^(#+|\d+[.)]|[-+])", r"\\\1", block, flags=re.MULTILINE))


def _entries(text: str) -> str:
    """`name: meaning` lines as a list; plain sentences stay sentences."""
    gathered: list[str] = []
    for line in text.splitlines():
        if gathered and line.startswith(" "):
            gathered[-1] += " " + line.strip()
        elif line.strip():
            gathered.append(line.strip())
    if not all(_ENTRY.match(entry) for entry in gathered):
        return escaped(" ".join(gathered))
    return "\n".join(
        f"- `{found[1]}`: {escaped(found[2])}" for entry in gathered if (found := _ENTRY.match(entry))
    )
