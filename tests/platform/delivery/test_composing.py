"""What goes out of a dispatch: facts, languages, links, addresses, and what keeps it from going out."""

import shutil
from itertools import count

import pytest

from equipoise.platform.clock import now
from equipoise.platform.crypto import token_hash
from equipoise.platform.database import writing
from equipoise.platform.delivery.channels.contract import Outgoing
from equipoise.platform.delivery.models import ClosedAddress, Dispatch, MessageLink
from equipoise.platform.delivery.writing.composing import Composer, Unsendable, preview
from equipoise.platform.fieldwork.models import Link
from equipoise.platform.people.contacts import lookups_of, sealed_contact, wrapping_keys
from equipoise.platform.people.models import ContactDetails, Lookup, Participant, RosterFacts
from equipoise.platform.registry.readiness import readiness

ORIGIN = "http://localhost:8000"
NUMBER = count(1)
INVITATION = """---
subject: "{first_name}, how is {region}?"
---
Dear {first_name},

You began on {started_on}. It takes {minutes} minutes, until {closes}. Write to {contact} about "{study}".

[Start]({link})

Stop: {stop_link}
"""
IN_WELSH = """---
subject: "{first_name}, sut mae {region}?"
---
Annwyl {first_name}, {started_on} {minutes} {closes} {contact} {study} {link} {stop_link}
"""


def in_two_languages(folder):
    """The example with names, a column for the language, and an invitation in two languages."""
    protocol = folder / "protocol.yaml"
    text = protocol.read_text("utf-8")
    text = text.replace(
        "    cohort:     {type",
        "    first_name: {type: text, role: contact}\n"
        "    spoken:     {type: category, levels: [en, cy], required: false}\n"
        "    work_email: {type: email, role: contact, required: false}\n"
        "    cohort:     {type",
    )
    protocol.write_text(text.replace("sending:\n", "sending:\n  language: spoken\n"), "utf-8")
    (folder / "messages" / "invite.md").write_text(INVITATION, "utf-8")
    (folder / "messages" / "invite.cy.md").write_text(IN_WELSH, "utf-8")
    shutil.copy(folder / "messages" / "week-1.md", folder / "messages" / "week-2.md")


@pytest.fixture
def study(add_example):
    return add_example("swing", in_two_languages)


def person(study, *, facts=None, **details):
    """Somebody with facts and contact details, as an import stores them."""
    found = Participant.objects.create(study=study, enrolled_at=now())
    said = {"cohort": "2021", "region": "north", "started_on": "2021-01-11", "spoken": "en", **(facts or {})}
    RosterFacts.objects.create(participant=found, values=said)
    known = {"staff_ref": f"T{found.pk}", "email": f"p{found.pk}@example.org", "first_name": "Zoë", **details}
    sealed_contact(found, known, wrapping_keys()).save()
    Lookup.objects.bulk_create(lookups_of(found, known))
    return found


def dispatch(participant, contact="before.invite", *, channel="email", carrier="smtp", occasion=1):
    moment = now()
    return Dispatch.objects.create(
        study=participant.study,
        participant=participant,
        contact=contact,
        occasion=occasion,
        channel=channel,
        carrier=carrier,
        due_at=moment,
        next_at=moment,
        last_at=moment,
        reference=f"r{next(NUMBER)}",
    )


def composed(one, **how):
    with writing():
        return Composer(one.participant.study).compose([one], **how)[one.pk]


def test_an_invitation_has_facts_in_words_and_links_that_are_the_persons_own(study):
    somebody = person(study)
    one = dispatch(somebody)
    out = composed(one)
    assert isinstance(out, Outgoing)
    assert (out.reference, out.to) == (one.reference, f"p{somebody.pk}@example.org")
    assert out.template.subject_line(out.fields) == "Zoë, how is north?"
    assert out.fields["started_on"] == "11 January 2021"
    assert out.fields["minutes"] == "5"
    assert out.fields["closes"] == "Monday 1 March 2021, 09:00 (London time)"
    assert out.fields["study"] == study.title
    wave, stop = (out.fields[name].rpartition("/")[2] for name in ("link", "stop_link"))
    assert out.fields["link"].startswith(f"{ORIGIN}/s/")
    assert out.unsubscribe == f"{ORIGIN}/stop/one-click/{stop}"
    assert {(row.participant_id, row.wave, row.token_hash) for row in Link.objects.all()} == {
        (somebody.pk, "before", token_hash(wave)),
        (somebody.pk, "", token_hash(stop)),
    }
    assert len(wave) == 32  # 160 bits in base 32
    assert wave not in str(list(Link.objects.values()))


