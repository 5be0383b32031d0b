"""Expressions against a reading of our own of three-valued logic, on generated expressions and people."""

from dataclasses import dataclass

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import ProtocolError
from equipoise.protocol.expressions import ColumnType, Schema, check_expression, compile_expression

LEVELS = ("north", "south")
SCHEMA = Schema(
    columns={
        "x": ColumnType("integer"),
        "y": ColumnType("number"),
        "p": ColumnType("yes-no"),
        "q": ColumnType("yes-no"),
        "region": ColumnType("category", LEVELS),
    },
    waves=("after",),
)


@dataclass(frozen=True)
class Case:
    """An expression with what it should say of a person; None is unknown."""

    text: str
    says: object


def _and(left, right):
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _known(function, *values):
    return None if any(value is None for value in values) else function(*values)


NUMBERS = st.recursive(
    st.sampled_from(["x", "y"]).map(lambda name: Case(name, lambda row: row[name]))
    | st.integers(0, 5).map(lambda number: Case(str(number), lambda row: float(number))),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: _sum(*parts))
        | inner.map(lambda one: Case(f"-({one.text})", lambda row: _known(lambda a: -a, one.says(row))))
    ),
    max_leaves=4,
)


def _sum(left, sign, right):
    compute = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b if b else None,
    }[sign]
    return Case(
        f"({left.text}) {sign} ({right.text})", lambda row: _known(compute, left.says(row), right.says(row))
    )


def _comparison(left, sign, right):
    compute = {"<": lambda a, b: a < b, "==": lambda a, b: a == b, ">=": lambda a, b: a >= b}[sign]
    return Case(
        f"{left.text} {sign} {right.text}", lambda row: _known(compute, left.says(row), right.says(row))
    )


LEAVES = st.one_of(
    st.sampled_from(["p", "q"]).map(lambda name: Case(name, lambda row: row[name])),
    st.sampled_from(["x", "region", "p"]).map(
        lambda name: Case(f"{name} == null", lambda row: row[name] is None)
    ),
    st.sampled_from(["y", "region"]).map(
        lambda name: Case(f"{name} != null", lambda row: row[name] is not None)
    ),
    st.sampled_from(LEVELS).map(
        lambda level: Case(f"region == '{level}'", lambda row: _known(lambda a: a == level, row["region"]))
    ),
    st.just(Case("answered(after)", lambda row: row["answered_after"] is not None)),
    st.tuples(NUMBERS, st.sampled_from(["<", "==", ">="]), NUMBERS).map(lambda parts: _comparison(*parts)),
)


def _joined(parts):
    left, sign, right = parts
    if sign == "&&":
        return Case(f"({left.text}) && ({right.text})", lambda row: _and(left.says(row), right.says(row)))
    negated = lambda row: _and(  # noqa: E731 a or b is not (not a and not b)
        _known(lambda a: not a, left.says(row)), _known(lambda a: not a, right.says(row))
    )
    return Case(f"({left.text}) || ({right.text})", lambda row: _known(lambda a: not a, negated(row)))


CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(_joined)
        | inner.map(lambda one: Case(f"!({one.text})", lambda row: _known(lambda a: not a, one.says(row))))
    ),
    max_leaves=5,
)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "x": st.none() | st.integers(-3, 3),
            "y": st.none() | st.sampled_from([-1.5, 0.0, 0.5, 2.0]),
            "p": st.none() | st.booleans(),
            "q": st.none() | st.booleans(),
            "region": st.none() | st.sampled_from(LEVELS),
            "answered_after": st.none() | st.just("2021-05-01"),
        }
    ),
    min_size=1,
    max_size=6,
)
TYPES = {
    "x": pl.Int64,
    "y": pl.Float64,
    "p": pl.Boolean,
    "q": pl.Boolean,
    "region": pl.String,
    "answered_after": pl.String,
}


@settings(deadline=None, max_examples=300)
@given(CONDITIONS, PEOPLE)
def test_the_answers_are_those_of_three_valued_logic(case, people):
    messages = check_expression(case.text, SCHEMA, expects="bool")
    if messages:
        assert all(
            "divides by zero" in message or "nested" in message or "characters" in message
            for message in messages
        )
        return
    expected = [case.says(person) for person in people]
    found = compile_expression(case.text, SCHEMA)
    assert found.evaluate(people) == expected
    assert found.evaluate_frame(pl.DataFrame(people, schema=TYPES)).to_list() == expected


PIECES = """
    x y p region null true 1 2.5 'north' 'a' ( ) [ ] , . && || ! == != < >= in + - * / ? : = & { \\ " '
    lower size contains exists all answered(after) sent(x) date('2021-01-31') duration('2') years_between
    launch duration('2days')
"""
WORDS = st.sampled_from(PIECES.split())


@settings(deadline=None, max_examples=500)
@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=30))
def test_whatever_is_written_is_answered_by_messages_or_evaluates(text):
    messages = check_expression(text, SCHEMA)
    if messages:
        assert all(message.strip() for message in messages)
        return
    person = {"x": 1, "y": 0.5, "p": True, "q": None, "region": "north", "answered_after": None}
    compile_expression(text, SCHEMA).evaluate([person, {}])


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 3000), st.sampled_from(["(", "[", "!", "-", "p ? ", "x + ", "lower("]))
def test_depth_and_length_end_in_a_message_and_never_in_a_crash(depth, piece):
    text = piece * depth + "p"
    if check_expression(text, SCHEMA):
        try:
            compile_expression(text, SCHEMA)
        except ProtocolError:
            return
        raise AssertionError("compiled what the check refuses")
    compile_expression(text, SCHEMA).evaluate([{"p": True, "x": 1}])
