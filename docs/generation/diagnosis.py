"""`diagnosis.json`: its JSON Schema, and every record in words."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.diagnosed import Diagnosed, diagnosis_schema
from equipoise.diagnosis.performance import ClaimPerformance, Family, Performance, Rated
from equipoise.diagnosis.planning.advice import Advice
from equipoise.diagnosis.planning.beside import Beside, ClosedForm
from equipoise.diagnosis.planning.comparison import ClaimCompared, Compared, Comparison
from equipoise.diagnosis.planning.curves import Curve, Point
from equipoise.diagnosis.planning.money import Bought, Cost, Priced
from equipoise.diagnosis.planning.objections import Objection
from equipoise.diagnosis.planning.remedies import Change, Remedy
from equipoise.diagnosis.planning.roots import Root, Step
from equipoise.diagnosis.planning.smallest import Needed
from equipoise.diagnosis.scenario import Scenario
from equipoise.protocol.models.allocation import Unit
from equipoise.protocol.models.variations import Variation
from generation.markdown import docstring, table
from generation.types_in_words import type_in_words

__all__ = ["SCHEMA", "pages"]

SCHEMA = "diagnosis.schema.json"
_RECORDS = (
    *(Diagnosed, Performance, ClaimPerformance, Family, Rated, Claim, Curve, Point, Needed, Root, Step),
    *(Beside, ClosedForm, Comparison, Compared, ClaimCompared, Bought, Priced, Cost),
    *(Advice, Remedy, Change, Objection, Scenario, Variation, Unit),
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
        rows = [(f"`{name}`", type_in_words(types[name], "diagnosis")) for name in _names(record)]
        text += f"\n(diagnosis-{record.__name__.lower()})=\n## {record.__name__}\n\n{docstring(record)}\n"
        text += table(("Field", "What stands there"), rows)
    yield "diagnosis.md", text


def _names(record: Any) -> list[str]:
    return [each.name for each in fields(record)] if is_dataclass(record) else list(record.model_fields)
