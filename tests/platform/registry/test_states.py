"""The states of a study: which follow which, by whom, and what a launch waits for."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from equipoise.errors import InputError
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.policies import STUDY_MOVES
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.queries import rolling, studies, wave_times
from equipoise.platform.registry.readiness import conditions, readiness

pytestmark = pytest.mark.django_db


def without(*keys):
    """A change to the example: these lines of its protocol are gone."""

    def change(folder):
        path = folder / "protocol.yaml"
        lines = path.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.strip().startswith(keys)]
        assert len(kept) == len(lines) - len(keys)
        path.write_text("".join(kept), "utf-8")

    return change


def test_every_move_of_the_table_is_made_and_recorded_with_its_reason(add_example, alice, recorded):
    study = add_example()
    for state in ("live", "paused", "live", "closed", "published"):
        study = move_study(alice, study, state, reason="It was time")
        assert study.state == state
    assert recorded(study.name)[-5:] == [
        "study.launch",
        "study.pause",
        "study.pause",
        "study.close",
        "study.publish",
    ]
    assert study.launched_at is not None
    assert study.closed_at is not None


@pytest.mark.parametrize("state", STUDY_MOVES)
def test_no_other_move_is_made(add_example, alice, state):
    study = add_example()
    for wanted in STUDY_MOVES:
        if wanted not in STUDY_MOVES[state]:
            study.state = state
            with pytest.raises(InputError, match=f"is {state} and cannot become {wanted}"):
                move_study(alice, study, wanted, reason="Because")


def test_an_old_page_cannot_make_a_move_twice(add_example, alice):
    study = add_example()
    stale = type(study).objects.get(pk=study.pk)
    move_study(alice, study, "live")
    with pytest.raises(InputError, match="is live and cannot become live"):
        move_study(alice, stale, "live")


@pytest.mark.parametrize("wanted", ["paused", "closed"])
def test_a_pause_and_the_end_need_a_reason(swing, alice, wanted):
    with pytest.raises(InputError, match="say why"):
        move_study(alice, swing, wanted, reason="  ")


def test_neither_the_lead_of_another_study_nor_the_administrator_launches(add_example, members):
    study = add_example()
    for name in ("Bob", "Carol"):
        with pytest.raises(NotAllowedError):
            move_study(members[name], study, "live")


def test_a_launch_is_refused_with_everything_that_is_missing_at_once(add_example, alice):
    blanks = ("controller:", "purpose:", "recipients:", "complaint:")
    study = add_example("swing", without(*blanks, "contact: swing"))
    with pytest.raises(InputError) as caught:
        move_study(alice, study, "live")
    told = str(caught.value)
    for name in ("controller", "purpose", "recipients", "complaint", "study.contact"):
        assert name in told
    study.refresh_from_db()
    assert study.state == "locked"
    assert study.launched_at is None


def test_what_can_follow_the_launch_is_on_the_checklist_and_does_not_hold_it_up(add_example, alice):
    study = add_example()
    open_points = {each.name for each in conditions(study) if each.problem is not None}
    assert open_points == {"roster", "secret", "carriers"}
    assert readiness(study) == []
    assert move_study(alice, study, "live").state == "live"


def test_a_made_up_study_goes_live_in_a_rehearsal_alone(add_example, alice, monkeypatch):
    study = add_example()
    monkeypatch.setattr(type(settings.WORKSPACE), "live", property(lambda _: True))
    assert "synthetic" in " ".join(str(problem) for problem in readiness(study))


def test_a_wave_is_open_from_its_opening_until_just_before_its_closing(add_example, at):
    study = add_example()
    opens = datetime(2021, 4, 26, 8, tzinfo=UTC)  # nine in London, where summer time has begun
    times = wave_times(study)["after"]
    assert times.opens == opens
    for moment, state in (
        (opens - timedelta(seconds=1), "planned"),
        (opens, "open"),
        (times.closes - timedelta(seconds=1), "open"),
        (times.closes, "closed"),
    ):
        at(moment)
        assert wave_times(study)["after"].state == state


def test_studies_are_listed_newest_first(add_example, at):
    for day, name in ((1, "flexitime"), (3, "swing"), (2, "dictation")):
        at(datetime(2021, 2, day, tzinfo=UTC))
        add_example(name)
    assert [study.name for study in studies()] == ["swing", "dictation", "flexitime"]
    assert not rolling(studies()[0])
