"""What a protocol says may not be kept is deleted when its time has come, never before, and with a certificate."""

import json
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from tests.platform.delivery.video.conftest import everything_kept
from tests.platform.fieldwork.test_link_again import ROSTER
from tests.platform.incidents.conftest import CALLED, TEXTS
from tests.platform.office.conftest import Desk

from equipoise.cli import main
from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.delivery.engine.sealing import event_faults
from equipoise.platform.delivery.models import (
    ClosedAddress,
    Dispatch,
    DispatchEvent,
    MessageLink,
    Receipt,
    SealedDispatchEvent,
    Watch,
)
from equipoise.platform.extracts.models import Extract, ExtractValue
from equipoise.platform.fieldwork.actions import start_session
from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.models import Link, LinkRequest, SealedSubmission, Session, Submission
from equipoise.platform.fieldwork.sealing import seal_everything
from equipoise.platform.incidents.actions import record_incident
from equipoise.platform.incidents.models import Statement, StatementText
from equipoise.platform.operations.checks.studies import deletions
from equipoise.platform.operations.models import Deletion
from equipoise.platform.operations.retention.certificates import certificate_faults, certificate_lines
from equipoise.platform.operations.retention.deleting import delete_due, delete_kind, waiting
from equipoise.platform.operations.retention.tables import STAYS, TABLES, exports_of
from equipoise.platform.operations.retention.timers import end_of_answering, timers
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.people.models import ContactDetails, Lookup, Participant, RosterFacts
from equipoise.platform.people.records import person_record
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.actions import move_study
from equipoise.platform.review.models import Exclusion, ExclusionWithdrawal
from equipoise.platform.staff.actions import CommandLine, System
from equipoise.platform.verification import verify_workspace
from equipoise.platform.worker.loop import run

pytestmark = pytest.mark.django_db(transaction=True)

LAST_WAVE_CLOSES = datetime(2021, 5, 24, 8, tzinfo=UTC)  # nine in the morning in London's summer
CONTACTS_DUE = LAST_WAVE_CLOSES + timedelta(weeks=12)
ANSWERS_DUE = LAST_WAVE_CLOSES.replace(year=2031)
PAGE = "/office/studies/swing/record/kept/"


def keeping(contacts="12 weeks", answers="10 years"):
    """A change of a study's folder, which says when its data are deleted."""
    said = {"contacts": contacts, "answers": answers}
    lines = "".join(f"\n    {kind}: {kept}" for kind, kept in said.items() if kept)

    def change(folder):
        place = folder / "protocol.yaml"
        text = place.read_text("utf-8")
        place.write_text(text.replace("\nprivacy:", f"\nprivacy:\n  delete:{lines}"), "utf-8")

    return change


@pytest.fixture
def kept(add_example, alice):
    """`swing`, live, in a form that says when its data are deleted."""
    return move_study(alice, add_example("swing", keeping()), "live")


@pytest.fixture
def lived(kept, alice, tmp_path):
    """The same with somebody who can be reached, a link, a request for it, and three sealed pages."""
    roster = tmp_path / "roster.csv"
    roster.write_text(ROSTER, "utf-8")
    confirm_import(alice, kept, roster)
    person = Participant.objects.filter(study=kept).first()
    make_links(alice, kept, "before", [person])
    LinkRequest.objects.create(participant=person, at=person.enrolled_at)
    session = start_session(person, "before", language=None)
    for page in range(3):
        Submission.objects.create(
            session=session, key=str(page), page="p", answers={"comment": "a canary"}, shown={},
            at=person.enrolled_at,
        )  # fmt: skip
    everything_kept(person, "weekly-message")
    seal_everything()
    return kept


def held():
    """How much there is of everything that is ever deleted."""
    models = (ContactDetails, Lookup, LinkRequest, Submission, Session, RosterFacts, Link)
    models += (Dispatch, DispatchEvent, MessageLink, Watch, Receipt, ClosedAddress)
    return SimpleNamespace(**{model.__name__: model.objects.count() for model in models})


def test_the_timers_count_from_the_close_of_the_last_wave_in_the_time_of_the_study(kept):
    found = {timer.kind: (timer.kept, timer.due) for timer in timers(kept)}
    assert end_of_answering(kept) == LAST_WAVE_CLOSES
    assert found == {"contacts": ("12 weeks", CONTACTS_DUE), "answers": ("10 years", ANSWERS_DUE)}


