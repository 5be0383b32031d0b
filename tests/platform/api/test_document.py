"""The document that describes the interface: true of every answer, and the one beside the documentation."""

import json
from pathlib import Path

import pytest
from django.urls import get_resolver, resolve
from jsonschema import Draft202012Validator

from equipoise.platform.api.addresses import ADDRESSES, OPEN, TABLE
from equipoise.platform.api.document import document_text
from equipoise.platform.api.interface import interface
from equipoise.platform.api.urls import urlpatterns
from equipoise.platform.permissions import PERMISSIONS
from equipoise.platform.services.scopes import SCOPES

from .conftest import Program
from .rosters import ROOT, ROSTERS, roster

pytestmark = pytest.mark.django_db
REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


@pytest.fixture
def described():
    told = Program().get("/api/1/openapi.json")
    assert told.status == 200
    return told.said


def everything_in(value):
    yield value
    for inside in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything_in(inside)


def test_the_document_is_the_one_beside_the_documentation():
    committed = (REFERENCE / "openapi.json").read_text("utf-8")
    assert document_text(interface) == committed, "run: make docs"


def test_every_schema_of_it_is_one_and_every_reference_leads_somewhere(described):
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for each in everything_in(described):
        if isinstance(each, dict) and "$ref" in each:
            kind, _, name = each["$ref"].removeprefix("#/components/").partition("/")
            assert name in described["components"][kind]
    assert described["openapi"].startswith("3.1")


def test_every_operation_says_what_it_does_which_scope_it_needs_and_how_it_refuses(described):
    for path, operations in described["paths"].items():
        verb = ADDRESSES[resolve(path.format(study="x", export="x", file="x")).url_name]
        for operation in operations.values():
            assert operation["description"], path
            assert {"401", "403", "404", "429", "503"} <= operation["responses"].keys(), path
            ((scopes,),) = (each.values() for each in operation["security"])
            assert scopes == [name for name, (_, verbs) in SCOPES.items() if verb in verbs] != []


def test_every_address_is_in_the_table_and_every_callback_carries_its_verb():
    assert {pattern.name for pattern in urlpatterns} == ADDRESSES.keys() | OPEN
    assert set(ADDRESSES.values()) <= PERMISSIONS.keys()
    for pattern in urlpatterns:
        if pattern.name in TABLE:
            assert (pattern.callback.verb, pattern.callback.by_partner) == (
                TABLE[pattern.name].verb,
                TABLE[pattern.name].by_partner,
            )
    assert all(pattern.callback.csrf_exempt for pattern in urlpatterns)
    assert get_resolver().resolve("/api/1/anything").url_name == "api-nowhere"


def test_what_is_answered_is_what_the_document_says(described, program, made):
    poor = Program(made("study:read").token)
    place = ROOT.rstrip("/")
    answers = [
        ("/api/1/studies/{study}", "get", program.get(place)),
        ("/api/1/studies/{study}", "get", Program().get(place)),
        ("/api/1/studies/{study}/counts", "get", program.get(f"{ROOT}counts")),
        ("/api/1/studies/{study}/counts", "get", poor.get(f"{ROOT}counts")),
        ("/api/1/studies/{study}/rosters", "post", program.post(f"{ROSTERS}&dry-run=true", roster(2))),
        ("/api/1/studies/{study}/rosters", "post", program.post(ROSTERS, roster(2))),
        ("/api/1/studies/{study}/rosters", "post", program.post(ROSTERS, b"T1,T2\n1,2\n")),
        ("/api/1/studies/{study}/rosters", "post", program.post(ROSTERS, b"{}", "application/json")),
        ("/api/1/studies/{study}/exports", "post", program.post(f"{ROOT}exports", b"{}", "application/json")),
        ("/api/1/studies/{study}/exports", "get", program.get(f"{ROOT}exports")),
        ("/api/1/studies/{study}/exports/{export}", "get", program.get(f"{ROOT}exports/none")),
    ]
    seen = set()
    for path, method, told in answers:
        answer = described["paths"][path][method]["responses"][str(told.status)]
        (schema,) = (
            content["schema"] for kind, content in answer["content"].items() if told.kind.startswith(kind)
        )
        whole = {**schema, "components": described["components"]}
        Draft202012Validator(whole).validate(told.said)
        seen.add(told.status)
    assert {200, 202, 401, 403, 404, 415, 422} <= seen


def test_the_counts_are_those_of_the_pages(program, swing):
    program.post(ROSTERS, roster(5))
    told = program.get(f"{ROOT}counts").said
    assert [(each["wave"], each["asked"], each["started"]) for each in told["waves"]] == [
        ("before", 5, 0),
        ("after", 5, 0),
    ]
    assert "arm" not in json.dumps(told)


def test_the_study_tells_its_waves_and_versions(program, swing):
    told = program.get(ROOT.rstrip("/")).said
    assert (told["name"], told["state"], told["results"], told["version"]) == ("swing", "live", "masked", 1)
    assert [each["state"] for each in told["waves"]] == ["open", "planned"]
    assert told["versions"][0]["protocol_hash"] == swing.versions.get().protocol_hash


def test_what_is_not_there_is_told_in_the_same_form_whatever_is_asked(program):
    for path in ("/api/1/", "/api/1/none", "/api/1/studies/", "/api/1/docs", "/api/1/studies/swing/arms"):
        for told in (program.get(path), Program().post(path)):
            assert (told.status, told.kind) == (404, "application/problem+json"), path
    told = program.get(f"{ROOT}rosters")
    assert (told.status, told.kind, told.headers["Allow"]) == (405, "application/problem+json", "POST")
    assert told.headers["X-Request-Id"] == told.said["request"]


def test_a_fault_of_ours_is_told_by_its_number_and_nothing_else(program, monkeypatch, caplog):
    def fails(_):
        raise RuntimeError("canary.person@example.org")

    monkeypatch.setattr("equipoise.platform.api.counts.responses", fails)
    told = program.get(f"{ROOT}counts")
    assert (told.status, told.kind) == (500, "application/problem+json")
    assert b"canary" not in told.body
    assert b"Traceback" not in told.body
    assert told.said["request"] in caplog.text


def test_a_busy_database_says_when_to_ask_again(program, monkeypatch):
    from django.db import OperationalError

    def busy(_):
        raise OperationalError("the database is busy")

    monkeypatch.setattr("equipoise.platform.api.counts.responses", busy)
    told = program.get(f"{ROOT}counts")
    assert (told.status, told.headers["Retry-After"]) == (503, "30")


def test_an_answer_is_kept_by_nobody_on_its_way(program):
    told = program.get(f"{ROOT}counts")
    assert told.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in told.headers
    assert "Access-Control-Allow-Origin" not in told.headers
