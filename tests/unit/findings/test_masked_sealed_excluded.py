"""What an analysis makes of masked data, of exclusions decided blind, of a seal, and of looks by arm."""

import json

import numpy as np
import pytest
from pandas import DataFrame

from equipoise.errors import RosterError
from equipoise.findings import analyse, read_data
from equipoise.findings.reading.hashing import data_hash, exclusions_hash, seal_of
from equipoise.protocol import current_hash, load_study, lock

EFFECT = "effect.score.after.texts - control"
LOOK = {"on": "2021-04-02", "kind": "told", "answered": 12, "asked": 420, "declared": False, "sealed": False}


@pytest.fixture
def study(folder):
    path = folder()
    registration = lock(
        load_study(path), time="2021-02-01T09:00:00+00:00", seed_commitment=None, version="0.1.0"
    )
    (path / "lock.json").write_text(registration.model_dump_json(by_alias=True))
    return load_study(path)


@pytest.fixture
def data(tmp_path, people):
    """A function that writes people as a workspace exports them, with what its dictionary says."""

    def write(frame=people, excluded=None, **said):
        place = tmp_path / "data"
        place.mkdir(exist_ok=True)
        frame.to_csv(place / "participants.csv", index=False)
        (place / "exclusions.csv").unlink(missing_ok=True)
        if excluded:
            DataFrame(excluded, columns=["ref", "of", "reason"]).to_csv(place / "exclusions.csv", index=False)
        (place / "dictionary.json").write_text(json.dumps({"source": "collected", **said}), "utf-8")
        return place

    return write


def sealed_by(study, place, **given):
    """What the dictionary of an export says of its seal."""
    read = read_data(study, place)
    parts = {
        "data_hash": data_hash(read),
        "exclusions_hash": exclusions_hash(read),
        "protocol_hash": current_hash(study),
    }
    times = {"sealed_at": "2021-08-01T09:00:00Z", "unmasked_at": "2021-08-02T09:00:00Z"}
    return {"hash": seal_of(**parts), **parts, **times, **given}


def primary(study, place):
    return analyse(study, read_data(study, place)).find(EFFECT)


def test_masked_data_are_analysed_as_far_as_no_arm_is_needed(study, people, data):
    letters = people.assign(arm=people["arm"].map({"control": "B", "texts": "A", "calls": "C"}))
    found = analyse(study, read_data(study, data(letters, masked=True)))
    assert (found.masked, found.sealed) == (True, None)
    effects = [one for one in found if one.kind == "effect"]
    assert effects
    assert {(one.decision, one.estimate, one.confirmatory) for one in effects} == {
        ("not-tested", None, False)
    }
    assert all("masked" in one.not_estimable for one in effects)
    effect = found.find(EFFECT)
    assert (effect.tier, effect.n_randomised) == ("primary", people["arm"].map(
        {"control": "B", "texts": "A", "calls": "C"}).value_counts().sort_index().to_dict())  # fmt: skip
    assert effect.n == {"all": int(people["score"].notna().sum())}
    assert found.find("flow.randomised").estimate == len(people)
    assert found.find("description.score.after").estimate == pytest.approx(people["score"].mean(), rel=1e-9)
    age = found.find("baseline.age")
    assert (age.estimate, age.sd) == pytest.approx((people["age"].mean(), people["age"].std()), rel=1e-9)
    north = found.find("baseline.site=north").estimate
    assert north == pytest.approx((people["site"] == "north").mean(), rel=1e-9)
    assert {one.arm for one in found} <= {None, "A", "B", "C"}
    assert {one.id for one in found if one.arm} == {f"flow.randomised.{letter}" for letter in "ABC"}


def test_masked_data_from_before_the_draw_count_people_as_enrolled(study, people, data):
    found = analyse(study, read_data(study, data(people.assign(arm=None), masked=True)))
    assert found.find("flow.enrolled").estimate == len(people)
    assert not [one for one in found if one.id.startswith("flow.randomised")]
    assert found.find(EFFECT).n_randomised == {}


def test_masked_data_name_no_arm(study, people, data):
    with pytest.raises(RosterError, match="is not an arm of this study"):
        read_data(study, data(people, masked=True))


def test_swapped_letters_leave_masked_findings_as_they_are_but_for_the_counts(study, people, data):
    first, second = (
        analyse(study, read_data(study, data(people.assign(arm=people["arm"].map(names)), masked=True)))
        for names in (
            {"control": "A", "texts": "B", "calls": "C"},
            {"control": "B", "texts": "A", "calls": "C"},
        )
    )
    for one, other in zip(first, second, strict=True):
        assert one.model_dump(exclude={"n_randomised"} | ({"estimate"} if one.arm else set())) == (
            other.model_dump(exclude={"n_randomised"} | ({"estimate"} if other.arm else set()))
        )


