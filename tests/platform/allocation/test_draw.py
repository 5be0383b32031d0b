"""The draw: once, all or nothing, the same as the command line's, and verified by anybody."""

import csv
import io
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import polars as pl
import pytest
from django.db import connection, connections

from equipoise.allocation import draw_stage as draw
from equipoise.allocation import stage_seed, units_of, verify_allocation
from equipoise.errors import CheckFailedError, InputError
from equipoise.platform.audit.models import Chain, Entry
from equipoise.platform.audit.queries import chain_faults
from equipoise.platform.people.allocation import (
    allocation_record,
    balance,
    commit_stage,
    draw_stage,
    drawing,
    expected_round,
    hand_in_secret,
    public_arms,
    rewrap_secrets,
    verify_stage,
)
from equipoise.platform.people.frames import people_frame
from equipoise.platform.people.models import Allocation, Committed, Participant
from equipoise.platform.registry.models import Stage, Study
from equipoise.platform.registry.queries import folder_of

pytestmark = pytest.mark.django_db


def test_a_drawn_stage_gives_everybody_the_arm_that_the_method_half_draws(swing, committed, alice, secret):
    drawn = draw_stage(alice, committed)
    loaded = folder_of(swing)
    people = people_frame(loaded, Participant.objects.filter(study=swing))
    declared = loaded.protocol.allocation["main"]
    units = units_of(loaded, "main", declared, people, "staff_ref")
    seed = stage_seed(loaded, "main", bytes.fromhex(secret), roster_hash=committed.roster_hash)
    expected, record = draw(loaded, "main", declared, units, seed, roster_recorded="2021-03-01T10:00:00Z")
    given = dict(Allocation.objects.filter(stage=drawn).values_list("participant__key", "arm"))
    assert given == dict(zip(units.units, expected.arms, strict=True))
    assert drawn.record == record.to_json()
    assert drawn.state == "drawn"


def test_the_record_of_the_study_has_hashes_and_numbers_but_nobodys_arm(swing, committed, alice):
    drawn = draw_stage(alice, committed)
    said = json.loads(Entry.objects.get(chain_id="swing", verb="allocation.draw").details)
    assert set(said) == {"stage", "record", "roster_hash", "units"}
    assert sum(said["units"].values()) == 40
    assert not list(chain_faults(Chain.objects.get(name="swing")))
    assert drawn.secret not in json.dumps(said)


def test_lots_are_drawn_once(committed, alice):
    draw_stage(alice, committed)
    before = list(Allocation.objects.order_by("pk").values_list("participant_id", "arm"))
    with pytest.raises(InputError, match="was drawn at 2021-03-01T10:00:00Z; lots are drawn once"):
        draw_stage(alice, committed)
    assert list(Allocation.objects.order_by("pk").values_list("participant_id", "arm")) == before


def test_without_commitment_or_secret_nothing_is_drawn(swing, stage, alice, enrol, after_launch):
    enrol(swing, 40)
    after_launch()
    with pytest.raises(InputError, match="commit the stage first"):
        draw_stage(alice, stage)
    committed = commit_stage(alice, stage)
    with pytest.raises(InputError, match="secret has not been handed in"):
        draw_stage(alice, committed)
    assert not Allocation.objects.exists()


def test_a_roster_changed_behind_the_platforms_back_is_not_drawn(committed, alice):
    Committed.objects.filter(stage=committed, stratum="2020,north").update(stratum="2021,north")
    with pytest.raises(CheckFailedError, match="not as their hash says"):
        draw_stage(alice, committed)
    with pytest.raises(CheckFailedError, match="not as their hash says"):
        verify_stage(committed)
    assert not Allocation.objects.exists()


