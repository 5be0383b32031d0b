"""Rosters by the interface: looked at, stored once, refused by line, and never half."""

import io

import openpyxl
import polars as pl
import pytest
from django.conf import settings

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.office.uploads import LARGEST
from equipoise.platform.people.actions import withdraw
from equipoise.platform.people.models import Participant, RosterImport
from equipoise.platform.people.queries import contact_of
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.models import Partner

from .conftest import Program
from .rosters import ROOT, ROSTERS, roster

pytestmark = pytest.mark.django_db
PHONE = "T20-{0:04d},person.{0}@trainees.example.org,07700 900999,north,2020-01-13"
CANARY = "canary.person@trainees.example.org"


def nothing_was_left(place="uploads"):
    return not list((settings.WORKSPACE.folder / place).glob("*"))


def test_a_roster_is_looked_at_stored_and_recognised_when_it_comes_again(program, swing):
    looked = program.post(f"{ROSTERS}&dry-run=true", roster(5))
    assert (looked.status, looked.said["outcome"], looked.said["acceptable"]) == (200, "looked-at", True)
    assert looked.said["counts"]["new"] == 5
    assert not Participant.objects.exists()

    stored = program.post(ROSTERS, roster(5))
    assert (stored.status, stored.said["outcome"]) == (200, "stored")
    again = program.post(ROSTERS, roster(5))
    assert (again.status, again.said["outcome"]) == (200, "stored-already")
    assert again.said["number"] == stored.said["number"] == RosterImport.objects.get().pk
    assert Participant.objects.filter(study=swing).count() == 5
    assert nothing_was_left()


def test_a_dry_run_of_a_file_that_is_stored_says_that_it_would_not_be_again(program):
    program.post(ROSTERS, roster(2))
    looked = program.post(f"{ROSTERS}&dry-run=true", roster(2)).said
    assert (looked["acceptable"], looked["counts"]["known"]) == (False, 2)


def test_a_file_with_nobody_new_changes_nothing_and_is_no_error(program):
    program.post(ROSTERS, roster(4))
    told = program.post(ROSTERS, roster(3)).said
    assert (told["outcome"], told["counts"]["known"]) == ("unchanged", 3)


def test_workbooks_parquet_and_forms_are_taken_as_well(program):
    rows = [line.split(",") for line in roster(6).decode().splitlines()]
    book = openpyxl.Workbook()
    for row in rows[:3]:
        book.active.append(row)
    book.save(written := io.BytesIO())
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert program.post(ROSTERS, written.getvalue(), kind).said["counts"]["new"] == 2

    pl.DataFrame(rows[3:5], schema=rows[0], orient="row").write_parquet(written := io.BytesIO())
    told = program.post(ROSTERS, written.getvalue(), "application/vnd.apache.parquet")
    assert told.said["counts"]["new"] == 2

    sent = io.BytesIO(roster(6))
    sent.name = "cohort-2020.csv"
    told = program.form(f"{ROOT}rosters", file=sent)
    assert (told.status, told.said["counts"]["new"]) == (200, 2)
    assert nothing_was_left()


def test_columns_are_named_where_they_cannot_be_matched(program):
    sent = roster(2).replace(b"Trainee ID", b"Zahl")
    assert program.post(f"{ROOT}rosters?constant=cohort:2020", sent).status == 422
    columns = "&".join(
        f"column={name}:{found}"
        for name, found in {
            "trainee_id": "Zahl",
            "email": "Email",
            "mobile": "Mobile",
            "region": "Region",
            "started_on": "Start date",
        }.items()
    )
    told = program.post(f"{ROOT}rosters?{columns}&constant=cohort:2020", sent)
    assert told.status in (200, 422)


def test_rows_with_a_problem_are_told_by_line_and_nothing_is_stored(program):
    sent = roster(3, row1="T20-0001,no address at all,07700 900001,north,2020-01-13")
    told = program.post(ROSTERS, sent)
    assert told.status == 422
    assert told.kind == "application/problem+json"
    assert {"place": "cohort-2020.csv:3", "where": "email"}.items() <= told.said["problems"][1].items()
    assert not Participant.objects.exists()
    assert not RosterImport.objects.exists()

    looked = program.post(f"{ROSTERS}&dry-run=true", sent).said
    assert (looked["acceptable"], looked["counts"]["refused"]) == (False, 1)
    good = program.post(f"{ROSTERS}&good-rows-only=true", sent).said
    assert (good["outcome"], good["counts"]["new"]) == ("stored", 2)


