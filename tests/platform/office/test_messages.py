"""Messages in the office: the calendar, one occasion, what waits for somebody, and who may see what."""

import csv
from datetime import timedelta

import pytest

from equipoise.platform.audit.models import Entry
from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Alarm, ClosedAddress, ConfirmedContact, Dispatch
from equipoise.platform.people.models import ContactDetails
from equipoise.platform.registry.actions import move_study
from equipoise.platform.staff.actions import CommandLine, Place, grant
from equipoise.platform.workspace import Mail

from .conftest import Desk

pytestmark = pytest.mark.django_db

HOME = "/office/studies/swing/"
MESSAGES = f"{HOME}messages/"
FIRST = f"{MESSAGES}sends/weekly-message/1/"


def write(swing, people, occasion=1, *, since=timedelta(hours=1), **fields):
    due = now() - since
    said = {"channel": "sms", "carrier": "notify", "due_at": due, "next_at": due, **fields}
    said.setdefault("last_at", due + timedelta(days=7))
    return Dispatch.objects.bulk_create(
        Dispatch(study=swing, participant=person, contact="weekly-message", occasion=occasion, **said)
        for person in people
    )


@pytest.fixture
def sent(swing, people):
    """The first text: to seven of twelve; two failed, one is in doubt, two wait."""
    write(swing, people[:4], state="delivered", parts=1)
    write(swing, people[4:7], state="sent", parts=2)
    write(swing, people[7:8], state="failed", reason="closed-address")
    write(swing, people[8:9], state="failed", reason="field-missing")
    (doubtful,) = write(swing, people[9:10], state="unknown", reason="no-answer", reference="f" * 32)
    write(swing, people[10:], since=-timedelta(hours=5))
    return doubtful


def rows(desk):
    return list(csv.DictReader(desk.html.lstrip("\ufeff").splitlines()))


def test_the_calendar_says_what_goes_when_and_what_became_of_it(desk, sent):
    desk.get(MESSAGES)
    for said in (
        "Weekly text, 1 of 8",
        "2 March 2021, 12:30",
        "Invitation: After the texts",
        "Europe/London",
    ):
        assert said in desk.text, said
    assert "Once they have answered" in desk.text
    desk.get(MESSAGES, format="csv")
    (first,) = [row for row in rows(desk) if (row["Send"], row["Occasion"]) == ("weekly-message", "1")]
    told = {key: first[key] for key in ("To", "Delivered", "Sent", "Could not be sent", "In doubt")}
    assert told == {"To": "12", "Delivered": "4", "Sent": "3", "Could not be sent": "2", "In doubt": "1"}
    assert (first["Waits to be sent"], first["Parts of texts"]) == ("2", "10")
    assert first["Due (UTC)"] == "2021-03-02T12:30:00+00:00"


def test_the_address_narrows_orders_and_turns_over_the_calendar(desk, sent, at):
    at(now() + timedelta(days=100))
    desk.get(MESSAGES, when="past", channel="sms", sort="-due")
    places = [desk.text.index(f"Weekly text, {number} of 8") for number in (8, 5, 2)]
    assert places == sorted(places)
    assert "Invitation" not in desk.text
    desk.get(MESSAGES, channel="letter")
    assert "There is nothing at this time" in desk.text


def test_a_protocol_that_sends_nothing_says_so(add_example, alice):
    add_example("diversity-in-hiring")
    desk = Desk().sign_in(alice)
    desk.get("/office/studies/diversity-in-hiring/messages/")
    assert "The protocol sends nothing" in desk.text


def test_what_waits_for_somebody_stands_on_top_and_on_the_overview(desk, sent, swing):
    numbers = {"late": 3, "missed": 0, "oldest": now().isoformat()}
    Alarm.objects.create(study=swing, kind="behind", numbers=numbers, since=now())
    for place in (MESSAGES, HOME, "/office/"):
        desk.get(place)
        assert "3 messages are due and not sent, the oldest since" in desk.text, place
        assert "1 message may have gone out or not" in desk.text, place
    desk.get(MESSAGES)
    assert "Nobody carries text messages" in desk.text
    assert "2 messages could not be sent or missed their time" in desk.text
    assert "Texts so far: 10 parts" in desk.text
    desk.get(HOME)
    assert "Messages that go out next" in desk.text


