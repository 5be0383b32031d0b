"""Auxiliaries of missing answers: what they change in a study's hash, and what they leave."""

from pathlib import Path

from equipoise.protocol import load_study
from equipoise.protocol.canonical import plain
from equipoise.protocol.registration import current_hash

NAMED = "    adjust: [strata]\n    missing: imputation\n    auxiliaries: [days, before]"


def with_raw(small: Path, text: str) -> str:
    path = small / "protocol.yaml"
    path.write_text(path.read_text("utf-8").replace("    adjust: [strata]", text, 1), "utf-8")
    return current_hash(load_study(small))


def test_without_auxiliaries_the_spelled_out_form_is_what_it_always_was(small: Path) -> None:
    study = load_study(small)
    assert all("auxiliaries" not in plain(analysis) for analysis in study.protocol.analyses.values())


def test_auxiliaries_change_the_hash_and_their_order_does_not(small: Path) -> None:
    plainly = current_hash(load_study(small))
    named = with_raw(small, NAMED)
    path = small / "protocol.yaml"
    path.write_text(path.read_text("utf-8").replace("[days, before]", "[before, days]"), "utf-8")
    assert plainly != named == current_hash(load_study(small))


def test_one_auxiliary_may_stand_alone(small: Path) -> None:
    with_raw(small, NAMED.replace("[days, before]", "days"))
    assert load_study(small).protocol.analyses["raw"].auxiliaries == ("days",)
