"""Mail-merge files: who is in them, what they hold, and that nobody is in one twice by accident."""

import csv
import io
import re

import polars as pl
import pytest

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.clock import set_clock
from equipoise.platform.delivery.files import end_unreported, files_of, make_file
from equipoise.platform.delivery.models import ConfirmedContact, Dispatch, DispatchEvent, PartnerFile
from equipoise.platform.delivery.planning.confirming import confirm
from equipoise.platform.fieldwork.links import find_link
from equipoise.platform.people.models import Consent, Participant
from equipoise.platform.permissions import NotAllowedError

from .conftest import AFTER, BEFORE, DUE, WEEK, set_out

pytestmark = pytest.mark.django_db


def rows_of(path):
    if path.suffix == ".xlsx":
        return pl.read_excel(path, infer_schema_length=0).rows(named=True)
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


def test_the_partner_gets_a_line_a_person_under_the_reference_that_it_gave(modding, alice, tmp_path):
    set_out(modding)
    assert [(each.name, each.counts) for each in files_of(modding)] == [
        ("weekly-email-1-defence", {"planned": 6})
    ]
    path = make_file(alice, modding, "weekly-email", 1, folder=tmp_path)
    assert (path.name, oct(path.stat().st_mode)[-3:]) == ("mod-ing-weekly-email-1-defence.xlsx", "600")
    rows = rows_of(path)
    assert sorted(row["reference"] for row in rows) == [f"P{each}" for each in range(1, 7)]
    assert {(row["send"], row["occasion"], row["due"], row["subject"]) for row in rows} == {
        ("weekly-email", "1", "2021-04-14 10:00", "Why this work matters")
    }
    for row in rows:
        assert row["stop_link"] in row["text"]
        assert find_link(row["stop_link"].rpartition("/")[2]).participant.study == modding
    assert len({row["stop_link"] for row in rows}) == 6
    assert set(Dispatch.objects.values_list("state", "attempts", "version")) == {("sending", 1, 1)}
    assert set(DispatchEvent.objects.values_list("kind", "source")) == {("file", "file")}


def test_that_a_file_was_made_is_on_the_record_by_its_hash_and_names_nobody(modding, alice, tmp_path):
    set_out(modding)
    make_file(alice, modding, "weekly-email", 1, form="csv", folder=tmp_path)
    kept = PartnerFile.objects.get()
    assert (kept.kind, kept.partner.name, kept.counts) == ("made", "defence", {"people": 6, "left_out": 0})
    entry = Entry.objects.filter(verb="messages.files").get()
    assert kept.file_hash in entry.details
    assert not re.search(r"P[1-6]\b", entry.details)


def test_people_who_came_by_no_partner_go_by_their_pseudonym_and_in_a_file_of_their_own(
    modding, alice, tmp_path
):
    other = Participant.objects.filter(study=modding).first()
    Participant.objects.filter(pk=other.pk).update(partner=None)
    set_out(modding)
    with pytest.raises(
        InputError, match=r"of which partner's people the file is: defence, none|none, defence"
    ):
        make_file(alice, modding, "weekly-email", 1, folder=tmp_path)
    (row,) = rows_of(
        make_file(alice, modding, "weekly-email", 1, partner="none", form="csv", folder=tmp_path)
    )
    assert row["reference"] == other.key
    rest = make_file(alice, modding, "weekly-email", 1, partner="defence", form="csv", folder=tmp_path)
    assert len(rows_of(rest)) == 5


def test_nothing_in_a_csv_file_runs_as_a_formula(modding, alice, tmp_path, monkeypatch):
    from equipoise.platform.delivery.files import contents

    evil = "=HYPERLINK(1)"
    monkeypatch.setattr(
        contents, "references", lambda study, people: dict.fromkeys((p.pk for p in people), evil)
    )
    set_out(modding)
    path = make_file(alice, modding, "weekly-email", 1, form="csv", folder=tmp_path)
    assert {row["reference"] for row in rows_of(path)} == {f"'{evil}"}
    path.unlink()
    path = make_file(alice, modding, "weekly-email", 1, again=True, folder=tmp_path)
    assert {row["reference"] for row in rows_of(path)} == {evil}  # a text cell of a workbook


def test_nobody_is_in_a_second_file_unless_the_first_one_is_said_to_be_lost(modding, alice, tmp_path):
    set_out(modding)
    first = rows_of(make_file(alice, modding, "weekly-email", 1, form="csv", folder=tmp_path))
    with pytest.raises(InputError, match="everybody is in a file already"):
        make_file(alice, modding, "weekly-email", 1, folder=tmp_path)
    with pytest.raises(InputError, match="is there already, and is never overwritten"):
        make_file(alice, modding, "weekly-email", 1, form="csv", again=True, folder=tmp_path)
    second = rows_of(make_file(alice, modding, "weekly-email", 1, again=True, folder=tmp_path))
    assert {row["reference"] for row in second} == {row["reference"] for row in first}
    assert PartnerFile.objects.count() == 2