def test_an_occasion_says_why_something_was_not_sent_and_how_it_looks(desk, sent):
    desk.get(FIRST)
    assert desk.heading == "Weekly text, 1 of 8"
    for said in ("Delivered 4", "Could not be sent 2", "The address is closed", "lacks a field of the text"):
        assert said in desk.text, said
    assert "My first month I wrote every question on a card" in desk.text
    assert "characters of GSM-7. Each takes" in desk.text
    assert desk.get(f"{MESSAGES}sends/weekly-message/9/").status_code == 404
    assert desk.get(f"{MESSAGES}sends/none/1/").status_code == 404


def test_a_character_that_makes_a_text_dear_is_pointed_out(add_example, alice):
    def dear(folder):
        path = folder / "messages" / "week-1.md"
        path.write_text(path.read_text("utf-8").replace("the cards.", "the “cards”…"), "utf-8")

    add_example("swing", dear)
    desk = Desk().sign_in(alice)
    desk.get(FIRST)
    assert "characters of UCS-2" in desk.text
    assert "“…” (“...” would do)" in desk.text


def test_a_message_is_seen_as_one_participant_gets_it_and_that_is_recorded(desk, sent, people):
    desk.act(FIRST, key=people[0].key)
    assert f"How it looks to {people[0].key}" in desk.text
    entry = Entry.objects.latest("pk")
    assert (entry.verb, people[0].key in entry.details) == ("messages.preview", True)
    assert desk.act(FIRST, key="nobody").status_code == 422
    assert "Nobody in this study has this code" in desk.text


def test_an_occasion_goes_out_at_once_when_the_study_is_named(desk, sent, people):
    assert desk.act(f"{FIRST}now", name="swinging").status_code == 422
    assert not Dispatch.objects.filter(state="planned", next_at__lte=now()).exists()
    desk.get(f"{FIRST}now")
    assert "2 that wait for their time, 0 missed" in desk.text
    assert desk.post(f"{FIRST}now", name="swing").status_code == 303
    assert Dispatch.objects.filter(state="planned", next_at__lte=now()).count() == 2
    assert "They go out now" in desk.follow().content.decode()


def test_whom_a_message_would_not_reach_is_known_by_code_before_it_goes(desk, swing, people, roster):
    ClosedAddress.objects.bulk_create(
        ClosedAddress(
            participant=people[3], column=each.column, digest=each.digest, reason="refused", at=now()
        )
        for each in people[3].lookups.filter(column="email")
    )
    ContactDetails.objects.filter(participant=people[5]).delete()
    desk.get(f"{MESSAGES}sends/after.invite/1/", format="unreachable")
    found = {row["Code"]: row["Reason"] for row in rows(desk)}
    assert found == {people[3].key: "The address is closed", people[5].key: "There is no address"}


def test_what_failed_is_tried_again_by_a_button(desk, sent):
    assert desk.act(f"{FIRST}retry").status_code == 303
    assert Dispatch.objects.filter(state="failed").count() == 0


def test_a_test_message_goes_to_ones_own_address_and_is_no_dispatch(
    desk, alice, sent, settings, monkeypatch, mailoutbox
):
    before = Dispatch.objects.count()
    desk.get(FIRST)
    desk.post(f"{FIRST}test")
    assert "no mail server is named" in desk.follow().content.decode()
    mail = Mail(host="mail.example.org", sender="study@example.org")
    changed = settings.WORKSPACE.settings.model_copy(update={"mail": mail})
    monkeypatch.setattr(settings.WORKSPACE, "settings", changed)
    desk.post(f"{FIRST}test")
    assert "on its way to your own address" in desk.follow().content.decode()
    (message,) = mailoutbox
    assert message.to == [alice.email]
    assert message.subject.startswith("TEST: ")
    assert "My first month I wrote" in message.body
    desk.get(f"{MESSAGES}sends/before.invite/1/")
    desk.post(f"{MESSAGES}sends/before.invite/1/test")
    assert mailoutbox[1].subject == "TEST: Five minutes: how is your training going?"
    assert mailoutbox[1].alternatives[0].mimetype == "text/html"
    assert Dispatch.objects.count() == before
    assert Entry.objects.latest("pk").verb == "messages.test"


def test_a_message_in_doubt_is_settled_with_a_reason(desk, sent, people):
    desk.get(f"{MESSAGES}in-doubt/")
    assert people[9].key in desk.text
    place = f"{MESSAGES}in-doubt/{sent.pk}/"
    assert desk.act(place, choice="went").status_code == 422
    assert desk.act(place, reason="It is in the provider's list").status_code == 422
    assert "Say whether it went out" in desk.text
    assert desk.act(place, choice="went", reason="It is in the provider's list").status_code == 303
    sent.refresh_from_db()
    assert (sent.state, sent.reason) == ("sent", "by-person")
    assert desk.get(place).status_code == 404
    desk.get(f"{MESSAGES}in-doubt/")
    assert "There is no doubt about any message" in desk.text