@pytest.fixture
def in_2027(add_example, alice, at, enrol, secret):
    """A stage of a study of 2027, when the public rounds exist, committed at 10:00 on its first day."""
    from equipoise.platform.registry.actions import move_study

    def later(folder):
        protocol = folder / "protocol.yaml"
        text = protocol.read_text("utf-8").replace("launch: 2021-03-01 09:00", "launch: 2027-03-01 09:00")
        protocol.write_text(text.replace("levels: ['2020', '2021']", "levels: ['2020', '2021']"), "utf-8")

    study = move_study(alice, add_example("swing", later), "live")
    enrol(study, 16)
    at(datetime(2027, 3, 1, 10, tzinfo=UTC))
    stage = hand_in_secret(alice, study.stages.get(), secret)
    return commit_stage(alice, stage)


def test_the_rule_says_at_the_commitment_which_public_round_decides(in_2027):
    expected = expected_round(in_2027)
    assert expected.appears == datetime(2027, 3, 1, 11, tzinfo=UTC)
    assert str(expected.number) in expected.address


def test_only_the_round_that_the_rule_chose_is_taken_and_not_before_it_is_there(in_2027, alice, at):
    number, value = expected_round(in_2027).number, "ab" * 32
    for text, message in (
        (f"{number + 1}:{value}", f"the rule chose round {number}"),
        (f"{number}:{value}", f"round {number} is still to come; it appears at 2027-03-01T11:00:00Z"),
        ("twelve", "expected the round's number"),
    ):
        with pytest.raises(InputError, match=message):
            draw_stage(alice, in_2027, text)
    at(datetime(2027, 3, 1, 11, tzinfo=UTC))
    drawn = draw_stage(alice, in_2027, f"{number}:{value}")
    record = allocation_record(drawn)
    assert (record.public_round.number, record.seed_could_have_been_chosen) == (number, False)
    found = verify_stage(drawn)
    assert any("public round is the first at least an hour after" in check for check in found.checks)


