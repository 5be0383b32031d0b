"""The description of the interface for programs (OpenAPI 3.1), with everything that can be answered."""

import json
import re
from typing import Any

from django.urls import resolve
from ninja import NinjaAPI

from equipoise.platform.api.addresses import ADDRESSES, PREFIX
from equipoise.platform.api.problems import PROBLEM_JSON, ProblemDetails
from equipoise.platform.services.scopes import SCOPES

__all__ = ["document", "document_text"]

_EVERYWHERE = {
    401: "No token, or one that is unknown, expired or ended",
    403: "The service lacks the scope",
    404: "There is nothing here for this token",
    429: "Too many requests; Retry-After says when to ask again",
    503: "The database is busy and nothing was stored",
}
_WHERE_SENT = {
    400: "What was sent was cut off or cannot be read",
    413: "What was sent is too large",
    422: "Refused; each problem is told with its place and what to do",
}
_WHERE_FILES_ARE_SENT = {
    411: "The length of what is sent was not said",
    415: "What is sent is of a type that is not taken",
}
_URLS = "equipoise.platform.api.urls"
_SCHEMA = "#/components/schemas/{model}"


def document(api: NinjaAPI) -> dict[str, Any]:
    """The OpenAPI document of the interface.

    Args:
        api: with its operations.
    """
    said: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=PREFIX))
    described = ProblemDetails.model_json_schema(ref_template=_SCHEMA)
    said["components"]["schemas"] |= described.pop("$defs") | {"ProblemDetails": described}
    for path, operations in said["paths"].items():
        scopes = _scopes(path)
        for operation in operations.values():
            operation["security"] = [dict.fromkeys(said["components"]["securitySchemes"], scopes)]
            answers = {str(code): answer for code, answer in operation["responses"].items()}
            operation["responses"] = answers | _refusals(operation)
    return said


def document_text(api: NinjaAPI) -> str:
    """The document as it is kept beside the documentation."""
    return json.dumps(document(api), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _scopes(path: str) -> list[str]:
    """The scopes any of which opens an address."""
    one = "/" + re.sub(r"\{\w+\}", "any", path).removeprefix(PREFIX)
    verb = ADDRESSES[resolve(one, urlconf=_URLS).url_name]
    return [name for name, (_, verbs) in SCOPES.items() if verb in verbs]


def _refusals(operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    files = bool(body) and "application/json" not in body
    told = _EVERYWHERE | (_WHERE_SENT if body else {}) | (_WHERE_FILES_ARE_SENT if files else {})
    content = {PROBLEM_JSON: {"schema": {"$ref": _SCHEMA.format(model="ProblemDetails")}}}
    return {str(code): {"description": text, "content": content} for code, text in sorted(told.items())}