def test_a_study_that_is_closed_before_its_last_wave_ended_then(kept, alice, at):
    early = at(datetime(2021, 4, 1, 12, tzinfo=UTC)) or datetime(2021, 4, 1, 12, tzinfo=UTC)
    closed = move_study(alice, kept, "closed", reason="nobody could be reached")
    assert end_of_answering(closed) == early
    at(datetime(2022, 4, 1, 12, tzinfo=UTC))
    assert [timer.is_due for timer in timers(closed)] == [True, False]


def test_closing_late_puts_nothing_off(kept, alice, at):
    at(datetime(2023, 4, 1, 12, tzinfo=UTC))
    closed = move_study(alice, kept, "closed", reason="forgotten for two years")
    assert end_of_answering(closed) == LAST_WAVE_CLOSES


def rolling(folder):
    keeping()(folder)
    place = folder / "protocol.yaml"
    text = place.read_text("utf-8").replace("  expected: 1148", "  expected: 1148\n  enrolment: rolling")
    text = text.replace("opens: launch + 8 weeks", "opens: enrolled + 8 weeks")
    text = text.replace("closes: launch + 12 weeks", "closes: enrolled + 12 weeks")
    place.write_text(text.replace("\n  when: launch", "\n  when: enrolled"), "utf-8")


def test_where_each_has_waves_of_their_own_it_ends_with_whoever_came_last_once_nobody_can_come(
    add_example, alice, at
):
    study = add_example("swing", rolling)
    for day in (3, 20):
        moment = datetime(2021, 3, day, 12, tzinfo=UTC)
        Participant.objects.create(study=study, enrolled_at=moment)
    assert end_of_answering(study) is None
    assert [timer.is_due for timer in timers(study)] == [False, False]
    study.state, study.closed_at = "closed", datetime(2022, 1, 1, tzinfo=UTC)
    assert end_of_answering(study) == datetime(2021, 6, 12, 11, tzinfo=UTC)


def test_a_study_that_says_no_time_deletes_nothing_for_ever(swing, alice, at):
    at(datetime(2099, 1, 1, tzinfo=UTC))
    assert list(timers(swing)) == []
    assert delete_due() == 0
    with pytest.raises(InputError, match=r"privacy.delete.contacts: the protocol has no time for this"):
        delete_kind(CommandLine(), swing, "contacts")


def test_nothing_is_deleted_a_second_too_early_whoever_asks(lived, alice, at):
    before = held()
    at(CONTACTS_DUE - timedelta(seconds=1))
    assert run(settings.WORKSPACE, once=True)["kinds of data deleted"] == 0
    for who in (System(), CommandLine(), alice):
        with pytest.raises(InputError, match="is due on 2021-08-16 08:00 UTC, and nothing is deleted before"):
            delete_kind(who, lived, "contacts")
    assert held() == before
    assert not Deletion.objects.exists()


def test_when_they_are_due_the_worker_deletes_contact_details_and_leaves_answers(lived, at):
    at(CONTACTS_DUE)
    people = ContactDetails.objects.count()
    before = held()
    assert run(settings.WORKSPACE, once=True)["kinds of data deleted"] == 1
    after = held()
    assert (after.ContactDetails, after.Lookup, after.LinkRequest) == (0, 0, 0)
    assert (after.Submission, after.Session, after.RosterFacts, after.Link) == (
        before.Submission,
        before.Session,
        before.RosterFacts,
        before.Link,
    )
    said = json.loads(Deletion.objects.get().certificate)
    assert said["deleted"]["contact details"] == people
    assert said["deleted"]["requests for a link"] == 1
    assert said["due_at"] == "2021-08-16T08:00:00Z"
    assert said["protocol"]["hash"] == lived.versions.get().protocol_hash
    assert (said["by"], said["kept_for"]) == ("system", "12 weeks")
    assert run(settings.WORKSPACE, once=True)["kinds of data deleted"] == 0


def test_a_deletion_is_in_the_record_with_the_hash_of_its_certificate_and_verifies(lived, at):
    at(CONTACTS_DUE)
    delete_due()
    row, entry = Deletion.objects.get(), Entry.objects.get(verb="data.delete")
    said = json.loads(entry.details)
    assert (said["certificate"], said["kind"]) == (row.hash, "contacts")
    assert verify_workspace().faults == ()