def test_a_live_workspace_asks_for_the_round_and_a_rehearsal_says_that_the_seed_could_be_chosen(
    in_2027, alice, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(drawing, "settings", SimpleNamespace(WORKSPACE=SimpleNamespace(live=True)))
        with pytest.raises(InputError, match="decides this draw"):
            draw_stage(alice, in_2027)
    assert allocation_record(draw_stage(alice, in_2027)).seed_could_have_been_chosen


def test_an_amendment_after_the_commitment_does_not_move_the_draw(committed, alice, monkeypatch):
    """Or a team could try amendments until it liked the draw."""
    said = []
    real = drawing.committed_folder
    monkeypatch.setattr(
        drawing, "committed_folder", lambda stage: said.append(stage.committed) or real(stage)
    )
    Study.objects.filter(pk=committed.study_id).update(version=2)  # no such folder is there
    draw_stage(alice, committed)
    assert said[0]["version"] == 1


def test_a_stranger_verifies_what_is_published_when_the_results_are_unmasked(committed, alice, secret):
    drawn = draw_stage(alice, committed)
    with pytest.raises(InputError, match="published when the results are unmasked"):
        public_arms(drawn)
    Study.objects.update(results="unmasked")
    rows = list(csv.DictReader(io.StringIO(public_arms(Stage.objects.get(pk=drawn.pk)))))
    record = allocation_record(drawn)
    units = [row["staff_ref"] for row in rows]
    strata = {name: [row[name] for row in rows] for name in record.strata}
    found = verify_allocation(record, units, strata, [row["arm"] for row in rows], bytes.fromhex(secret))
    assert found.units == 40
    assert set(units) == set(Participant.objects.values_list("key", flat=True))


def test_an_arm_that_was_changed_is_found(committed, alice):
    drawn = draw_stage(alice, committed)
    assert verify_stage(drawn).units == 40
    one = Allocation.objects.order_by("participant__key").first()
    other = {"control": "messages", "messages": "control"}[one.arm]
    Allocation.objects.filter(pk=one.pk).update(arm=other)
    with pytest.raises(CheckFailedError, match="1 of 40 differ"):
        verify_stage(drawn)
    Allocation.objects.filter(pk=one.pk).delete()
    with pytest.raises(CheckFailedError, match="39 people have an arm and 40 should"):
        verify_stage(drawn)


def test_a_record_that_was_changed_is_found(committed, alice):
    drawn = draw_stage(alice, committed)
    Stage.objects.update(record=drawn.record.replace('"software": "', '"software": "9'))
    with pytest.raises(CheckFailedError, match="not the one that the study's chain has the hash of"):
        verify_stage(Stage.objects.get(pk=drawn.pk))


def test_balance_is_of_the_people_drawn(committed, alice):
    rows = balance(draw_stage(alice, committed))
    assert {row.covariate for row in rows} == {
        "cohort",
        "region",
        "started_on (days before the launch)",
    }
    assert sum(row.n for row in rows if row.level == "2020") == 40


def test_secrets_are_wrapped_anew_when_the_workspace_gets_a_newer_key(committed, alice, settings):
    workspace = settings.WORKSPACE
    name = workspace.add_contact_key()
    try:
        assert rewrap_secrets() == 1
        assert rewrap_secrets() == 0
        assert Stage.objects.get(pk=committed.pk).secret.startswith(f"{name}:")
        draw_stage(alice, committed)
    finally:
        (workspace.folder / "keys" / f"{name}.key").unlink()


def test_a_stage_of_teams_gives_a_team_one_arm(add_example, alice, enrol, after_launch, secret):
    from equipoise.platform.registry.actions import move_study

    def by_team(folder):
        protocol = folder / "protocol.yaml"
        text = protocol.read_text("utf-8")
        text = text.replace("  unit: participant\n", "  unit: team\n").replace(
            "strata: [cohort, region]", "strata: [cohort]"
        )
        text = text.replace("variance: HC2", "variance: CR2").replace("variance: HC1", "variance: CR1")
        text = text.replace("    cohort:     {", "    team: {type: text, label: Team}\n    cohort:     {", 1)
        protocol.write_text(text, "utf-8")

    study = move_study(alice, add_example("swing", by_team), "live")
    started = {"region": "north", "started_on": "2020-01-04"}
    enrol(study, 24, lambda row: started | {"team": f"team {row % 8}", "cohort": ("2020", "2021")[row % 2]})
    after_launch()
    stage = hand_in_secret(alice, study.stages.get(), secret)
    drawn = draw_stage(alice, commit_stage(alice, stage))
    arms = pl.DataFrame(
        list(Allocation.objects.values_list("participant__facts__values__team", "arm")),
        schema=["team", "arm"],
        orient="row",
    )
    assert arms.group_by("team").agg(pl.col("arm").n_unique())["arm"].to_list() == [1] * 8
    assert verify_stage(drawn).units == 8


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_draw_at_once_one_draws_and_the_others_are_told(committed, alice):
    told, start = [], threading.Barrier(8)

    def draw_now():
        start.wait()
        try:
            draw_stage(alice, committed)
            told.append("drawn")
        except InputError as error:
            told.append("once" if "lots are drawn once" in str(error) else str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=draw_now) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["drawn"] + ["once"] * 7
    assert Allocation.objects.count() == 40
    assert Entry.objects.filter(verb="allocation.draw").count() == 1
    assert verify_stage(Stage.objects.get(pk=committed.pk)).units == 40


@pytest.mark.django_db(transaction=True)
def test_a_process_that_dies_in_the_middle_of_a_draw_leaves_nothing(committed, alice, monkeypatch):
    connection.close()
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(drawing, "kept_balance", lambda *_: os._exit(9))  # the arms are written by then
        draw_stage(alice, committed)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert Stage.objects.get(pk=committed.pk).state == "committed"
    assert not Allocation.objects.exists()
    assert not Entry.objects.filter(verb="allocation.draw").exists()
    draw_stage(alice, committed)
    assert Allocation.objects.count() == 40


def test_the_time_of_the_commitment_decides_to_the_second(in_2027):
    assert in_2027.committed_at + timedelta(hours=1) == expected_round(in_2027).appears