def test_whoever_stopped_left_or_declined_is_in_no_file(modding, alice, tmp_path):
    set_out(modding)
    stopped, left, declined, *_ = Participant.objects.filter(study=modding).order_by("pk")
    Participant.objects.filter(pk=stopped.pk).update(messages_stopped_at=DUE)
    Participant.objects.filter(pk=left.pk).update(state="withdrawn")
    said = {"activity": "messages", "given": False, "version": "v", "channel": "paper", "at": BEFORE}
    Consent.objects.create(participant=declined, **said)
    rows = rows_of(make_file(alice, modding, "weekly-email", 1, form="csv", folder=tmp_path))
    assert sorted(row["reference"] for row in rows) == ["P4", "P5", "P6"]
    assert Dispatch.objects.filter(state="planned").count() == 3


def test_a_file_during_whose_making_somebody_stops_is_thrown_away_and_nobody_counts_as_sent(
    modding, alice, tmp_path, monkeypatch
):
    from equipoise.platform.delivery.files import making

    set_out(modding)
    genuine = making._written

    def slow(place, parts):
        done = genuine(place, parts)
        Participant.objects.filter(pk=Dispatch.objects.first().participant_id).update(messages_stopped_at=DUE)
        return done

    monkeypatch.setattr(making, "_written", slow)
    with pytest.raises(InputError, match="make it again"):
        make_file(alice, modding, "weekly-email", 1, folder=tmp_path)
    assert not list(tmp_path.glob("*.xlsx"))
    assert set(Dispatch.objects.values_list("state", flat=True)) == {"planned"}
    assert not PartnerFile.objects.exists()


def test_an_invitation_goes_to_whoever_has_not_answered_with_a_link_of_their_own(modding, alice, tmp_path):
    set_out(modding, "after.invite", due=DUE)
    answered, *_ = Participant.objects.filter(study=modding).order_by("pk")
    answered.sessions.create(
        study=modding, wave="after", state="complete", code="c", version=1, order={}, started_at=DUE
    )
    rows = rows_of(make_file(alice, modding, "after.invite", 1, form="csv", folder=tmp_path))
    assert sorted(row["reference"] for row in rows) == ["P2", "P3", "P4", "P5", "P6"]
    assert all(row["link"] in row["text"] for row in rows)
    assert {find_link(row["link"].rpartition("/")[2]).wave for row in rows} == {"after"}


def test_what_cannot_be_made_is_refused_in_words(modding, alice, members, tmp_path):
    with pytest.raises(InputError, match=r"nothing of weekly-email, occasion 1, is planned"):
        make_file(alice, modding, "weekly-email", 1)
    set_out(modding)
    with pytest.raises(InputError, match=r'"docx" is no form of such a file. Forms: xlsx, csv'):
        make_file(alice, modding, "weekly-email", 1, form="docx", folder=tmp_path)
    with pytest.raises(NotAllowedError):
        make_file(members["Bob"], modding, "weekly-email", 1, folder=tmp_path)
    modding.state = "paused"
    with pytest.raises(InputError, match="is paused"):
        make_file(alice, modding, "weekly-email", 1, folder=tmp_path)
    assert not list(tmp_path.glob("*.xlsx")) + list(tmp_path.glob("*.docx"))


def test_what_an_amendment_changed_is_not_made_again_before_somebody_lets_it_go_out(modding, alice, tmp_path):
    set_out(modding)
    make_file(alice, modding, "weekly-email", 1, folder=tmp_path).unlink()
    ConfirmedContact.objects.filter(contact="weekly-email").update(digest="of another text")
    with pytest.raises(
        InputError, match="what it sends has changed, and waits until a person lets it go out"
    ):
        make_file(alice, modding, "weekly-email", 1, again=True, folder=tmp_path)
    confirm(alice, modding, ["weekly-email"])
    assert len(rows_of(make_file(alice, modding, "weekly-email", 1, again=True, folder=tmp_path))) == 6


def test_without_a_receipt_in_its_time_nobody_knows_and_without_a_file_it_is_missed(modding, alice, tmp_path):
    set_out(modding)
    set_out(modding, occasion=2)
    make_file(alice, modding, "weekly-email", 1, folder=tmp_path)
    set_clock(AFTER)
    assert end_unreported() == 0
    set_clock(DUE + WEEK * 2)
    assert end_unreported() == 12
    assert end_unreported() == 0
    found = set(Dispatch.objects.values_list("occasion", "state", "reason"))
    assert found == {(1, "unknown", "no-answer"), (2, "missed", "late")}


def test_nobody_is_in_more_files_than_the_study_promised_to_send(modding, alice, tmp_path):
    set_out(modding, "before.invite")
    set_out(modding, "after.thank")
    set_out(modding)
    first, *_ = Participant.objects.filter(study=modding).order_by("pk")
    make_file(alice, modding, "before.invite", 1, form="csv", folder=tmp_path)
    Dispatch.objects.filter(contact="after.thank", participant=first).update(state="sent", sent_at=BEFORE)
    rows = rows_of(make_file(alice, modding, "weekly-email", 1, form="csv", folder=tmp_path))
    assert sorted(row["reference"] for row in rows) == ["P2", "P3", "P4", "P5", "P6"]  # two a week at most
    with pytest.raises(InputError, match="as many messages as the cap allows"):
        make_file(alice, modding, "weekly-email", 1, folder=tmp_path)