def test_answers_go_with_the_exports_and_the_seals_still_add_up(lived, at):
    place = exports_of(lived) / "20210601T090000000000Z"
    place.mkdir(parents=True)
    (place / "participants.csv").write_text("a canary", "utf-8")
    at(ANSWERS_DUE)
    assert delete_due() == 2
    after = held()
    assert set(vars(after).values()) == {0}
    assert not exports_of(lived).exists()
    assert not list(exports_of(lived).parent.glob(".*"))
    assert Participant.objects.filter(study=lived).exists()
    assert SealedSubmission.objects.filter(erased=True).count() == 3
    said = json.loads(Deletion.objects.get(kind="answers").certificate)
    assert (said["deleted"]["pages sent"], said["deleted"]["files of exports"]) == (3, 1)
    assert (said["deleted"]["messages"], said["deleted"]["what became of messages"]) == (1, 3)
    assert SealedDispatchEvent.objects.filter(erased=True).count() == 3
    assert list(event_faults(lived)) == []
    assert verify_workspace().faults == ()
    person = Participant.objects.filter(study=lived).first()
    told = {section.heading: dict(section.rows) for section in person_record(person)}
    assert not any(value for name in told.keys() - {"Taking part"} for value in told[name].values())


def test_with_the_answers_go_names_and_words_from_every_other_list_and_the_counts_stay(lived, alice, at):
    person = Participant.objects.filter(study=lived).first()
    record_incident(alice, lived, replace(CALLED, named=person.key), TEXTS)
    left_out = Exclusion.objects.create(
        study=lived, participant=person, reason="a canary", at=person.enrolled_at, actor="x"
    )
    ExclusionWithdrawal.objects.create(
        exclusion=left_out, reason="a canary", at=person.enrolled_at, actor="x"
    )
    extract = Extract.objects.create(
        study=lived,
        source="hr",
        window="w",
        number=1,
        file_hash="0",
        at=person.enrolled_at,
        actor="x",
        counts={},
    )
    ExtractValue.objects.create(extract=extract, participant=person, values={"days": 3})
    at(ANSWERS_DUE)
    delete_due()
    assert not any(model.objects.exists() for model in (Exclusion, ExtractValue, StatementText))
    assert list(Statement.objects.values_list("kind", "participant")) == [("distress", None)]
    said = json.loads(Deletion.objects.get(kind="answers").certificate)["deleted"]
    assert said["participants taken out of the log of incidents"] == 1
    assert said["accounts of incidents"] == said["what employers told"] == said["exclusions"] == 1
    assert verify_workspace().faults == ()


def test_what_a_restored_backup_brings_back_is_told_and_deleted_again_although_sending_is_held(lived, at):
    at(CONTACTS_DUE)
    delete_due()
    person = Participant.objects.filter(study=lived).first()
    ContactDetails.objects.create(participant=person, data_key="contacts-1:x", sealed="x")
    assert [timer.kind for timer in waiting(lived)] == ["contacts"]
    (found,) = deletions(settings.WORKSPACE)
    assert (found.state, "contacts were due to be deleted on 2021-08-16" in found.said) == ("wrong", True)
    hold = Path(settings.WORKSPACE.folder) / "SENDING-IS-HELD.txt"
    hold.write_text("held", "utf-8")
    assert run(settings.WORKSPACE, once=True)["kinds of data deleted"] == 1
    assert not ContactDetails.objects.exists()
    assert Deletion.objects.count() == 2
    assert [finding.state for finding in deletions(settings.WORKSPACE)] == ["good"]


def test_a_certificate_holds_nothing_of_anybody_and_says_until_when_backups_do(lived, at, told):
    told(backups_kept="5 weeks")
    at(CONTACTS_DUE)
    delete_due()
    row = Deletion.objects.get()
    text = row.certificate + "\n".join(certificate_lines(row))
    assert "until 2021-09-20T08:00:00Z at the latest (5 weeks)" in text
    assert row.hash in text
    for canary in ("example.org", "canary", "07700", *Participant.objects.values_list("key", flat=True)):
        assert canary not in text


def test_without_a_word_on_backups_the_certificate_says_that_too(lived, at):
    at(CONTACTS_DUE)
    delete_due()
    assert "how long they are kept is not said here" in "\n".join(certificate_lines(Deletion.objects.get()))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda row: row.update(certificate="{}"), "certificate .* was changed after it was made"),
        (lambda row: row.update(certificate="{}", hash="0" * 64), "was changed after it was made"),
        (lambda row: row.delete(), "1 certificates that the record names are gone"),
    ],
)
def test_a_certificate_that_was_changed_or_taken_away_shows(lived, at, spoil, told):
    at(CONTACTS_DUE)
    delete_due()
    spoil(Deletion.objects.all())
    found = "\n".join(certificate_faults(lived))
    assert re.search(told, found)


