"""Expressions: the conditions and derived values of a protocol, in CEL (Common Expression Language).

A protocol's expressions are read twice. Here, when a protocol is loaded, for what a person may have got
wrong: names, functions, types, levels, size. And by the CEL library, which alone says what they evaluate
to.

    eligible: "started_on <= launch && mobile != null"
    among:    "cohort == '2021' && years_between(started_on, launch) < 2"
    second:   "!answered(checkin)"

An expression that meets a missing value without a null test is *unknown*, unless the rest decides it:
`false && unknown` is false, `true || unknown` is true.
"""

from equipoise.protocol.expressions.checking import Expected, check_expression
from equipoise.protocol.expressions.evaluation import Answer, Expression, compile_expression
from equipoise.protocol.expressions.functions import FUNCTIONS, Signature
from equipoise.protocol.expressions.schema import KINDS, ColumnType, Schema

__all__ = [
    "FUNCTIONS",
    "KINDS",
    "Answer",
    "ColumnType",
    "Expected",
    "Expression",
    "Schema",
    "Signature",
    "check_expression",
    "compile_expression",
]