def test_whoever_is_excluded_stays_in_the_planned_analysis_and_goes_in_one_beside_it(study, people, data):
    gone = people[people["score"].notna()]["ref"].head(30).tolist()
    excluded = [(ref, "score" if place % 2 else "", "Same answer to all") for place, ref in enumerate(gone)]
    found = analyse(study, read_data(study, data(people, excluded)))
    plain = analyse(study, read_data(study, data(people, [])))
    assert found.find(EFFECT).estimate == plain.find(EFFECT).estimate
    without = found.find(f"{EFFECT}.without-excluded")
    fewer = people.assign(score=np.where(people["ref"].isin(gone), np.nan, people["score"]))
    again = analyse(study, read_data(study, data(fewer, []))).find(EFFECT)
    assert (without.estimate, without.std_error) == (again.estimate, again.std_error)
    assert (without.tier, without.confirmatory, without.decision) == ("sensitivity", False, "none")
    assert "30 people" in without.model
    assert f"{EFFECT}.without-excluded" not in [one.id for one in plain]


def test_exclusions_are_counted_by_arm_and_reason_and_only_where_they_apply(study, people, data):
    some = people[people["score"].notna()].head(3)
    excluded = list(
        zip(some["ref"], ["days", "days", ""], ["Guessed", "Guessed", "Answered twice"], strict=True)
    )
    found = analyse(study, read_data(study, data(people, excluded)))
    assert found.find("exclusions.people").estimate == 3
    for arm, count in some["arm"].value_counts().items():
        assert found.find(f"exclusions.people.{arm}").estimate == count
    reasons = {one.level: one.estimate for one in found if one.analysis == "exclusions" and one.arm is None}
    assert {reasons["Guessed"], reasons["Answered twice"]} == {2, 1}
    assert found.find(f"{EFFECT}.without-excluded").model.endswith("(1 people)")


@pytest.mark.parametrize(
    ("excluded", "said"),
    [
        ([("P0001", "wellbeing", "x")], '"wellbeing" is no outcome or analysis'),
        ([("P0001", "", None)], "each exclusion says why"),
        ([("nobody", "", "x")], "1 identifiers are not among the participants"),
    ],
)
def test_a_list_of_exclusions_that_does_not_fit_is_refused(study, people, data, excluded, said):
    with pytest.raises(RosterError, match=said):
        read_data(study, data(people, excluded))


def test_only_sealed_data_confirm_and_every_other_case_says_why(study, people, data):
    excluded = [(people["ref"][0], "", "Answered twice")]
    place = data(people, excluded)
    seal = sealed_by(study, place)
    found = analyse(study, read_data(study, data(people, excluded, seal=seal)))
    assert (found.sealed, found.seal) == (True, seal["hash"])
    assert (found.find(EFFECT).tier, found.find(EFFECT).confirmatory) == ("primary", True)

    changed = people.assign(score=people["score"].fillna(50))
    for frame, listed, told, why in (
        (people, excluded, None, "exported before they were sealed"),
        (changed, excluded, seal, "have changed since"),
        (changed, excluded, {**seal, "erased_since": 2}, "2 have had everything erased since"),
        (people, [], seal, "the list of exclusions is not the one that was sealed"),
        (people, excluded, {**seal, "protocol_hash": "0" * 64}, "amended since"),
        (
            people,
            excluded,
            {**seal, "unmasked_at": "2021-07-01T09:00:00Z"},
            "unmasked before the data were sealed",
        ),
        (people, excluded, {**seal, "hash": "0" * 64}, "does not fit its own parts"),
    ):
        effect = primary(study, data(frame, listed, seal=told))
        assert not effect.confirmatory
        assert why in effect.warnings[-1], why
    assert analyse(study, read_data(study, data(people, [], seal=seal))).sealed is False


def test_data_from_outside_need_no_seal_because_nothing_of_one_can_be_known(study, people, data):
    found = analyse(study, read_data(study, data(people, source="outside")))
    assert (found.sealed, found.find(EFFECT).confirmatory) == (None, True)


def test_an_undeclared_look_is_said_and_before_the_seal_nothing_is_confirmed(study, people, data):
    seal = sealed_by(study, data(people))
    found = analyse(study, read_data(study, data(people, seal=seal, looks=[LOOK])))
    effect = found.find(EFFECT)
    assert not effect.confirmatory
    assert "looked at by arm on 2021-04-02, before the data were sealed" in effect.warnings[-2]
    assert "when 12 of 420 had answered" in effect.warnings[-1]
    assert "error rate no longer holds" in effect.warnings[-1]
    later = primary(study, data(people, seal=seal, looks=[{**LOOK, "sealed": True}]))
    assert later.confirmatory
    assert "error rate no longer holds" in later.warnings[-1]
    declared = primary(study, data(people, seal=seal, looks=[{**LOOK, "declared": True}]))
    assert declared.confirmatory
    assert not [one for one in declared.warnings if "looked at" in one]


@pytest.mark.parametrize("said", [{"seal": {"hash": 7}}, {"masked": "perhaps"}, {"looks": [{"on": "May"}]}])
def test_a_dictionary_that_no_export_wrote_is_refused_with_its_place(study, people, data, said):
    with pytest.raises(RosterError, match=r"dictionary\.json: .*this is not what an export writes there"):
        read_data(study, data(people, **said))
