"""`findings.json`: its JSON Schema, and every field in words."""

import json
from collections.abc import Iterator

from equipoise.findings.results import Finding, Findings, Interval, SeenByArm, Standardised
from generation.markdown import docstring, table
from generation.types_in_words import default_in_words, type_in_words, types_of

__all__ = ["SCHEMA", "pages", "schema"]

SCHEMA = "findings.schema.json"


def schema() -> str:
    """The JSON Schema of `findings.json`, draft 2020-12."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "findings.json"}
    generated = Findings.model_json_schema(mode="serialization")
    return json.dumps(generated | described, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def pages() -> Iterator[tuple[str, str]]:
    """The page and the schema beside it."""
    yield SCHEMA, schema()
    text = (
        "# `findings.json`\n\n"
        "What `equipoise analyse` writes and the only thing that a report may quote. The file's "
        "[JSON Schema](findings.schema.json) is generated from the code; NaN is written as null.\n"
    )
    for model in (Findings, Finding, Interval, Standardised, SeenByArm):
        annotations = types_of(model)
        rows = [
            (f"`{name}`", type_in_words(annotations[name], "findings", info), default_in_words(info))
            for name, info in model.model_fields.items()
        ]
        name = model.__name__
        text += f"\n(findings-{name.lower()})=\n## {name}\n\n{docstring(model)}\n"
        text += table(("Field", "What stands there", "If absent"), rows)
    yield "findings.md", text