def test_each_gets_the_language_that_the_roster_says_and_the_messages_own_otherwise(study):
    people = [person(study, facts={"spoken": spoken}) for spoken in ("en", "cy", None)]
    with writing():
        found = Composer(study).compose([dispatch(one) for one in people]).values()
    assert [out.template.language for out in found] == ["en-GB", "cy", "en-GB"]
    welsh = list(found)[1]
    assert welsh.fields["started_on"] == "11 Ionawr 2021"
    assert welsh.template.subject_line(welsh.fields) == "Zoë, sut mae north?"


def test_whoever_lacks_a_value_gets_nothing_and_the_field_is_named(study):
    nameless = person(study, first_name="")
    placeless = person(study, facts={"region": None})
    assert composed(dispatch(nameless)) == Unsendable("field-missing", "first_name")
    assert composed(dispatch(placeless)) == Unsendable("field-missing", "region")


def test_a_name_that_would_forge_a_header_is_refused_and_one_that_looks_like_markdown_is_inert(study):
    forger = person(study, first_name="Zoë\r\nBcc: all@example.org")
    assert composed(dispatch(forger)) == Unsendable("refused", "first_name")
    out = composed(dispatch(person(study, first_name="[x](http://evil.example.org)<b>")))
    assert "[x](http://evil.example.org)&lt;b&gt;" in out.template.html(out.fields)


def test_without_an_open_address_nothing_goes_out_and_a_second_address_takes_the_place_of_a_closed_one(study):
    unknown = person(study, email="")
    assert composed(dispatch(unknown)) == Unsendable("no-address")
    gone = person(study)
    ContactDetails.objects.filter(participant=gone).delete()
    assert composed(dispatch(gone)) == Unsendable("no-address")
    bounced, with_two = person(study), person(study, work_email="work@example.org")
    for somebody in (bounced, with_two):
        digest = Lookup.objects.get(participant=somebody, column="email").digest
        ClosedAddress.objects.create(
            participant=somebody, column="email", digest=digest, reason="bounced", at=now()
        )
    assert composed(dispatch(bounced)) == Unsendable("closed-address")
    assert composed(dispatch(with_two)).to == "work@example.org"
    Lookup.objects.filter(participant=bounced, column="email").update(digest="of-another-address")
    assert composed(dispatch(bounced, occasion=2)).to == f"p{bounced.pk}@example.org"


def test_a_text_goes_to_the_telephone_with_the_template_of_its_occasion(study):
    somebody = person(study, mobile="+447700900631")
    out = composed(dispatch(somebody, "weekly-message", channel="sms", carrier="notify", occasion=3))
    assert out.to == "+447700900631"
    assert out.unsubscribe == ""
    assert out.template.text(out.fields).startswith("I walk once round the block")
    assert [row.wave for row in Link.objects.all()] == [""]


def test_what_the_study_no_longer_sends_is_withdrawn(study):
    assert composed(dispatch(person(study), "gone-contact")) == Unsendable("withdrawn-send")


def test_for_a_partner_nothing_of_contact_details_is_opened(study, monkeypatch):
    somebody = person(study)
    monkeypatch.setattr("equipoise.platform.delivery.writing.known.opened_contact", pytest.fail)
    out = composed(dispatch(somebody, "before.remind", carrier="partner_file"))
    assert (out.to, out.unsubscribe) == ("", "")
    assert out.fields["link"].startswith(f"{ORIGIN}/s/")
    assert composed(dispatch(somebody, carrier="partner_file")) == Unsendable("field-missing", "first_name")


