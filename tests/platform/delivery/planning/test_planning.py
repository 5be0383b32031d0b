"""The planner: everybody once, in their time, whatever the clock does; and nothing that is not theirs."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connections

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Alarm, ConfirmedContact, Dispatch, Occasion
from equipoise.platform.delivery.planning.confirming import confirm
from equipoise.platform.delivery.planning.planner import plan_due
from equipoise.platform.delivery.watch.watching import watch
from equipoise.platform.people.models import Consent, Participant
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.actions import move_study

pytestmark = pytest.mark.django_db
INVITE, REMIND, WEEKLY = "before.invite", "before.remind", "weekly-message"


def said(participant, activity, *, given):
    return Consent.objects.create(
        participant=participant, activity=activity, given=given, version="v", channel="web", at=now()
    )


@pytest.fixture
def study(launched):
    return launched()


def test_planned_twice_it_is_there_once_with_its_moments_and_who_carries_it(study, enrol, rows):
    people = enrol(study, 7)
    assert plan_due() == 7
    assert plan_due() == 0
    assert rows(study) == {(INVITE, 1, "planned"): 7}  # nothing else is due within two days
    one = Dispatch.objects.filter(participant=people[0]).get()
    assert (one.channel, one.carrier, one.reference, one.attempts) == ("email", "smtp", None, 0)
    assert one.due_at == one.next_at == datetime(2021, 2, 8, 9, tzinfo=UTC)
    assert one.last_at == datetime(2021, 3, 1, 9, tzinfo=UTC)
    assert Occasion.objects.get(study=study).people == 7


def test_only_the_arm_of_a_contact_gets_it_and_nobody_before_the_draw(study, enrol, draw, on, rows):
    people = enrol(study, 6)
    on(3, 2)
    plan_due()
    assert rows(study, contact=WEEKLY) == {}
    draw(study, people)
    plan_due()
    assert rows(study, contact=WEEKLY) == {(WEEKLY, 1, "planned"): 3}
    arms = set(
        Dispatch.objects.filter(contact=WEEKLY).values_list("participant__allocations__arm", flat=True)
    )
    assert arms == {"messages"}
    assert Dispatch.objects.filter(contact=WEEKLY).first().due_at == datetime(2021, 3, 2, 12, 30, tzinfo=UTC)


def test_who_left_stopped_refused_or_answered_gets_nothing_and_who_left_the_employer_does(
    study, enrol, draw, answer, on
):
    people = enrol(study, 9)
    draw(study, people, ("messages",))
    left, stopped, refused, relented, answered, moved, began, unasked, declined = people
    Participant.objects.filter(pk=left.pk).update(state="withdrawn")
    Participant.objects.filter(pk=stopped.pk).update(messages_stopped_at=now())
    Participant.objects.filter(pk=moved.pk).update(left_at=now())
    said(refused, "messages", given=True)
    said(refused, "messages", given=False)
    said(relented, "messages", given=False)
    said(relented, "messages", given=True)
    said(refused, "survey", given=False)
    answer(study, [answered], "before")
    answer(study, [began], "before", state="started")
    answer(study, [declined], "before", state="declined")
    on(2, 15)
    plan_due()
    reminded = set(Dispatch.objects.filter(contact=REMIND).values_list("participant", flat=True))
    assert reminded == {each.pk for each in (relented, moved, began, unasked)}
    on(3, 2)
    plan_due()
    told = set(Dispatch.objects.filter(contact=WEEKLY).values_list("participant", flat=True))
    assert told == {each.pk for each in (relented, answered, moved, began, unasked, declined)}


def test_where_messages_are_an_opt_in_only_those_who_said_yes_get_them(launched, rewritten, enrol, draw, on):
    study = launched(rewritten(("messages: opt-out", "messages: opt-in")))
    people = enrol(study, 3)
    draw(study, people, ("messages",))
    said(people[0], "messages", given=True)
    said(people[1], "messages", given=True)
    said(people[1], "messages", given=False)
    on(3, 1)
    plan_due()
    assert [each.participant_id for each in Dispatch.objects.filter(contact=WEEKLY)] == [people[0].pk]
    said(people[2], "messages", given=True)
    plan_due()
    assert Dispatch.objects.filter(contact=WEEKLY).count() == 1
    on(3, 2, 13)  # when it is due, whoever has agreed since is planned as well
    plan_due()
    assert Dispatch.objects.filter(contact=WEEKLY).count() == 2


def test_a_clock_that_goes_back_or_jumps_forward_repeats_nothing_and_makes_no_flood(
    study, enrol, draw, on, later, rows
):
    draw(study, enrol(study, 4), ("messages",))
    on(3, 2, 12, 30)
    plan_due()
    before = rows(study)
    later(hours=-2)
    assert plan_due() == 0
    later(days=3)
    plan_due()
    assert (
        rows(study, contact=WEEKLY)
        == {(WEEKLY, 1, "planned"): 4}
        == {key: number for key, number in before.items() if key[0] == WEEKLY}
    )
    on(3, 25)  # three weeks later: what is over is missed, and one message a person is left to go
    plan_due()
    weekly = rows(study, contact=WEEKLY)
    assert weekly == {
        (WEEKLY, 1, "planned"): 4,  # until somebody looks, nobody says that it is missed
        (WEEKLY, 2, "missed"): 4,
        (WEEKLY, 3, "missed"): 4,
        (WEEKLY, 4, "planned"): 4,
    }
    assert set(Dispatch.objects.filter(state="missed").values_list("reason", flat=True)) == {"late"}


@pytest.mark.django_db(transaction=True)
def test_planners_that_work_at_the_same_time_plan_everybody_once(study, enrol, draw, on, rows):
    draw(study, enrol(study, 60))
    on(3, 2)
    made, failed, begin = [], [], threading.Barrier(4)

    def plan():
        try:
            begin.wait()
            made.append(plan_due())
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    planners = [threading.Thread(target=plan) for _ in range(4)]
    for each in planners:
        each.start()
    for each in planners:
        each.join()
    assert failed == []
    assert sum(made) == Dispatch.objects.filter(study=study).count()
    assert rows(study, contact=WEEKLY) == {(WEEKLY, 1, "planned"): 30}


def test_a_study_that_is_paused_or_not_confirmed_or_carried_by_nobody_plans_nothing(
    study, enrol, alice, carried
):
    enrol(study, 2)
    carried(email=None)
    assert plan_due() == 0
    carried()
    ConfirmedContact.objects.filter(study=study).delete()  # as a study that an earlier version launched
    assert plan_due() == 0
    confirm(alice, study, [INVITE])
    move_study(alice, study, "paused", reason="To look at something")
    assert plan_due() == 0
    study.refresh_from_db()
    move_study(alice, study, "live")
    assert plan_due() == 2


def test_whoever_answers_is_thanked_once_outside_quiet_hours(study, enrol, answer, on, rows):
    people = enrol(study, 3)
    on(2, 12, 22)  # a Friday night
    answer(study, people[:2], "before")
    plan_due()
    plan_due()
    assert rows(study, contact="before.thank") == {("before.thank", 1, "planned"): 2}
    thanked = Dispatch.objects.filter(contact="before.thank").first()
    assert (thanked.due_at, thanked.last_at) == (
        datetime(2021, 2, 15, 8, tzinfo=UTC),
        datetime(2021, 2, 19, 22, tzinfo=UTC),
    )


SELECTING = ("to: {arm: messages}", "to: {arm: messages, where: \"region != 'north' && !answered(before)\"}")


def test_an_expression_selects_and_whom_it_cannot_tell_gets_nothing(
    launched, rewritten, enrol, draw, answer, on
):
    study = launched(rewritten(SELECTING))
    north, east, unknown = enrol(study, 2), enrol(study, 3, region="east"), enrol(study, 2, region=None)
    draw(study, [*north, *east, *unknown], ("messages",))
    answer(study, east[:1], "before")
    on(3, 2)
    plan_due()
    told = Dispatch.objects.filter(contact=WEEKLY).values_list("participant", flat=True)
    assert sorted(told) == [each.pk for each in east[1:]]


ZONES = (
    ("  bank-holidays: england-and-wales\n", "  bank-holidays: england-and-wales\n  zone: place\n"),
    ("    started_on: {type", "    place: {type: text, required: false}\n    started_on: {type"),
)


def test_everybody_gets_it_when_their_own_clock_shows_the_stated_time(
    launched, rewritten, enrol, draw, on, rows
):
    study = launched(rewritten(*ZONES))
    places = ("America/New_York", "Europe/London", "Atlantis/Nowhere", None)
    people = [enrol(study, 1, place=place)[0] for place in places]
    draw(study, people, ("messages",))
    on(3, 1)
    plan_due()
    plan_due()
    due = {row.participant_id: row.due_at for row in Dispatch.objects.filter(contact=WEEKLY)}
    clocks = [ZoneInfo(place) for place in (places[0], "Europe/London", "Europe/London", "Europe/London")]
    assert [
        due[each.pk].astimezone(clock).strftime("%a %H:%M")
        for each, clock in zip(people, clocks, strict=True)
    ] == ["Tue 12:30"] * 4
    assert len(set(due.values())) == 2


TURNS = (
    ("waves:\n", "schedule:\n  periods: {p1: launch, p2: launch + 4 weeks}\n  sequences:\n"
     "    first: [messages, control]\n    waiting: [control, messages]\nwaves:\n"),
    ("  ratio: {control: 1, messages: 1}\n", "  to: sequences\n  ratio: {first: 1, waiting: 1}\n"),
)  # fmt: skip


ANALYSED = """
analyses:
  effect: {label: Effect, outcomes: [wellbeing], contrast: messages - control, model: mixed}

