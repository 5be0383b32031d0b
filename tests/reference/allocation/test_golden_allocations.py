"""Allocations of version 1, pinned for ever, and a second implementation written from the documented layout.

A trial that was allocated by version 1 must be verifiable by every later version. If this test fails, the
change breaks every allocation ever recorded: do not renew the files; give the new draw a version of its own.
"""

import hashlib
import hmac
import json
from math import gcd
from pathlib import Path

import pytest

from equipoise.allocation import allocate, arm_on_arrival, arrival_plan

GOLDEN = sorted(Path(__file__).parent.glob("golden-*.json"))


def plain_draw(units, strata, ratio, method, stage, seed, blocks, arrival):
    """The draw in plain Python, sharing no code with the product."""

    def number(*parts):
        return hmac.new(seed, stage.encode() + "\0".join(parts).encode(), hashlib.sha256).digest()

    def in_order(slots, *purpose):
        keyed = sorted(range(len(slots)), key=lambda slot: number("", *purpose, str(slot + 1)))
        return [slots[slot] for slot in keyed]

    arms = {}
    strata = ["" for _ in units] if method == "complete" else strata
    for stratum in set(strata):
        shares = ratio.get(stratum) if isinstance(next(iter(ratio.values())), dict) else ratio
        divisor = gcd(*shares.values())
        slots = [arm for arm in sorted(shares) for _ in range(shares[arm] // divisor)]
        members = [unit for unit, label in zip(units, strata, strict=True) if label == stratum]
        queue = members if arrival else sorted(members, key=number)
        if method == "simple":
            for place, unit in enumerate(members, start=1):
                drawn = number("", "arrival", stratum, str(place)) if arrival else number(unit)
                arms[unit] = slots[int.from_bytes(drawn, "big") * len(slots) >> 256]
        elif method == "permuted-blocks":
            block = 0
            while queue:
                block += 1
                chosen = int.from_bytes(number("", "size", stratum, str(block)), "big") * len(blocks) >> 256
                order = in_order(slots * sorted(blocks)[chosen], "slot", stratum, str(block))
                arms |= dict(zip(queue, order, strict=False))
                queue = queue[len(order) :]
        else:
            sets, left = divmod(len(queue), len(slots))
            given = sorted(slots * sets + in_order(slots, "leftover", stratum)[:left])
            arms |= dict(zip(queue, given, strict=True))
    return [arms[unit] for unit in units]


def cases():
    for path in GOLDEN:
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            yield pytest.param(case, id=f"{path.stem}-{case['name']}")


@pytest.mark.parametrize("case", list(cases()))
def test_an_allocation_of_version_1_never_changes(case):
    given = {key: case[key] for key in ("method", "stage", "blocks", "arrival")}
    drawn = allocate(case["units"], case["strata"], case["ratio"], seed=bytes.fromhex(case["seed"]), **given)
    assert drawn.arms == case["arms"]


@pytest.mark.parametrize("case", list(cases()))
def test_a_second_implementation_from_the_documented_layout_agrees(case):
    given = {key: case[key] for key in ("units", "strata", "ratio", "method", "stage", "blocks", "arrival")}
    assert plain_draw(**given, seed=bytes.fromhex(case["seed"])) == case["arms"]


@pytest.mark.parametrize("case", [case for case in cases() if case.values[0]["arrival"]])
def test_what_arrivals_were_given_one_by_one_never_changes(case):
    strata = case["strata"] or [""] * len(case["units"])
    plan = arrival_plan(
        case["ratio"], method=case["method"], strata=dict.fromkeys(strata), blocks=tuple(case["blocks"])
    )
    queues = dict.fromkeys(strata, 0)
    for stratum, arm in zip(strata, case["arms"], strict=True):
        queues[stratum] += 1
        drawn = arm_on_arrival(
            plan, case["stage"], bytes.fromhex(case["seed"]), stratum=stratum, number=queues[stratum]
        )
        assert drawn == arm


def test_every_method_is_pinned():
    pinned = {(case.values[0]["method"], case.values[0]["arrival"]) for case in cases()}
    rolling = {("simple", True), ("permuted-blocks", True)}
    assert pinned == rolling | {
        (name, False) for name in ("simple", "complete", "blocked", "permuted-blocks")
    }
