"""`diagnosis.json`: its JSON Schema, and every record in words."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import get_type_hints

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.diagnosed import Diagnosed, diagnosis_schema
from equipoise.diagnosis.performance import ClaimPerformance, Family, Performance, Rated
from equipoise.diagnosis.planning.beside import Beside, ClosedForm
from equipoise.diagnosis.planning.comparison import ClaimCompared, Compared, Comparison
from equipoise.diagnosis.planning.curves import Curve, Point
from equipoise.diagnosis.planning.money import Bought, Cost, Priced
from equipoise.diagnosis.planning.roots import Root, Step
from equipoise.diagnosis.planning.smallest import Needed
from generation.markdown import docstring, table
from generation.types_in_words import type_in_words

__all__ = ["SCHEMA", "pages"]

SCHEMA = "diagnosis.schema.json"
_RECORDS = (
    *(Diagnosed, Performance, ClaimPerformance, Family, Rated, Claim, Curve, Point, Needed, Root, Step),
    *(Beside, ClosedForm, Comparison, Compared, ClaimCompared, Bought, Priced, Cost),
)


def pages() -> Iterator[tuple[str, str]]:
    """The page and the schema beside it."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "diagnosis.json"}
    yield (
        SCHEMA,
        json.dumps(diagnosis_schema() | described, indent=2, ensure_ascii=False, sort_keys=True) + "\n",
    )
    text = (
        "# `diagnosis.json`\n\n"
        "What `equipoise diagnose` writes. The file's [JSON Schema](diagnosis.schema.json) is generated from "
        "the code; a figure that is not defined is null. See [how to diagnose a design]"
        "(../how-to/diagnose-a-design.md).\n"
    )
    for record in _RECORDS:
        types = get_type_hints(record, include_extras=True)
        rows = [(f"`{each.name}`", type_in_words(types[each.name], "diagnosis")) for each in fields(record)]
        text += f"\n(diagnosis-{record.__name__.lower()})=\n## {record.__name__}\n\n{docstring(record)}\n"
        text += table(("Field", "What stands there"), rows)
    yield "diagnosis.md", text