diagnosis:
"""


def in_turns(rewritten):
    """A change by which the arms take turns, and are analysed over them."""

    def change(folder):
        rewritten(*TURNS)(folder)
        place = folder / "protocol.yaml"
        before, _, rest = place.read_text("utf-8").partition("\nanalyses:\n")
        _, _, after = rest.partition("\ndiagnosis:\n")
        place.write_text(before + ANALYSED + after, "utf-8")

    return change


def test_whoever_waited_gets_the_messages_when_it_is_their_turn(launched, rewritten, enrol, draw, on):
    study = launched(in_turns(rewritten))
    people = enrol(study, 4)
    draw(study, people, ("first", "waiting"))
    for month, day, whose in ((3, 2, people[0::2]), (3, 30, people[1::2])):
        on(month, day, 8)
        plan_due()
        moment = datetime(2021, month, day, tzinfo=UTC)
        told = Dispatch.objects.filter(contact=WEEKLY, due_at__range=(moment, moment + timedelta(days=1)))
        assert set(told.values_list("participant", flat=True)) == {each.pk for each in whose}


OWN = (
    ("participants:\n", "participants:\n  enrolment: rolling\n"),
    ("when: launch\n", "when: enrolled\n"),
    ("method: blocked", "method: permuted-blocks"),
    ("from: launch + 1 day", "from: enrolled + 1 day"),
    ("    at: Tuesday 12:30\n", ""),
)


@pytest.fixture
def rolling(add_example, alice, rewritten):
    """A study whose people come one by one, each with moments of their own."""
    from tests.platform.conftest import SECRET

    from equipoise.platform.people.allocation import commit_stage, hand_in_secret

    study = add_example("swing", rewritten(*OWN))
    hand_in_secret(alice, study.stages.get(), SECRET.hex())
    commit_stage(alice, study.stages.get())
    return move_study(alice, study, "live")


def test_whoever_comes_later_gets_what_is_theirs_at_their_own_time(rolling, enrol, draw, on, rows):
    on(2, 15, 10)
    early = enrol(rolling, 2)
    draw(rolling, early, ("messages",))
    plan_due()
    assert rows(rolling, contact=WEEKLY) == {(WEEKLY, 1, "planned"): 2}
    on(2, 22, 14, 30)
    draw(rolling, late := enrol(rolling, 1), ("messages",))
    plan_due()
    plan_due()
    assert rows(rolling, contact=WEEKLY) == {(WEEKLY, 1, "planned"): 3, (WEEKLY, 2, "planned"): 2}
    (theirs,) = Dispatch.objects.filter(participant=late[0], contact=WEEKLY)
    assert theirs.due_at == datetime(2021, 2, 23, 14, 30, tzinfo=UTC)
    # What is the same for all goes to whoever came in its time, and to nobody who came after.
    assert rows(rolling, contact=INVITE) == {(INVITE, 1, "planned"): 3}
    on(3, 1, 9, 1)
    draw(rolling, enrol(rolling, 1), ("messages",))
    plan_due()
    assert rows(rolling, contact=INVITE) == {(INVITE, 1, "planned"): 3}


def test_whoever_only_practises_is_sent_nothing_by_anybody_who_carries(study, enrol, answer, rows):
    people = enrol(study, 3)
    Participant.objects.filter(pk=people[0].pk).update(rehearsal=True)
    answer(study, people[:2], "before")
    answer(study, people[2:], "after")
    plan_due()
    plan_due()
    told = set(Dispatch.objects.values_list("participant", "contact", "carrier"))
    assert told == {
        (people[0].pk, "before.thank", "rehearsal"),
        (people[1].pk, "before.thank", "smtp"),
        (people[2].pk, "after.thank", "smtp"),
        (people[2].pk, INVITE, "smtp"),
    }
    Dispatch.objects.all().delete()
    Occasion.objects.all().delete()
    Participant.objects.filter(pk=people[2].pk).update(rehearsal=True)
    plan_due()
    assert Dispatch.objects.get(contact=INVITE).carrier == "rehearsal"


def test_what_cannot_be_planned_holds_up_nothing_else_and_the_watch_tells_of_it(
    launched, enrol, draw, on, rows, monkeypatch, caplog
):
    from equipoise.platform.delivery.planning import planner as planning

    study = launched()
    draw(study, enrol(study, 4), ("messages",))
    planned = planning._plan_send
    broken = lambda study, send, told: 1 / 0 if send.name == WEEKLY else planned(study, send, told)  # noqa: E731
    monkeypatch.setattr(planning, "_plan_send", broken)
    on(3, 2, 14)
    assert plan_due() > 0
    assert rows(study, contact=WEEKLY) == {}
    assert [record.getMessage() for record in caplog.records] == ["weekly-message of swing cannot be planned"]
    watch()
    alarm = Alarm.objects.get(study=study, kind="behind")
    assert (alarm.numbers["late"], alarm.numbers["oldest"]) == (4, "2021-03-02T12:30:00+00:00")


def test_thanks_and_what_has_a_time_of_its_own_are_told_too_when_nobody_plans_them(
    rolling, enrol, draw, answer, on, later
):
    on(2, 15, 10)
    draw(rolling, people := enrol(rolling, 3), ("messages",))
    draw(rolling, enrol(rolling, 1), ("control",))
    answer(rolling, people[:2], "before")
    plan_due()
    later(days=1, hours=3)
    Dispatch.objects.update(state="sent")
    watch()
    assert not Alarm.objects.exists()

    Dispatch.objects.filter(contact__in=[WEEKLY, "before.thank"]).delete()
    watch()
    alarm = Alarm.objects.get(study=rolling, kind="behind")
    assert (alarm.numbers["late"], alarm.numbers["oldest"]) == (5, "2021-02-15T10:00:00+00:00")


def test_only_the_lead_confirms(study, members):
    with pytest.raises(NotAllowedError):
        confirm(members["Carol"], study, [INVITE])