def test_no_answer_repeats_a_contact_detail_and_no_log_does(program, caplog):
    sent = roster(3, row1=f"T20-0001,{CANARY} {CANARY},07700 900001,north,2020-01-13")
    for place in (ROSTERS, f"{ROSTERS}&dry-run=true", f"{ROSTERS}&good-rows-only=true"):
        assert CANARY.encode() not in program.post(place, sent).body
    assert CANARY not in caplog.text
    assert CANARY not in "".join(Entry.objects.values_list("details", flat=True))


def test_an_update_changes_contacts_and_the_same_one_again_changes_nothing(program, swing):
    program.post(ROSTERS, roster(3))
    newer = roster(3, row1=f"T20-0001,{CANARY},07700 900001,midlands,2020-01-13")
    told = program.post(f"{ROSTERS}&kind=update", newer).said
    assert (told["outcome"], told["counts"]["contact"]) == ("stored", 1)
    details = [contact_of(person) for person in Participant.objects.filter(study=swing)]
    assert CANARY in [each["email"] for each in details]
    again = program.post(f"{ROSTERS}&kind=update", newer).said
    assert (again["outcome"], again["number"]) == ("unchanged", None)


NO_QUERIES = [
    ("&dryrun=true", "dryrun", "is not a parameter"),
    ("&kind=both", "kind", "'import' or 'update'"),
    ("&dry-run=perhaps", "dry-run", "boolean"),
    ("&column=email", "column", "expected NAME:VALUE"),
    ("&partner=none-such", "partner", "is not a partner. Partners:"),
]


def test_what_cannot_be_asked_is_refused_with_its_place_and_stores_nothing(program):
    for query, where, told in NO_QUERIES:
        answer = program.post(ROSTERS + query, roster(2))
        assert answer.status == 422, query
        (problem,) = answer.said["problems"]
        assert (problem["where"], told in problem["message"]) == (where, True)
    assert not Participant.objects.exists()


NO_FILES = [
    (b"", "text/csv", {"CONTENT_LENGTH": "0", "CONTENT_TYPE": "text/csv"}, 422, "the file is empty"),
    (b"\x89PNG\r\n\x1a\n" + bytes(40), "text/csv", {}, 422, "this is no table of people"),
    (b"a=1", "application/x-www-form-urlencoded", {}, 415, "taken are text/csv"),
    (b"{}", "application/json", {}, 415, "taken are text/csv"),
    (b"x", "text/csv", {"CONTENT_LENGTH": str(LARGEST + 1)}, 413, "larger than 25 MB"),
    (b"x", "text/csv", {"CONTENT_LENGTH": ""}, 411, "Say by Content-Length"),
    (b"--b--\r\n", "multipart/form-data; boundary=b", {}, 400, "no part named file"),
    (b"x", "multipart/form-data", {}, 400, "cannot be read"),
]


def test_what_is_no_file_is_refused_with_what_to_do(program):
    for body, kind, more, status, told in NO_FILES:
        answer = program.post(ROSTERS, body, kind, **more)
        assert (answer.status, answer.kind) == (status, "application/problem+json"), told
        said = answer.said["detail"] + "".join(problem["message"] for problem in answer.said["problems"])
        assert told in said
    assert nothing_was_left()
    assert not Participant.objects.exists()


