"""The calendar counts people before anything is planned as it does afterwards, and says what takes too long."""

from datetime import UTC, datetime

import pytest

from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.planning.calendar import calendar
from equipoise.platform.delivery.planning.limits import limit_problems
from equipoise.platform.delivery.planning.planner import plan_due
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Reach
from equipoise.platform.registry.models import Partner
from equipoise.platform.registry.readiness import conditions

pytestmark = pytest.mark.django_db
WEEKLY = "weekly-message"


def told(study, whose=None):
    rows = calendar(study) if whose is None else calendar(study, whose)
    return {(row.name, row.occasion): row for row in rows}


def test_the_calendar_before_the_draw_counts_by_the_ratio_and_after_it_those_who_get_it(
    launched, rewritten, enrol, draw, on
):
    study = launched(rewritten(("ratio: {control: 1, messages: 1}", "ratio: {control: 1, messages: 3}")))
    assert (told(study)[WEEKLY, 1].people, told(study)["after.invite", 1].people) == (861, 1148)  # expected
    people = enrol(study, 20)
    before = told(study)
    assert (before[WEEKLY, 1].people, before[WEEKLY, 1].estimated) == (15, True)
    assert (before["after.invite", 1].people, before["after.invite", 1].estimated) == (20, False)
    assert [row.name for row in calendar(study)][:2] == ["before.invite", "before.remind"]
    assert before["before.thank", 1].when == "on completion"
    assert before["before.thank", 1].due is None
    reminder = before["after.remind", 1]
    assert (reminder.moved, reminder.due) == (True, datetime(2021, 5, 4, 7, tzinfo=UTC))  # a bank holiday
    draw(study, people, ("messages", "control", "control", "control"))
    assert (told(study)[WEEKLY, 1].people, told(study)[WEEKLY, 1].estimated) == (5, False)
    on(3, 2)
    plan_due()
    first = Dispatch.objects.filter(contact=WEEKLY).first()
    Dispatch.objects.filter(pk=first.pk).update(state="sent")
    after = told(study)
    assert after[WEEKLY, 1].states == {"planned": 4, "sent": 1}
    assert (after[WEEKLY, 1].people, after[WEEKLY, 1].confirmed, after[WEEKLY, 1].carrier) == (
        5,
        True,
        "notify",
    )
    assert not after[WEEKLY, 2].planned

    partner = Partner.objects.get(study=study)
    Participant.objects.filter(pk__in=[each.pk for each in people[:8]]).update(partner=partner)
    theirs = told(study, Reach(everybody=False, partners=frozenset({partner.pk})))
    assert (theirs[WEEKLY, 1].people, theirs[WEEKLY, 2].people, theirs["after.invite", 1].people) == (2, 2, 8)


RATIO_BY_COHORT = (
    "  ratio: {control: 1, messages: 1}\n",
    "  ratio:\n    - {where: \"cohort == '2021'\", control: 2, messages: 1}\n    - {else: {control: 1, messages: 4}}\n",
)


def test_an_unequal_ratio_by_stratum_and_an_expression_are_both_counted(add_example, rewritten, enrol):
    where = ("to: {arm: messages}", "to: {arm: messages, where: \"region != 'north'\"}")
    study = add_example("swing", rewritten(RATIO_BY_COHORT, where))
    enrol(study, 6, region="east")
    enrol(study, 5, region="east", cohort="2020")
    enrol(study, 9)
    enrol(study, 4, region=None)
    row = told(study)[WEEKLY, 1]
    assert (row.people, row.unknown, row.estimated, row.confirmed) == (6 // 3 + 5 * 4 // 5, 4, True, False)


def test_what_does_not_fit_a_carriers_limit_is_told_before_the_launch_with_how_long_it_takes(
    add_example, enrol, carried
):
    study = add_example("swing")
    enrol(study, 130)
    assert limit_problems(study) == []
    carried(limits={"smtp": {"per_day": 50}, "notify": {"per_minute": 1}})
    found = {problem.where: problem.message for problem in limit_problems(study)}
    assert found["before.invite"].startswith(
        "130 messages (before.invite 1) fall on 2021-02-08, and smtp takes 50 a day: they take 3 days,"
        " until 2021-02-10; let it begin earlier"
    )
    assert "notify takes 1 a minute: they take 1 h 05 min" in found[WEEKLY]
    on_the_list = [each for each in conditions(study) if each.name == "limits"]
    assert on_the_list
    assert not any(each.needed for each in on_the_list)
    carried(limits={"smtp": {"per_day": 6}})
    (late,) = [each.message for each in limit_problems(study) if each.where == "before.invite"]
    assert "they take 22 days, until 2021-03-09, which is too late for some of before.invite 1" in late