def test_a_deletion_that_fails_half_way_deletes_nothing(lived, at, monkeypatch):
    at(ANSWERS_DUE)
    before = held()
    monkeypatch.setattr("equipoise.platform.operations.retention.deleting.new_certificate", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        delete_kind(System(), lived, "answers")
    assert held() == before
    assert not SealedSubmission.objects.filter(erased=True).exists()


def test_a_study_that_cannot_be_read_holds_up_no_other(lived, add_example, at, monkeypatch, caplog):
    from equipoise.platform.operations.retention import timers as module

    add_example("diversity-in-hiring")
    whole = module.folder_of

    def of(study, *version):
        if study.name != "swing":
            raise InputError("the folder of somebody@example.org is gone")
        return whole(study, *version)

    monkeypatch.setattr(module, "folder_of", of)
    at(CONTACTS_DUE)
    assert delete_due() == 1
    assert "was not deleted" in caplog.text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite's file")
def test_what_was_deleted_is_in_no_file_of_the_database_any_more(lived, at):
    name = Path(connection.settings_dict["NAME"])
    sealed = ContactDetails.objects.first().sealed.encode()
    files = [name, name.with_name(f"{name.name}-wal")]
    assert any(sealed in place.read_bytes() for place in files if place.exists())
    at(CONTACTS_DUE)
    delete_due()
    assert not any(sealed in place.read_bytes() for place in files if place.exists())


def test_the_page_says_two_weeks_ahead_what_is_deleted_when_and_gives_certificates_afterwards(
    lived, alice, at
):
    desk = Desk().sign_in(alice)
    at(CONTACTS_DUE - timedelta(days=15))
    desk.get("/office/studies/swing/")
    assert "Contact details are deleted" not in desk.text
    at(CONTACTS_DUE - timedelta(days=13))
    for path in ("/office/", "/office/studies/swing/"):
        desk.get(path)
        assert "Contact details are deleted Monday 16 August 2021" in desk.text, path
    desk.get(PAGE)
    assert "Until then an amendment of the protocol can change the time" in desk.text
    at(CONTACTS_DUE)
    delete_due()
    row = Deletion.objects.get()
    desk.get(PAGE)
    assert "Deleted" in desk.text
    assert desk.get(f"{PAGE}{row.pk}.json").content.decode() == row.certificate
    assert "Certificate of deletion" in desk.get(f"{PAGE}{row.pk}.txt").content.decode()
    assert row.hash in "".join(part.decode() for part in desk.get(PAGE, format="csv").streaming_content)
    for wrong in (f"{row.pk}.exe", f"{row.pk + 1}.json"):
        assert desk.get(f"{PAGE}{wrong}").status_code == 404


def test_whoever_may_not_delete_does_not(lived, members, at):
    at(CONTACTS_DUE)
    with pytest.raises(NotAllowedError):
        delete_kind(members["Bob"], lived, "contacts")


def test_every_table_that_holds_anything_of_participants_goes_or_is_said_to_stay(kept):
    """A table that is new has to be put under what goes with it: a promise to delete leaves none out."""
    goes = {rows(kept).model._meta.label for kind in TABLES.values() for rows in kind.values()}
    of_people = set()
    for model in apps.get_models():
        targets = {field.related_model for field in model._meta.fields if field.related_model}
        if {Participant, Session} & targets or model is Participant:
            of_people.add(model._meta.label)
    assert of_people - goes - set(STAYS) == set()
    assert goes & set(STAYS) == set()


def test_the_command_says_what_is_kept_until_when_and_writes_certificates_out(lived, at, tmp_path, capsys):
    def run(*words):
        with pytest.raises(SystemExit) as stop:
            sys.exit(main(["retention", str(settings.WORKSPACE.folder), *map(str, words)]))
        return stop.value.code or 0, capsys.readouterr()

    code, said = run()
    assert code == 0
    assert "swing: contacts are kept for 12 weeks, due on 2021-08-16" in said.out
    at(CONTACTS_DUE)
    delete_due()
    row = Deletion.objects.get()
    code, said = run("--certificates", tmp_path / "none")
    assert code == 2
    assert "there is no such folder" in said.err
    place = tmp_path / "certificates"
    place.mkdir()
    for _ in range(2):
        code, said = run("--certificates", place)
        assert code == 0
        assert f"Certificates in {place}: 1." in said.out
    written = {path.suffix: path.read_text("utf-8") for path in place.iterdir()}
    assert written[".json"] == row.certificate
    assert row.hash in written[".txt"]
