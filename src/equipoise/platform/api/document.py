"""The description of the interface for programs (OpenAPI 3.1), with everything that can be answered."""

from typing import Any

from ninja import NinjaAPI

from equipoise.platform.api.addresses import PREFIX
from equipoise.platform.api.problems import PROBLEM_JSON, ProblemDetails

__all__ = ["document"]

_EVERYWHERE = {
    401: "No token, or one that is unknown, expired or ended",
    403: "The service lacks the scope",
    404: "There is nothing here for this token",
    429: "Too many requests; Retry-After says when to try again",
    503: "The database is busy; nothing was stored",
}
_WHERE_SENT = {
    400: "What was sent was cut off or cannot be read",
    411: "The length of what is sent was not said",
    413: "What was sent is too large",
    415: "What was sent is of a type that is not taken",
    422: "Refused; problems are listed with their place and what to do",
}


def document(api: NinjaAPI) -> dict[str, Any]:
    """The OpenAPI document of the interface.

    Args:
        api: with its operations.
    """
    said: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=PREFIX))
    schemas = said["components"]["schemas"]
    described = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(described.pop("$defs"))
    schemas["ProblemDetails"] = described
    for operations in said["paths"].values():
        for method, operation in operations.items():
            answers = _EVERYWHERE | (_WHERE_SENT if method == "post" else {})
            operation["responses"] = {
                **{str(code): answer for code, answer in operation["responses"].items()},
                **{str(code): _refusal(text) for code, text in sorted(answers.items())},
            }
    return said


def _refusal(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {"description": text, "content": {PROBLEM_JSON: {"schema": schema}}}
