import pytest

from equipoise.protocol import load_study, lock
from equipoise.protocol.checks.schedule import missed_occasions, moved_occasions, schedule_problems
from equipoise.protocol.registration import lock_text

FILE = "protocol.yaml"
TIMES = "    times: 8\n"


def after_times(text):
    return (FILE, TIMES, f"{TIMES}    {text}\n")


def sending(text):
    return (FILE, "harms: [complaint]", f"harms: [complaint]\nsending: {{{text}}}")


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (after_times("within: soon"), 'contacts.weekly.within: "soon" is not a length of time'),
        (after_times("within: 0 days"), "leaves no time"),
        (sending("cap: often"), 'sending.cap: "often" is not a cap. Write how many'),
        (sending("quiet-hours: ['20:00', '8 o clock']"), "sending.quiet-hours"),
        (sending("quiet-hours: ['Monday 20:00', '08:00']"), "quiet hours are the same every day"),
        (
            sending("bank-holidays: scotand"),
            'Known: england-and-wales, scotland, northern-ireland, none. Did you mean "scotland"?',
        ),
        (sending("zone: tean"), 'sending.zone: "tean" is not a roster column'),
        (sending("zone: started_on"), "is a column of another kind"),
        (sending("zone: team"), '"one" is not a time zone; write it as `Europe/London`'),
        (
            (FILE, "every: 1 week\n" + TIMES, "every: 1 day\n    times: 8\n    at: Tuesday 12:30\n"),
            "contacts.weekly.every: occasions 2 and 3 are both Tuesday 2021-03-09 12:30",
        ),
        ((FILE, TIMES, "    times: 8000\n"), "a contact is sent at most 1,000 times"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_told_with_its_line(patch, message, problems):
    found = problems(patch)
    assert any(message in each for each in found), found
    assert all(each.startswith("small/protocol.yaml:") for each in found)


def test_a_cap_that_the_schedule_itself_breaks_is_told_with_the_messages_that_do(problems):
    (found,) = problems(
        (FILE, "every: 1 week", "every: 3 days"),
        sending("cap: 2 per week, weekends: true, bank-holidays: none"),
    )
    assert (
        '"2 per week" is less than is planned for everybody in texts: weekly 1 (2021-03-02), weekly 2 (2021-03-05)'
        in found
    )
    assert "weekly 3 (2021-03-08)" in found


def test_other_arms_and_what_leaves_the_days_between_do_not_count_against_a_cap(changed):
    study = changed(sending("cap: 1 per week"))
    assert list(schedule_problems(study)) == []


def test_a_message_that_quiet_hours_leave_no_time_for_is_said_and_one_that_they_move_too(changed):
    study = changed(
        (FILE, "from: launch + 1 day", "from: launch + 5 days"), (FILE, TIMES, TIMES + "    within: 1 day\n")
    )
    found = list(missed_occasions(study))
    assert found[0].startswith(
        "weekly 1, Saturday 2021-03-06 09:00, never goes out: the quiet hours put it off to Monday"
    )
    assert found[-1] == "weekly: 5 more of its occasions never go out"
    assert list(moved_occasions(study)) == []


def test_a_launch_in_a_quiet_hour_is_allowed_and_said(changed):
    study = changed(
        (FILE, "launch: 2021-03-01 09:00", "launch: 2021-03-01 22:00"), (FILE, "times: 8", "times: 1")
    )
    assert list(missed_occasions(study)) == []
    assert list(moved_occasions(study)) == [
        "weekly 1, Tuesday 2021-03-02 22:00, is in quiet hours and goes out Wednesday 2021-03-03 08:00"
    ]


def test_a_study_that_was_locked_before_still_loads_and_is_told_when_its_messages_are_to_go_out(small):
    (small / FILE).write_text(
        (small / FILE)
        .read_text("utf-8")
        .replace("harms: [complaint]", "harms: [complaint]\nsending: {cap: often}"),
        "utf-8",
    )
    # As a version locked it that did not read the cap.
    from equipoise.protocol import checks

    kept, checks.CHECKS = (
        checks.CHECKS,
        tuple(each for each in checks.CHECKS if each.__name__ != "check_schedule"),
    )
    try:
        locked = lock(
            load_study(small),
            time="2021-01-04T09:00:00Z",
            seed_commitment="ab" * 32,
            version="0.2.0",
            clock="rehearsal",
        )
    finally:
        checks.CHECKS = kept
    (small / "lock.json").write_text(lock_text(locked), "utf-8")
    study = load_study(small)
    assert [problem.where for problem in schedule_problems(study)] == ["sending.cap"]