def test_what_was_not_sent_is_listed_by_code_and_reason_and_so_are_closed_addresses(desk, sent, people):
    ClosedAddress.objects.create(
        participant=people[7], column="mobile", digest="0" * 64, reason="refused", at=now()
    )
    desk.get(f"{MESSAGES}not-sent/")
    assert people[7].key in desk.text
    assert people[8].key in desk.text
    desk.get(f"{MESSAGES}not-sent/", why="field-missing", format="csv")
    assert [row["Code"] for row in rows(desk)] == [people[8].key]
    desk.get(f"{MESSAGES}closed/")
    assert f"{people[7].key} Mobile phone Refused" in desk.text
    assert "07700" not in desk.html


def test_what_waits_to_be_let_go_is_let_go_by_the_lead_alone(desk, sent, swing, members):
    ConfirmedContact.objects.all().delete()
    ConfirmedContact.objects.create(
        study=swing, contact="weekly-message", digest="0" * 64, by="staff:1", at=now()
    )
    desk.get(MESSAGES)
    assert "sends wait for somebody to let it go out" in desk.text
    desk.get(f"{MESSAGES}waiting/")
    assert "Changed since somebody let it go out" in desk.text
    assert "Nobody has let it go out yet" in desk.text
    place = f"{MESSAGES}waiting/sends/weekly-message"
    assert desk.act(place, name="swing").status_code == 303
    assert ConfirmedContact.objects.filter(contact="weekly-message").count() == 2
    assert desk.get(place).status_code == 404
    assert desk.act(f"{MESSAGES}waiting/everything", name="swing").status_code == 303
    desk.get(f"{MESSAGES}waiting/")
    assert "Nothing waits" in desk.text
    ConfirmedContact.objects.filter(contact="after.invite").delete()
    grant(CommandLine(), members["Bob"], "data-manager", Place(swing))
    bob = Desk().sign_in(members["Bob"])
    assert bob.get(f"{MESSAGES}waiting/sends/after.invite").status_code == 403
    bob.get(f"{MESSAGES}waiting/")
    assert "Decide" not in bob.text


def test_an_auditor_sees_numbers_and_nobody(sent, swing, members, people):
    grant(CommandLine(), members["Bob"], "auditor", Place(swing))
    bob = Desk().sign_in(members["Bob"])
    for place in (MESSAGES, FIRST):
        assert bob.get(place).status_code == 200
        assert "See it as a participant gets it" not in bob.text
    assert bob.get(FIRST, format="unreachable").status_code == 403
    bob.get(FIRST, format="csv")
    assert not any(person.key in bob.html for person in people)
    assert bob.act(FIRST, key=people[0].key).status_code == 403
    for place in ("in-doubt/", "not-sent/", "closed/"):
        assert bob.get(MESSAGES + place).status_code == 403, place


def test_whoever_is_masked_or_looks_after_one_partner_learns_nothing_of_messages(
    sent, swing, members, people
):
    partner = swing.partners.get()
    grant(CommandLine(), members["Bob"], "coordinator", Place(swing, partner))
    bob = Desk().sign_in(members["Bob"])
    for place in (MESSAGES, FIRST):
        assert bob.get(place).status_code == 403
    for place in (HOME, f"{HOME}people/{people[0].key}/", "/office/"):
        bob.get(place)
        assert "Weekly text" not in bob.text, place
        assert "gone out or not" not in bob.text, place
    grant(CommandLine(), members["Carol"], "lead", Place(swing))
    grant(CommandLine(), members["Carol"], "analyst", Place(swing))
    carol = Desk().sign_in(members["Carol"])
    assert carol.get(MESSAGES).status_code == 403
    carol.get(f"{HOME}people/{people[0].key}/")
    assert "Weekly text" not in carol.text


def test_a_persons_page_says_what_they_were_sent_and_what_came_back(desk, sent, people):
    desk.get(f"{HOME}people/{people[7].key}/")
    assert "Weekly text, 1 of 8 Text" in desk.text
    assert "Could not be sent: the address is closed" in desk.text


def test_a_paused_study_says_that_nothing_goes_out_and_offers_to_resume(desk, sent, swing, alice):
    move_study(alice, swing, "paused", reason="A wrong link")
    desk.get(MESSAGES)
    assert "The study is paused: nothing goes out" in desk.text
    assert "Resume the study" in desk.text
    assert desk.act(f"{FIRST}now", name="swing").status_code == 422
    assert "is paused" in desk.text
