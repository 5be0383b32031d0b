"""Reads answers and expressions that are made to keep the program busy: run by `test_hostile_texts` within bounds."""

import json
from collections.abc import Iterator

from equipoise.errors import EquipoiseError
from equipoise.protocol.answering import read_answers
from equipoise.protocol.asked import Asked, Block
from equipoise.protocol.expressions import ColumnType, Schema, check_expression, compile_expression
from equipoise.protocol.questionnaire import QuestionPage

MOST = 40_000  # characters, few of what a form may hold; what takes the square of it dies here too
ASKED = (
    Asked("days", "number", "How many days?", low=0, high=20, unit="days"),
    Asked("hours", "number", "How many hours?", low=0, high=168, unit="hours per week", decimals=2),
    Asked("began", "date", "When did you begin?"),
    Asked("word", "text", "One word?"),
    Asked("more", "long-text", "Anything else?"),
)
TEXTS = (
    *("1" + " " * MOST + "x", "1" + "\u00a0" * (MOST // 2) + "h", "9" * MOST, "1," * (MOST // 2), "-" * MOST),
    *(
        "1 " + "hours " * (MOST // 6),
        "1-" * (MOST // 2),
        "1 " + "a" * MOST,
        "\u0301" * (MOST // 2),
    ),
    *("1 of " * (MOST // 5), "\u202e" * (MOST // 3), "ﷺ" * (MOST // 3), "1." * (MOST // 2)),
)
SCHEMA = Schema(
    columns={"age": ColumnType("integer"), "region": ColumnType("category")}, waves=(), contacts=()
)
LIST = "[" + ", ".join(["1"] * 50) + "]"
EXPRESSIONS = (
    "region.matches('(a+)+$')",
    "matches(region, '(a+)+$')",
    f"{LIST}.all(a, {LIST}.all(b, {LIST}.all(c, a + b + c > 0)))",
    f"{LIST}.exists(a, a > 1) && {LIST}.exists(b, b > 1)",
    "[" + "1, " * 400 + "1].all(a, a > 0)",
    "age > 1 && " * 90 + "age > 1",
    "(" * 500 + "age > 1" + ")" * 400,
    "!" * 900 + "(age > 1)",
    "'" + "\\\\" * 490 + "' == region",
    "'" + "\\" * 990,
    "region.contains('" + "a" * 900 + "')",
    "region" + ".lower()" * 100,
    "age." * 240 + "age",
    "999999999999999999999999999999 ** 99999",
    "age" + " " * 990 + "> 1",
    "__import__('os').system('true')",
    "region.__class__.__mro__",
)


def answers() -> Iterator[tuple[str, bool]]:
    """Each question with each text, and whether it was answered by a value or by what is wrong."""
    for asked in ASKED:
        page = QuestionPage("p", (Block(asked.key, (asked,)),))
        for text in TEXTS:
            read = read_answers(page, {asked.key: [text]})
            yield f"{asked.key}: {text[:6]!r}", bool(read.problems) or asked.key in read.answers


def expressions() -> Iterator[tuple[str, bool]]:
    """Each expression, and whether it is refused in words or gives an answer."""
    people = [{"age": 30, "region": "a" * 30}]
    for text in EXPRESSIONS:
        refused = bool(check_expression(text, SCHEMA, expects="bool"))
        try:
            compile_expression(text, SCHEMA, expects="bool").evaluate(people)
        except EquipoiseError:
            yield text[:40], refused
        else:
            yield text[:40], not refused


def main() -> None:
    said, judged = list(answers()), list(expressions())
    wrong = [name for name, answered in (*said, *judged) if not answered]
    print(json.dumps({"unanswered": wrong, "answers": len(said), "expressions": len(judged)}))


if __name__ == "__main__":
    main()