def test_a_file_that_is_cut_off_at_any_tenth_stores_nobody_and_can_be_sent_again(program):
    whole, kind = roster(20), "multipart/form-data; boundary=b"
    around = b'--b\r\nContent-Disposition: form-data; name="file"; filename="cohort-2020.csv"\r\n\r\n%s\r\n--b--\r\n'
    form = around % whole
    for tenth in range(10):
        for sent, of in ((whole, "text/csv"), (form, kind)):
            told = program.cut(ROSTERS, sent[: len(sent) * tenth // 10], len(sent), of)
            assert (told.status, "cut off on its way" in told.said["detail"]) == (400, True), (tenth, of)
    assert not Participant.objects.exists()
    assert nothing_was_left()
    assert program.post(ROSTERS, form, kind).said["counts"]["new"] == 20


def test_a_study_that_takes_nobody_any_more_says_so(program, swing, alice):
    move_study(alice, swing, "closed", reason="over")
    told = program.post(ROSTERS, roster(2))
    assert told.status == 422
    assert "is closed; people.import can be done while it is locked or live or paused" in told.body.decode()


def test_rosters_and_exports_are_counted_by_the_hour(program, monkeypatch):
    from equipoise.platform.api import limits

    monkeypatch.setattr(limits._dear, "most", 2)
    told = [program.post(f"{ROSTERS}&dry-run=true", roster(1)).status for _ in range(3)]
    assert told == [200, 200, 429]


@pytest.fixture
def two(swing, made):
    """Two partners of the study, each with three people and a program of its own."""
    found = {}
    for at, name in enumerate(("northmoor", "southwell")):
        partner = Partner.objects.create(study=swing, name=name, title=f"{name.title()} (synthetic)")
        found[name] = Program(made("rosters:write", "study:read", partner=partner).token)
        assert found[name].post(ROSTERS, roster(3, first=10 * at)).said["counts"]["new"] == 3
    return found


def stored(swing):
    """Everything that is kept of the people, by their code, to be compared."""
    return {
        person.key: (
            person.partner.name,
            person.state,
            person.left_at,
            contact_of(person),
            person.facts.values,
        )
        for person in Participant.objects.filter(study=swing).select_related("partner", "facts")
    }


def test_whoever_a_partners_program_enrols_is_that_partners(two, swing):
    told = Participant.objects.filter(study=swing).values_list("partner__name", flat=True)
    assert sorted(told) == ["northmoor"] * 3 + ["southwell"] * 3


def test_a_partners_program_changes_nobody_of_another_partner_and_learns_of_nobody(two, swing):
    before = stored(swing)
    theirs = roster(3, first=10, row11=f"T20-0011,{CANARY},07700 900099,north,2020-01-13")
    own, unknown = two["northmoor"], roster(3, first=500)
    for more in ("", "&kind=update", "&kind=update&whole=true"):
        for dry in ("&dry-run=true", ""):
            if more.endswith("whole=true") and not dry:
                continue
            told = own.post(ROSTERS + more + dry, theirs)
            assert told.status == 200
            assert told.said["counts"] == {"refused": 0, "new": 0}
            assert CANARY.encode() not in told.body
    assert stored(swing) == before
    assert own.post(f"{ROSTERS}&dry-run=true", unknown).said["counts"] == {"refused": 0, "new": 3}


def test_a_whole_roster_of_a_partner_leaves_the_people_of_another_in_peace(two, swing):
    before = stored(swing)
    told = two["northmoor"].post(f"{ROSTERS}&kind=update&whole=true", roster(2)).said
    assert told["outcome"] == "taken"
    changed = [key for key, was in stored(swing).items() if was != before[key]]
    assert [before[key][0] for key in changed] == ["northmoor"]


def test_a_partners_program_cannot_tell_who_has_left_from_who_takes_part(two, swing, alice):
    gone = Participant.objects.filter(study=swing, partner__name="northmoor").order_by("pk").first()
    withdraw(gone, "everything", channel="telephone", actor=alice.actor)
    for changed in ({}, {"row0": PHONE.format(0), "row1": PHONE.format(1)}):
        for more in ("", "&dry-run=true", "&kind=update&dry-run=true", "&kind=update"):
            left, here = (
                two["northmoor"].post(ROSTERS + more, roster(1, first=each, **changed)) for each in (0, 1)
            )
            assert left.status == here.status == 200, more
            assert left.said == here.said, more


def test_a_partners_program_speaks_for_no_other_partner(two):
    told = two["northmoor"].post(f"{ROSTERS}&partner=southwell", roster(3, first=900))
    assert told.status == 403
    assert "for the people of northmoor only" in told.said["detail"]


def test_a_partners_program_sees_its_partner_alone(two):
    told = two["northmoor"].get(ROOT.rstrip("/")).said
    assert [each["name"] for each in told["partners"]] == ["northmoor"]
    assert told["service"]["partner"] == "northmoor"
    assert "southwell" not in str(told).lower()


def test_frames_are_not_for_a_partner(swing, made, two):
    with pytest.raises(InputError, match="reaches everybody of the study"):
        made("frames:read", partner=Partner.objects.get(name="northmoor"))
