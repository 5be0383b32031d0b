"""Lots drawn in the office: secret, commitment and draw, each once; and no arm is named while it is concealed."""

from datetime import UTC, datetime

import pytest

from equipoise.platform.people.actions import confirm_import
from equipoise.platform.people.models import Allocation
from equipoise.platform.registry.models import Stage, Study

from ..conftest import SECRET

pytestmark = pytest.mark.django_db

PLACE = "/office/studies/swing/allocation/"
AFTER_THE_WAVE = datetime(2021, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def committed(desk, swing, alice, people, roster, at):
    """Both cohorts are there, and Alice has handed in the secret and committed."""
    confirm_import(alice, swing, roster(12, first=50, cohort=2021))
    desk.act(f"{PLACE}main/secret", secret=SECRET.hex())
    at(AFTER_THE_WAVE)
    desk.act(f"{PLACE}main/commit", name="swing")
    return Stage.objects.get()


@pytest.fixture
def drawn(desk, committed):
    """And drawn."""
    desk.act(f"{PLACE}main/draw", name="swing", round="")
    return Stage.objects.get()


def test_the_first_step_is_the_secret(desk, people):
    desk.get(PLACE)
    assert "Not handed in" in desk.text
    assert f'class="govuk-button" href="{PLACE}main/secret"' in desk.html
    assert "/main/draw" not in desk.html


def test_another_secret_is_refused_and_never_repeated(desk, people):
    desk.act(f"{PLACE}main/secret", secret="ab" * 32)
    assert desk.page.status_code == 422
    assert "not the secret that the lock committed to" in desk.text
    assert "abab" not in desk.html
    assert not Stage.objects.get().secret


def test_a_secret_handed_in_is_kept_sealed_and_not_shown(desk, people):
    desk.act(f"{PLACE}main/secret", secret=SECRET.hex())
    desk.follow()
    assert "The secret is in keeping." in desk.text
    assert SECRET.hex() not in desk.html
    assert SECRET.hex() not in Stage.objects.get().secret


def test_a_commitment_waits_for_the_wave_before_it(desk, people):
    desk.act(f"{PLACE}main/commit", name="swing")
    assert desk.page.status_code == 422
    assert "before" in desk.text
    assert Stage.objects.get().state == "planned"


def test_a_commitment_says_how_many_are_in_which_stratum(desk, committed):
    assert committed.state == "committed"
    desk.get(f"{PLACE}main/strata")
    assert "Units by stratum: 24 in all" in desk.text
    desk.get(f"{PLACE}main/strata", format="csv")
    assert desk.html.count("\n") == 9


def test_a_draw_needs_the_name_and_is_done_once(desk, committed):
    desk.act(f"{PLACE}main/draw", name="other", round="")
    assert not Allocation.objects.exists()
    desk.post(f"{PLACE}main/draw", name="swing", round="")
    assert Allocation.objects.count() == 24
    desk.act(f"{PLACE}main/draw", name="swing", round="")
    assert desk.page.status_code == 422
    assert "lots are drawn once" in desk.text


def test_a_round_that_the_rule_did_not_choose_is_refused(desk, committed):
    desk.act(f"{PLACE}main/draw", name="swing", round="2:" + "ab" * 32)
    assert desk.page.status_code == 422
    assert "the rule chose round" in desk.text
    assert Stage.objects.get().state == "committed"


def test_no_page_tells_who_is_in_which_arm_or_counts_by_arm(desk, drawn, people):
    for place in (PLACE, f"{PLACE}main/strata", f"{PLACE}main/verify", "/office/studies/swing/record/"):
        desk.get(place)
        assert "Weekly text messages" not in desk.text, place
        assert "control" not in desk.text, place
    desk.get(f"{PLACE}main/strata")
    assert "How alike the arms are" in desk.text
    desk.get(f"{PLACE}main/strata", format="balance")
    assert "control" not in desk.html
    assert desk.get(f"{PLACE}main/record.json").status_code == 404
    for person in people:
        desk.get(f"/office/studies/swing/people/{person.key}/")
        assert "control" not in desk.text


def test_once_unmasked_the_record_of_the_draw_can_be_taken_along(desk, drawn):
    Study.objects.update(results="unmasked")
    assert desk.get(f"{PLACE}main/record.json").status_code == 200


def test_a_draw_is_checked_by_drawing_again(desk, drawn):
    desk.get(f"{PLACE}main/verify")
    assert "The record is the one in the study's chain" in desk.text
    Allocation.objects.filter(pk=Allocation.objects.first().pk).update(arm="control")
    Allocation.objects.filter(pk=Allocation.objects.last().pk).update(arm="control")
    Allocation.objects.exclude(arm="control").update(arm="control")
    desk.get(f"{PLACE}main/verify")
    assert "Warning" in desk.text


def test_a_stage_that_there_is_not_is_not_found(desk, people):
    assert desk.get(f"{PLACE}other/draw").status_code == 404