def test_the_link_of_a_contact_leads_to_the_page_of_its_asset_or_to_ones_choices(add_example):
    def name_the_choices(folder):
        protocol = folder / "protocol.yaml"
        text = protocol.read_text("utf-8")
        last = text.rindex("    asset: media/{authority}.mp4\n")
        protocol.write_text(
            text[:last] + text[last:].replace("    asset: media/{authority}.mp4\n", "", 1), "utf-8"
        )

    awards = add_example("symbolic-awards", name_the_choices)
    facts = {"authority": "northmoor"}
    somebody = person(awards, facts=facts)
    one = dispatch(somebody, "thank-you-video")
    out = composed(one)
    page = MessageLink.objects.get()
    assert page.dispatch_id == one.pk
    assert out.fields["link"] == f"{ORIGIN}/m/{out.fields['link'].rpartition('/')[2]}"
    assert page.token_hash == token_hash(out.fields["link"].rpartition("/")[2])
    other = composed(dispatch(somebody, "video-for-the-waiting-list"))
    assert other.fields["link"] == other.fields["stop_link"]
    without = person(awards, facts={"authority": None})
    assert composed(dispatch(without, "thank-you-video")) == Unsendable("field-missing", "authority")


def test_a_batch_takes_as_many_questions_to_the_database_as_one_message(study, django_assert_max_num_queries):
    many = [dispatch(person(study)) for _ in range(20)]
    composer = Composer(study)
    with writing(), django_assert_max_num_queries(6):
        assert all(isinstance(out, Outgoing) for out in composer.compose(many).values())
    assert Link.objects.count() == 40


def test_without_links_nothing_is_stored(study):
    out = composed(dispatch(person(study)), links=False)
    assert out.fields["link"] == f"{ORIGIN}/s/{'x' * 32}"
    assert not Link.objects.exists()


def test_details_that_were_tampered_with_hold_up_one_person_and_no_other(study):
    harmed, sound = person(study), person(study)
    kept = ContactDetails.objects.get(participant=harmed)
    ContactDetails.objects.filter(pk=kept.pk).update(
        sealed=ContactDetails.objects.get(participant=sound).sealed
    )
    one, other = dispatch(harmed), dispatch(sound)
    with writing():
        found = Composer(study).compose([one, other])
    assert found[one.pk] == Unsendable("no-address")
    assert isinstance(found[other.pk], Outgoing)


def test_a_preview_shows_a_message_without_the_name_and_says_what_is_missing(study):
    somebody = person(study, facts={"region": None}, email="")
    seen = preview(study, "before.invite", 1, somebody)
    assert seen.subject == "{first_name}, how is {region}?"
    assert "Zoë" not in seen.text + seen.html
    assert "Zoë" in preview(study, "before.invite", 1, somebody, names=True).text
    assert seen.problems == (
        "There is no address to which it could go.",
        'The field "region" has no value here; nothing is sent without it.',
    )
    assert not Link.objects.exists()


def test_a_preview_of_an_example_measures_a_text_and_says_what_makes_it_dear(study):
    seen = preview(study, "weekly-message", 1, None)
    assert (seen.measured.encoding, seen.measured.parts) == ("GSM-7", 2)
    assert seen.problems == ()
    invitation = preview(study, "before.invite", 1, None)
    assert invitation.measured is None
    assert invitation.subject == "{first_name}, how is midlands?"


def test_a_study_that_was_locked_with_a_message_that_cannot_go_out_is_told_so_at_its_launch(
    add_example, monkeypatch
):
    def without_a_link(folder):
        (folder / "messages" / "remind.md").write_text(
            "---\nsubject: Still open\n---\nPlease answer.\n", "utf-8"
        )

    monkeypatch.setattr("equipoise.protocol.checks.messages.message_problems", lambda study: iter(()))
    older = add_example("swing", without_a_link)
    monkeypatch.undo()
    told = [str(problem) for problem in readiness(older)]
    assert [one for one in told if "remind.md" in one] == [
        "1/messages/remind.md:4: body: before.remind sends this as a reminder; write {link} where the survey is",
        "1/messages/remind.md:4: body: after.remind sends this as a reminder; write {link} where the survey is",
    ]
