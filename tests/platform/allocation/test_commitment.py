"""Fixing who is drawn: when it may be done, and that nothing moves it afterwards."""

import pytest

from equipoise.errors import DesignError, InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.people.allocation import commit_stage, draw_stage, hand_in_secret, strata_counts
from equipoise.platform.people.models import Allocation, Committed, Participant, RosterFacts
from equipoise.platform.permissions import NotAllowedError

pytestmark = pytest.mark.django_db


def test_the_secret_that_the_lock_committed_to_is_kept_encrypted_and_said_nowhere(
    swing, stage, alice, secret
):
    kept = hand_in_secret(alice, stage, f" {secret.upper()}\n")
    assert kept.secret
    stored = [kept.secret, *Entry.objects.values_list("details", flat=True)]
    assert not any(secret in text.lower() for text in stored)


@pytest.mark.parametrize("text", ["", "abc", "00" * 32, "zz" * 32])
def test_another_secret_is_refused_and_not_repeated(stage, alice, text):
    with pytest.raises(InputError) as refused:
        hand_in_secret(alice, stage, text)
    assert text == "" or text not in str(refused.value)
    stage.refresh_from_db()
    assert stage.secret == ""


def test_who_does_not_lead_the_study_can_neither_hand_in_nor_commit_nor_draw(members, committed, secret):
    for act in (
        lambda: hand_in_secret(members["Bob"], committed, secret),
        lambda: commit_stage(members["Bob"], committed),
        lambda: draw_stage(members["Bob"], committed),
    ):
        with pytest.raises(NotAllowedError):
            act()


def test_the_commitment_waits_for_the_wave_before_to_close(swing, stage, alice, enrol):
    enrol(swing, 8)
    with pytest.raises(InputError, match=r"closes at 2021-03-01T09:00:00Z .* the draw waits until then"):
        commit_stage(alice, stage)


def test_nobody_enrolled_and_a_level_without_people_are_refused(swing, stage, alice, enrol, after_launch):
    after_launch()
    with pytest.raises(InputError, match="nobody is enrolled yet"):
        commit_stage(alice, stage)
    north = {"region": "north", "started_on": "2020-01-04"}
    enrol(swing, 4, lambda row: north | {"cohort": ("2020", "2021")[row % 2]})
    with pytest.raises(InputError, match='region = "midlands"'):
        commit_stage(alice, stage)
    assert not Committed.objects.exists()


def test_a_commitment_says_who_in_which_strata_and_stands(swing, committed, alice):
    assert committed.state == "committed"
    assert strata_counts(committed) == {
        f"{year},{region}": 5
        for year in ("2020", "2021")
        for region in ("east", "midlands", "north", "south")
    }
    with pytest.raises(InputError, match="is committed already"):
        commit_stage(alice, committed)
    entry = Entry.objects.get(chain_id="swing", verb="allocation.commit")
    assert committed.roster_hash in entry.details


def test_those_committed_are_those_drawn_whatever_becomes_of_them(swing, committed, alice, enrol):
    gone, erased, moved = Participant.objects.filter(study=swing).order_by("pk")[:3]
    Participant.objects.filter(pk=gone.pk).update(state="withdrawn")
    Participant.objects.filter(pk=erased.pk).update(state="erased")
    RosterFacts.objects.filter(participant=erased).delete()
    RosterFacts.objects.filter(participant=moved).update(values={"cohort": "2021", "region": "south"})
    late = enrol(swing, 1)
    draw_stage(alice, committed)
    drawn = set(Allocation.objects.values_list("participant_id", flat=True))
    assert {gone.pk, erased.pk, moved.pk} <= drawn
    assert late[0].pk not in drawn
    assert len(drawn) == 40
    assert Allocation.objects.get(participant=moved).stratum == "2020,midlands"


def test_a_stage_for_those_who_answered_draws_them_alone(add_example, alice, enrol, after_launch):
    from equipoise.platform.registry.actions import move_study

    def answered_only(folder):
        path = folder / "protocol.yaml"
        text = path.read_text("utf-8")
        path.write_text(
            text.replace("  seed: public-round\n", '  seed: public-round\n  among: "answered(before)"\n')
        )

    study = move_study(alice, add_example("swing", answered_only), "live")
    people = enrol(study, 32)
    moment = after_launch()
    stage = study.stages.get()
    with pytest.raises(DesignError, match="selects people by answered_before"):
        commit_stage(alice, stage)
    who = {person.key: moment for person in people[:16]}
    committed = commit_stage(alice, stage, answered={"before": who})
    assert set(Committed.objects.filter(stage=committed).values_list("participant__key", flat=True)) == set(
        who
    )
