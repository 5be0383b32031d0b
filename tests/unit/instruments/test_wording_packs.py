"""Wording packs: what a team fills, and what a live study refuses."""

import pytest

from equipoise.errors import ScoringError
from equipoise.instruments import (
    blank_pack,
    check_pack,
    demonstration_pack,
    instrument,
    instrument_ids,
    load,
    read_pack,
)
from equipoise.instruments.wording import completed

SCALES = [name for name in instrument_ids() if load(name).kind == "scale"]


def filled(name, **changes):
    text = blank_pack(instrument(name)).replace('""', "Some words")
    return read_pack(text, "pack.yaml").model_copy(update=changes)


def told(pack, name, live=False):
    return [
        f"{problem.where}: {problem.message}" for problem in check_pack(pack, instrument(name), live=live)
    ]


@pytest.mark.parametrize("name", SCALES)
def test_the_demonstration_is_complete_and_marked_and_refused_live(name):
    pack = demonstration_pack(instrument(name))
    assert pack.demonstration
    assert told(pack, name) == []
    assert ["demonstration" in line for line in told(pack, name, live=True)] == [True]


@pytest.mark.parametrize("name", SCALES)
def test_a_blank_pack_names_all_that_is_to_be_filled_and_a_filled_one_passes(name):
    blank = read_pack(blank_pack(instrument(name)), "pack.yaml")
    lines = told(blank, name)
    assert sum("has no wording yet" in line for line in lines) == len(instrument(name).keys)
    assert told(filled(name), name, live=True) == []


def test_a_blank_pack_says_what_the_licence_asks_for():
    assert "Register with the University of Warwick" in blank_pack(instrument("swemwbs"))


@pytest.mark.parametrize("name", ["swemwbs", "affective-commitment", "ocq"])
def test_a_live_study_needs_the_licence_that_the_owner_asks_for(name):
    pack = filled(name, licence=None)
    assert told(pack, name) == []
    assert told(pack, name, live=True)[0].startswith("licence: licence class")


def test_an_open_instrument_needs_its_source_named_and_no_licence():
    assert told(filled("spane", licence=None), "spane", live=True) == []
    assert told(filled("spane", source=None), "spane", live=True)[0].startswith("source:")


def test_a_demonstration_pack_may_leave_its_wording_out():
    pack = read_pack("instrument: cbi\ndemonstration: true\n", "cbi.yaml")
    assert told(pack, "cbi") == []
    assert completed(pack, instrument("cbi")).items == instrument("cbi").demonstration.items


def test_a_pack_of_another_instrument_or_with_unknown_items_is_told_so():
    pack = filled("swls")
    assert told(pack, "swemwbs")[0] == 'instrument: found "swls"; expected "swemwbs"'
    odd = pack.model_copy(update={"items": {**pack.items, "satisfyed": "Some words"}})
    assert 'Did you mean "satisfied"?' in told(odd, "swls")[0]


def test_labels_have_to_match_the_codes_one_for_one():
    short = filled("ons4", anchors={"scale": ("Not in the least",)})
    assert told(short, "ons4") == ["anchors.scale: found 1 labels; expected one each for the codes 0, 10"]


def test_an_unknown_key_or_broken_yaml_is_refused_with_its_place():
    with pytest.raises(ScoringError, match=r"pack\.yaml: colour"):
        read_pack("instrument: cbi\ncolour: red\n", "pack.yaml")
    with pytest.raises(ScoringError, match=r"pack\.yaml:2: not YAML"):
        read_pack("instrument: [cbi\n", "pack.yaml")
