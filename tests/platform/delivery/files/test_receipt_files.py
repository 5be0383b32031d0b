"""Receipt files: what a partner says was sent becomes the record, all of the file or nothing of it."""

import re

import polars as pl
import pytest

from equipoise.errors import InputError
from equipoise.exchange.workbooks import workbook
from equipoise.platform.audit.models import Entry
from equipoise.platform.clock import set_clock
from equipoise.platform.delivery.files import ReceiptFile, look_at_receipts, make_file, read_receipts
from equipoise.platform.delivery.models import Dispatch, DispatchEvent, PartnerFile
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import NotAllowedError
from equipoise.roster import Mapping

from .conftest import AFTER, DUE, WEEK, set_out

pytestmark = pytest.mark.django_db
HEADER = "staff_ref,week,sent_on"


@pytest.fixture
def filed(modding, alice, tmp_path):
    """The first e-mail is in the partner's hands, and due two days ago."""
    set_out(modding)
    make_file(alice, modding, "weekly-email", 1, folder=tmp_path)
    set_clock(AFTER)
    return modding


@pytest.fixture
def file(tmp_path):
    """A function that writes a receipt file."""

    def write(*rows, header=HEADER, name="receipts.csv", **how):
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
        return ReceiptFile(path, "weekly-email", **how)

    return write


def states():
    rows = Dispatch.objects.order_by("participant").values_list("state", flat=True)
    return " ".join(rows)


def test_what_the_partner_says_was_sent_is_sent_on_that_day(filed, alice, file):
    taken = read_receipts(alice, filed, file("P1,1,2021-04-14", "P2,1,2021-04-15"))
    assert taken.counts == {"sent": 2, "failed": 0, "known": 0, "gone": 0, "refused": 0}
    assert states() == "sent sent sending sending sending sending"
    assert [f"{each.sent_at:%d %H}" for each in Dispatch.objects.filter(state="sent").order_by("pk")] == [
        "14 11",
        "15 11",
    ]
    events = DispatchEvent.objects.exclude(kind="file").values_list("kind", "source")
    assert list(events) == [("sent", "file")] * 2
    entry = Entry.objects.get(verb="messages.receipts")
    assert taken.file_hash in entry.details
    assert not re.search(r"P[12]\b", entry.details)


def test_our_own_workbook_comes_back_with_a_column_for_the_day_and_one_for_what_became_of_it(
    filed, alice, tmp_path
):
    made = pl.read_excel(tmp_path / "mod-ing-weekly-email-1-defence.xlsx", infer_schema_length=0)
    rows = [[*row, "14/04/2021", "Bounced" if row[0] == "P6" else "Sent"] for row in made.rows()]
    path = tmp_path / "back.xlsx"
    path.write_bytes(b"".join(workbook([[*made.columns, "Date sent", "Status"], *rows])))
    looked = look_at_receipts(filed, ReceiptFile(path, "weekly-email"))
    assert not looked.refusals(), looked.refusals()
    read_receipts(alice, filed, ReceiptFile(path, "weekly-email"))
    assert states() == "sent sent sent sent sent failed"
    assert Dispatch.objects.get(state="failed").reason == "refused"


def test_an_unknown_reference_refuses_the_whole_file_by_its_line_before_anything_is_stored(
    filed, alice, file
):
    with pytest.raises(InputError) as refused:
        read_receipts(alice, filed, file("P1,1,2021-04-14", "X9,1,2021-04-14", "P2,2,2021-04-14"))
    told = [str(each) for each in refused.value.problems]
    assert told == [
        "receipts.csv: 2 rows are refused; put the file right, because it is taken as a whole",
        "receipts.csv:3: reference: nobody in this study has this reference",
        "receipts.csv:4: occasion: no file was made of number 2; files were made of 1",
    ]
    assert "X9" not in str(refused.value)
    assert (states(), PartnerFile.objects.count()) == ("sending " * 5 + "sending", 1)


WRONG = (
    ("P1,1,2021-04-12,", "sent_on", "2021-04-12 is before 2021-04-13, when the file was made"),
    ("P1,1,2021-04-17,", "sent_on", "2021-04-17 is in the future"),
    ("P1,1,,", "sent_on", "empty, but required of what was sent"),
    ("P1,1,some day,", "sent_on", "is no date"),
    ("P1,1,2021-04-14,perhaps", "status", "is no status that is known; write sent or failed"),
    ("P1,9,2021-04-14,", "occasion", "9 is above the highest that is declared, 8"),
    ("P1,2,2021-04-14,", "occasion", "no file was made of number 2; files were made of 1"),
    (",1,2021-04-14,", "reference", "empty, but required"),
)


