"""The worked example on the page of the algorithm: every number by plain hashing, and the arms by the product too."""

import hashlib
import hmac
import re
import unicodedata
from pathlib import Path

import pytest

from equipoise.allocation import METHODS, PublicRound, allocate, derive_seed, roster_hash

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "allocation-algorithm.md").read_text("utf-8")
SECRET, PROTOCOL = bytes(range(32)), "ab" * 32
VALUE = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"
ROSTER = re.search(r"```text\n(participant,.*?)```", PAGE, re.DOTALL)[1]
SITES = dict(re.findall(r'^(\w\d),(?:"?)(.*?)"?$', ROSTER, re.MULTILINE))
ROWS = re.findall(r"^\| (\w\d) \| `([0-9a-f]{16})` \| (\w+) \| (\w+) \|$", PAGE, re.MULTILINE)
RATIO = {"control": 1, "messages": 2}

hashed = hashlib.sha256(ROSTER.encode()).hexdigest()
extracted = hmac.digest(bytes.fromhex(hashed), SECRET + bytes.fromhex(VALUE), "sha256")
seed = hmac.digest(extracted, f"equipoise/1/{PROTOCOL}/main".encode() + b"\1", "sha256")


def number(*parts):
    return hmac.digest(seed, "\0".join(parts).encode(), "sha256").hex()[:16]


def drawn(method, **more):
    labels = ["north" if site == "north" else f'"{site}"' for site in SITES.values()]
    given = allocate(list(SITES), labels, RATIO, method=method, stage="main", seed=seed, **more)
    return dict(zip(given.units, given.arms, strict=True))


def test_the_seed_is_what_the_page_says_and_what_the_product_derives():
    for value in (hashlib.sha256(SECRET).digest(), bytes.fromhex(hashed), extracted, seed):
        assert f"`{value.hex()}`" in PAGE
    assert roster_hash(list(SITES), {"site": list(SITES.values())}) == hashed
    derived = derive_seed(
        SECRET,
        protocol_hash=PROTOCOL,
        stage="main",
        roster_hash=hashed,
        public_round=PublicRound(1000, VALUE),
    )
    assert derived.value == seed


def test_each_unit_has_the_number_and_the_arms_of_the_page():
    assert len(ROWS) == len(SITES) == 8
    assert {unit: begins for unit, begins, _, _ in ROWS} == {unit: number(f"main{unit}") for unit in SITES}
    assert {unit: arm for unit, _, arm, _ in ROWS} == drawn("blocked")
    assert {unit: arm for unit, _, _, arm in ROWS} == drawn("simple")
    assert [unit for unit, *_ in ROWS] == sorted(
        SITES, key=lambda unit: (SITES[unit] != "north", number(f"main{unit}"))
    )


def test_leftovers_and_blocks_have_the_numbers_of_the_page():
    for slot in "123":
        assert f"`{number('main', 'leftover', 'north', slot)}`" in PAGE
    assert f"`{number('main', 'size', 'north', '1')}`" in PAGE
    slots = [number("main", "slot", "north", "1", slot) for slot in "123456"]
    assert " ".join(f"`{slot}`," for slot in slots)[:-1] in " ".join(PAGE.split())
    north = [unit for unit, *_ in ROWS if SITES[unit] == "north"]
    arms = drawn("permuted-blocks")
    assert [arms[unit] for unit in north] == ["control", "control", "messages", "messages", "messages"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_on_the_page(method):
    assert f"### `{method}`" in PAGE


def test_the_example_has_a_name_that_is_not_ascii():
    assert any(not unicodedata.normalize("NFC", unit).isascii() for unit in SITES)
