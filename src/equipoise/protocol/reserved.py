"""Words that a study's own names may not take: the frame or an expression means something else by them."""

import re

__all__ = ["reserved_problem"]

COLUMNS = ("arm", "unit", "cluster", "period", "task", "position", "participant")
PREFIXES = ("answered_", "sent_", "dose_")
EXPRESSION_WORDS = (
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
)
TIMES = ("launch", "enrolled", "allocated", "now")
_PREFIX = re.compile("|".join(f"^{prefix}" for prefix in PREFIXES))


def reserved_problem(name: str) -> str | None:
    """Why a name cannot be used, or None."""
    if name in COLUMNS or _PREFIX.match(name) or name.endswith("_why"):
        return f'"{name}" is a column that the analysis frame has of its own; choose another name'
    if name in EXPRESSION_WORDS:
        return f'"{name}" is a word of the expression language; choose another name'
    if name in TIMES:
        return f'"{name}" is a word for a time; choose another name'
    return None
