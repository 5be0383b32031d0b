"""The codebook as a data package with Table Schemas (Frictionless), which programs read.

https://datapackage.org, version 2. What the standard has no word for (reasons of missing values, what was
asked, what the mask withholds) stands in properties of our own, as the standard allows.
"""

import json
from collections.abc import Mapping
from typing import Any

from equipoise.exchange.codebook import Codebook, Table
from equipoise.exchange.variables import Variable

__all__ = ["data_package", "data_package_text"]

_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_TYPES = {
    "identifier": "string",
    "text": "string",
    "category": "string",
    "integer": "integer",
    "number": "number",
    "yes-no": "boolean",
    "date": "date",
    "moment": "datetime",
    "any": "any",
}
_MEDIA_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def data_package(codebook: Codebook, paths: Mapping[str, str]) -> dict[str, Any]:
    """The package's description.

    Args:
        codebook: of the tables.
        paths: where the file of each table lies, from the folder of the description: `participants.csv`.
            A table without a path has no file and is left out.
    """
    return {
        "$schema": _PROFILE,
        "name": codebook.study,
        "title": codebook.title,
        "masked": codebook.masked,
        **({"limitsOfTheMask": list(codebook.limits)} if codebook.limits else {}),
        "synthetic": codebook.synthetic,
        "resources": [
            _resource(codebook, table, paths[table.name]) for table in codebook.tables if table.name in paths
        ],
    }


def data_package_text(codebook: Codebook, paths: Mapping[str, str]) -> str:
    """`datapackage.json`: the description as text; arguments as for `data_package`."""
    return json.dumps(data_package(codebook, paths), indent=1, ensure_ascii=False) + "\n"


def _resource(codebook: Codebook, table: Table, path: str) -> dict[str, Any]:
    ending = path.rpartition(".")[2].lower()
    schema: dict[str, Any] = {"fields": [_field(one, table) for one in table.shown], "missingValues": [""]}
    if table.key:
        schema["primaryKey"] = list(table.key)
    if table.name != "participants" and table.key and _has(codebook, "participants"):
        people = {"resource": "participants", "fields": [table.key[0]]}
        schema["foreignKeys"] = [{"fields": [table.key[0]], "reference": people}]
    described: dict[str, Any] = {"name": table.name, "title": table.title, "path": path, "format": ending}
    if ending in _MEDIA_TYPES:
        described["mediatype"] = _MEDIA_TYPES[ending]
    if ending == "csv":
        described["encoding"] = "utf-8"
    described["schema"] = schema
    gone = [
        {"name": one.name, "title": one.label, "reason": one.withheld}
        for one in table.variables
        if one.withheld is not None
    ]
    return described | ({"withheld": gone} if gone else {})


def _has(codebook: Codebook, name: str) -> bool:
    return any(table.name == name for table in codebook.tables)


def _field(variable: Variable, table: Table) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": variable.name,
        "type": _TYPES[variable.type],
        "title": variable.label,
        "description": variable.source,
    }
    if variable.type == "yes-no":
        field |= {"trueValues": ["1", "true"], "falseValues": ["0", "false"]}
    if constraints := _constraints(variable, table):
        field["constraints"] = constraints
    if variable.values and variable.type in ("category", "integer"):
        field["categories"] = [
            {"value": int(code) if variable.type == "integer" else code, "label": words}
            for code, words in variable.values.items()
        ]
    own = {
        "unit": variable.unit,
        "missingReason": variable.why,
        "wave": variable.wave,
        "question": variable.question,
        "instrument": variable.instrument,
        "item": variable.item,
        "score": variable.score,
    }
    return field | {name: value for name, value in own.items() if value is not None}


def _constraints(variable: Variable, table: Table) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if variable.name in table.key:
        found["required"] = True
    if table.key == (variable.name,):
        found["unique"] = True
    if variable.type in ("integer", "number"):
        limits = {"minimum": variable.low, "maximum": variable.high}
        found |= {name: _plain(limit) for name, limit in limits.items() if limit is not None}
    if variable.values and variable.type == "category":
        found["enum"] = list(variable.values)
    return found


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number
