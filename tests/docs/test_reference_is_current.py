"""What is written down about the code is what the code says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from equipoise.findings.results import Finding, Findings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, DOCS / "generate.py", "--out", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def schema():
    return json.loads((DOCS / "reference" / "findings.schema.json").read_text("utf-8"))


def findings(*found):
    return Findings(
        study="breaks",
        protocol_hash="a" * 64,
        locked=None,
        data_hash="b" * 64,
        data_source="simulated",
        code_version="0.1.0",
        analysis_seed="c" * 64,
        findings=found,
    )


@pytest.mark.parametrize("name", ["findings.schema.json", "diagnosis.schema.json"])
def test_a_committed_schema_is_the_one_that_the_code_generates(generated, name):
    committed = (DOCS / "reference" / name).read_text("utf-8")
    assert (generated / name).read_text("utf-8") == committed, "run: make docs"


def test_the_schema_accepts_what_findings_write(schema):
    Draft202012Validator.check_schema(schema)
    written = findings(
        Finding(id="effect.wellbeing", analysis="effect", kind="effect", estimate=float("nan"))
    )
    Draft202012Validator(schema).validate(json.loads(written.to_json()))


def test_the_schema_refuses_a_key_that_findings_do_not_have(schema):
    written = json.loads(findings().to_json()) | {"stars": 3}
    assert not Draft202012Validator(schema).is_valid(written)


def test_a_page_is_generated_for_every_kind_of_file_and_every_package(generated):
    pages = {path.relative_to(generated).as_posix() for path in generated.rglob("*.md")}
    assert {"commands.md", "findings.md", "instruments.md", "errors.md"} <= pages
    assert {"files/protocol.md", "files/survey.md", "files/amendment.md", "files/programme.md"} <= pages
    assert {"python/estimation.md", "python/allocation.md", "python/report.md"} <= pages


def test_every_key_of_the_protocol_stands_on_its_page(generated):
    from equipoise.protocol.models.protocol import Protocol

    page = (generated / "files" / "protocol.md").read_text("utf-8")
    keys = [info.alias or name for name, info in Protocol.model_fields.items()]
    assert all(f"| `{key}` |" in page for key in keys)


def test_generating_twice_changes_nothing(generated):
    before = {path: path.stat().st_mtime_ns for path in generated.rglob("*") if path.is_file()}
    subprocess.run([sys.executable, DOCS / "generate.py", "--out", generated], check=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_types_are_said_in_words(generated):
    pages = [page.read_text("utf-8") for page in (generated / "files").glob("*.md")]
    assert any("| number (above 0, at most 1) |" in page for page in pages)
    assert not [word for page in pages for word in ("NoneType", "typing.", "tuple[", "dict[") if word in page]


def test_the_shorter_ways_of_writing_stand_beside_the_keys(generated):
    page = (generated / "files" / "protocol.md").read_text("utf-8")
    assert "Shorter: `0.2 sd of 3.9` is a way to write 0.78." in page


def test_no_page_holds_what_differs_from_one_run_to_the_next(generated):
    pages = [page.read_text("utf-8") for page in generated.rglob("*.md")]
    assert not [page for page in pages if " at 0x" in page]
