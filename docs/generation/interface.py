"""The interface for programs: its OpenAPI document, and every address of it in words."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from equipoise.platform.workspace import activate, create_workspace
from generation.markdown import escaped, table

__all__ = ["DOCUMENT", "pages"]

DOCUMENT = "openapi.json"


def pages() -> Iterator[tuple[str, str]]:
    """The document, and the page that says the same in words."""
    text = _document()
    yield DOCUMENT, text
    yield "api.md", _page(json.loads(text))


def _document() -> str:
    """The document as the platform gives it; its settings are those of a workspace, so it gets one."""
    with tempfile.TemporaryDirectory() as folder:
        activate(create_workspace(Path(folder) / "workspace", mode="rehearsal"))
        from equipoise.platform.api.document import document_text
        from equipoise.platform.api.interface import interface

        return document_text(interface)


def _page(said: Mapping[str, Any]) -> str:
    text = (
        "# The interface for programs\n\n"
        "What a service can ask by its token. How to make one, with examples, is in "
        "[a guide](../how-to/use-the-api.md). The same for programs is the "
        "[OpenAPI document](openapi.json), which every workspace also gives at `/api/1/openapi.json`.\n"
    )
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in said["paths"].items()
        for method, operation in methods.items()
    ]
    everywhere = set.intersection(*(set(operation["responses"]) for _, operation in operations))
    for address, operation in operations:
        text += _operation(address, operation, leave_out=everywhere)
    answers = {code: answer for code, answer in operations[0][1]["responses"].items() if code in everywhere}
    text += "\n## Refused everywhere\n\n" + _answers(answers)
    text += "\n## What is answered\n"
    for name, schema in said["components"]["schemas"].items():
        text += f"\n(api-{name.lower()})=\n### {name}\n\n{escaped(schema.get('description', ''))}\n\n"
        text += table(("Field", "Type"), [(f"`{key}`", _type(each)) for key, each in _fields(schema)])
    return text


def _operation(address: str, operation: Mapping[str, Any], leave_out: Set[str]) -> str:
    ((scopes,),) = (each.values() for each in operation["security"])
    text = f"\n## `{address}`\n\n{escaped(operation['description'])}\n\nScope: `{'`, `'.join(scopes)}`\n"
    asked = [each for each in operation["parameters"] if each["in"] == "query"]
    if asked:
        rows = [
            (f"`{each['name']}`", _type(each["schema"]), escaped(each["schema"].get("description", "")))
            for each in asked
        ]
        text += "\n" + table(("In the address", "Type", "What for"), rows)
    if body := operation.get("requestBody", {}).get("content"):
        rows = [(f"`{kind}`", _type(each["schema"])) for kind, each in body.items()]
        text += "\n" + table(("Sent as", "What"), rows)
    own = {code: answer for code, answer in operation["responses"].items() if code not in leave_out}
    return text + "\n" + _answers(own)


def _answers(answers: Mapping[str, Any]) -> str:
    rows = [(code, escaped(each["description"]), _content(each)) for code, each in answers.items()]
    return table(("Status", "When", "Answered with"), rows)


def _content(answer: Mapping[str, Any]) -> str:
    return ", ".join(_type(each["schema"]) for each in answer.get("content", {}).values())


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from schema.get("properties", {}).items()


def _type(schema: Mapping[str, Any]) -> str:
    """A JSON Schema in a few words, with a link where it has a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#api-{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("format") == "binary":
        return "file"
    named = {"null": "nothing", "integer": "whole number", "boolean": "`true` or `false`", "string": "text"}
    if "additionalProperties" in schema:
        return "numbers by name"
    if "properties" in schema:
        return ", ".join(f"`{name}`: {_type(each)}" for name, each in schema["properties"].items())
    return {"date-time": "moment (UTC)", "date": "day"}.get(
        schema.get("format", ""), named.get(schema.get("type", ""), "text")
    )