def test_what_cannot_be_is_told_by_line_and_column(filed, file):
    for row, column, message in WRONG:
        looked = look_at_receipts(filed, file("P2,1,2021-04-14,sent", row, header=f"{HEADER},status"))
        (problem,) = looked.refusals()[1:]
        assert (problem.place, problem.where) == ("receipts.csv:3", column), row
        assert re.search(message, problem.message), problem
        assert looked.counts["refused"] == 1


def test_who_was_in_no_file_cannot_have_been_sent_anything(filed, alice, file):
    Dispatch.objects.filter(participant=Participant.objects.order_by("pk")[0]).update(state="planned")
    (_, problem) = look_at_receipts(filed, file("P1,1,2021-04-14")).refusals()
    assert problem.message == "this person was in no file of number 1"


def test_the_same_file_twice_is_refused_politely_and_the_same_row_twice_is_fine(filed, alice, file):
    sent = file("P1,1,2021-04-14", "P1,1,2021-04-14")
    assert read_receipts(alice, filed, sent).counts["known"] == 1
    with pytest.raises(
        InputError, match=r"this very file was taken on 2021-04-16; everything in it is noted"
    ):
        read_receipts(alice, filed, sent)
    again = read_receipts(alice, filed, file("P1,1,2021-04-14", "P2,1,2021-04-14", name="more.csv"))
    assert (again.counts["known"], again.counts["sent"]) == (1, 1)
    assert DispatchEvent.objects.filter(kind="sent").count() == 2


def test_a_later_word_settles_what_nobody_knew_and_corrects_what_was_said(filed, alice, file):
    Dispatch.objects.update(state="unknown", reason="no-answer")
    read_receipts(alice, filed, file("P1,1,2021-04-14", "P2,1,2021-04-14"))
    assert states() == "sent sent unknown unknown unknown unknown"
    assert set(Dispatch.objects.filter(state="sent").values_list("reason", flat=True)) == {""}
    read_receipts(alice, filed, file("P1,1,,failed", header=f"{HEADER},status", name="bounces.csv"))
    assert states() == "failed sent unknown unknown unknown unknown"
    assert Dispatch.objects.order_by("participant")[0].sent_at is None


def test_of_somebody_erased_nothing_is_kept_and_the_file_is_not_refused(filed, alice, file):
    gone = Participant.objects.order_by("pk")[0]
    Dispatch.objects.filter(participant=gone).delete()
    Participant.objects.filter(pk=gone.pk).update(state="erased")
    assert read_receipts(alice, filed, file("P1,1,2021-04-14", "P2,1,2021-04-14")).counts["gone"] == 1
    assert not Dispatch.objects.filter(participant=gone).exists()


def test_columns_with_other_names_are_mapped_by_hand_and_pseudonyms_are_references_too(filed, alice, file):
    key = Participant.objects.order_by("pk")[0].key
    sent = file(f"{key.upper()},14.04.2021,1", header="Who,When,Which")
    with pytest.raises(InputError, match="no column for it was found"):
        look_at_receipts(filed, sent)
    mapping = Mapping({"reference": "Who", "sent_on": "When", "occasion": "Which"})
    read_receipts(alice, filed, ReceiptFile(sent.path, "weekly-email", mapping))
    assert states().startswith("sent sending")


def test_counts_that_have_changed_since_they_were_shown_store_nothing(filed, alice, file):
    sent = file("P1,1,2021-04-14")
    shown = look_at_receipts(filed, sent).counts
    read_receipts(alice, filed, file("P1,1,2021-04-14", name="other.csv", header="staff_ref,n,date sent"))
    with pytest.raises(InputError, match="look again"):
        read_receipts(alice, filed, sent, expected=shown)


def test_receipts_need_a_file_before_them_a_study_that_is_not_over_and_somebody_who_may(
    filed, alice, members, file
):
    sent = file("P1,1,2021-04-14")
    with pytest.raises(NotAllowedError):
        read_receipts(members["Bob"], filed, sent)
    with pytest.raises(InputError, match=r'no file of "welcome" was made.*weekly-email'):
        read_receipts(alice, filed, ReceiptFile(sent.path, "welcome"))
    with pytest.raises(InputError, match="there is no such file"):
        read_receipts(alice, filed, ReceiptFile(sent.path.with_name("none.csv"), "weekly-email"))
    filed.state = "published"
    with pytest.raises(InputError, match="is published"):
        read_receipts(alice, filed, sent)
    filed.state = "closed"
    assert read_receipts(alice, filed, sent).counts["sent"] == 1


def test_reading_asks_the_database_as_often_for_many_rows_as_for_few(
    filed, alice, file, django_assert_max_num_queries
):
    set_out(filed, occasion=2, due=DUE + WEEK)
    with django_assert_max_num_queries(8):
        look_at_receipts(filed, file(*(f"P{each % 6 + 1},1,2021-04-14" for each in range(100))))
