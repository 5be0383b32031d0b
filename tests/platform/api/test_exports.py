"""The data by the interface: asked for, made by the worker, the same bytes as staff get."""

import hashlib
import io
import json
import zipfile

import polars as pl
import pytest

from equipoise.platform.review.jobs import ask_for_export, exports, make_export, zip_of
from equipoise.platform.services.actions import end_service

from .conftest import Program
from .rosters import ROOT, ROSTERS, roster

# The worker reads in a snapshot, which is a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)
EXPORTS = f"{ROOT}exports"
JSON = "application/json"
AWRY = (
    "../data.zip",
    "..%2f..%2fworkspace.yaml",
    "/etc/passwd",
    "participants.csv/..",
    "swing/",
    "%00",
    "a" * 3000,
)


def hashes(export):
    """The tables of an export by their content, without when they were made."""
    with zipfile.ZipFile(zip_of(export)) as archive:
        tables = [name for name in archive.namelist() if name.endswith(".csv")]
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in tables}


def test_data_are_asked_for_made_and_fetched_and_are_what_staff_get(program, swing, alice, made, add_example):
    assert program.post(ROSTERS, roster(6)).status == 200
    asked = program.post(EXPORTS, b"{}", JSON)
    assert (asked.status, asked.said["state"], asked.said["files"]) == (202, "waiting", [])
    place = asked.headers["Location"]
    assert program.get(f"{place}/data.zip").status == 404

    assert make_export() == 1
    told = program.get(place).said
    assert (told["state"], told["rows"], told["masked"]) == ("ready", 6, True)
    assert [each["name"] for each in program.get(EXPORTS).said["exports"]] == [told["name"]]
    frame = pl.read_parquet(io.BytesIO(program.get(f"{place}/participants.parquet").body))
    assert frame.height == 6

    whole = program.get(f"{place}/data.zip").body
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        everything = {name: archive.read(f"swing/{name}") for name in told["files"][1:]}
    for name, content in everything.items():
        assert program.get(f"{place}/{name}").body == content, name
        assert b"@trainees.example.org" not in content
        assert b"T20-000" not in content

    ask_for_export(alice, swing, ["parquet", "csv"])
    make_export()
    theirs, ours = exports(swing)
    assert whole == zip_of(ours).read_bytes()
    assert hashes(ours) == hashes(theirs)

    for name in AWRY:
        assert program.get(f"{place}/{name}").status == 404, name
    other = Program(made(study=add_example("diversity-in-hiring")).token)
    for path in (place, f"{place}/data.zip"):
        for asked_of in (path, path.replace("/swing/", "/diversity-in-hiring/")):
            assert other.get(asked_of).status == 404


def test_what_cannot_be_made_says_why(program, made, alice):
    asked = program.post(EXPORTS, b"{}", JSON)
    make_export()
    told = program.get(asked.headers["Location"]).said
    assert (told["state"], "nobody is enrolled" in told["problem"]) == ("failed", True)

    ended = made()
    program.post(ROSTERS, roster(2))
    Program(ended.token).post(EXPORTS, b"{}", JSON)
    end_service(alice, ended.service)
    make_export()
    assert program.get(EXPORTS).said["exports"][0]["state"] == "failed"

    for body, where in (({"formats": ["xlsx"]}, "formats"), ({"masked": False}, "masked")):
        refused = program.post(EXPORTS, json.dumps(body), JSON)
        assert refused.status == 422
        assert where in refused.said["problems"][0]["where"]
    assert program.post(EXPORTS, b"{", JSON).status == 400
    assert program.get(f"{EXPORTS}/none-such").status == 404
