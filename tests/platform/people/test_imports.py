"""Importing rosters: looked at first, then everybody or nobody; and taken back while it can be."""

import threading
import zipfile
from pathlib import Path

import pytest
from django.db import connections

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.audit.queries import verdicts
from equipoise.platform.people import enrolling
from equipoise.platform.people.actions import confirm_import, undo_import, withdraw
from equipoise.platform.people.contacts import contact_of
from equipoise.platform.people.facts import facts_of
from equipoise.platform.people.models import ContactDetails, Lookup, Participant, RosterFacts, RosterImport
from equipoise.platform.people.previews import preview_import
from equipoise.platform.permissions import NotAllowedError
from equipoise.roster import Mapping

pytestmark = pytest.mark.django_db
EXAMPLES = Path(__file__).parents[3] / "examples" / "hhp2"
COHORT = EXAMPLES / "swing" / "rosters" / "cohort-2020.csv"
TABLES = (Participant, ContactDetails, Lookup, RosterFacts, RosterImport)


def nothing_is_stored():
    return not any(model.objects.exists() for model in TABLES)


def test_a_preview_says_what_an_import_would_do_and_stores_nothing(swing):
    preview = preview_import(swing, COHORT)
    assert preview.counts["new"] == preview.read.report.read == 541
    assert preview.read.report.mappings[0].columns["staff_ref"] == "Trainee ID"
    assert preview.first[0]["mobile"].startswith("+447700900")
    assert preview.refusals() == []
    assert nothing_is_stored()


def test_an_import_stores_people_with_facts_apart_from_sealed_contact_details(swing, alice):
    imported = confirm_import(alice, swing, COHORT)
    person = Participant.objects.select_related("study", "partner").earliest("pk")
    assert imported.counts["new"] == Participant.objects.count() == 541
    assert person.partner.name == "training-provider"
    assert contact_of(person)["email"] == "coril.nevaholm@trainees.example.org"
    assert facts_of(person).keys() == {"cohort", "region", "started_on"}
    assert "coril" not in ContactDetails.objects.get(participant=person).sealed
    assert {each.column for each in person.lookups.all()} == {"staff_ref", "email", "mobile"}


def test_everybodys_data_key_is_their_own_and_opens_nobody_elses_details(people):
    first, second = ContactDetails.objects.order_by("pk")[:2]
    first.data_key, first.sealed = second.data_key, second.sealed
    first.save()
    with pytest.raises(Exception, match="belongs to another person"):
        contact_of(people[0])


def test_the_record_has_numbers_and_hashes_and_no_log_has_a_person(swing, alice, roster, line, everywhere):
    canary = "zanzibar.canary@example.org"
    confirm_import(alice, swing, roster(line(1, email=canary, mobile="07700 900421"), line(2)))
    entry = Entry.objects.get(verb="people.import")
    assert '"new":2' in entry.details
    told = everywhere().lower()
    assert not any(each in told for each in ("zanzibar", "900421", "t20-0001"))


def test_a_refused_row_refuses_the_file_and_names_the_line(swing, alice, roster, line):
    path = roster(line(1), line(2, region="Narnia"), line(3, email="nobody"))
    with pytest.raises(InputError) as error:
        confirm_import(alice, swing, path)
    assert "cohort-2020.csv:3: region" in str(error.value)
    assert "cohort-2020.csv:4: email" in str(error.value)
    assert "nobody@" not in str(error.value)
    assert nothing_is_stored()


@pytest.mark.parametrize("inside", ["\r\nBcc: everybody@example.org", "\nx", "\u2028x", ",x"])
def test_an_address_that_could_reach_somebody_else_is_refused_with_its_line(swing, roster, line, inside):
    path = roster(line(1), line(2, email=f'"two@example.org{inside}"'))
    preview = preview_import(swing, path)
    assert [(each.place, each.where) for each in preview.read.report.problems()] == [
        ("cohort-2020.csv:3", "email")
    ]
    assert preview.counts["new"] == 1


def test_the_good_rows_alone_are_taken_when_asked_for(swing, alice, roster, line):
    path = roster(line(1), line(2, region="Narnia"), line(3))
    imported = confirm_import(alice, swing, path, good_rows_only=True)
    assert (imported.counts["new"], imported.counts["refused"]) == (2, 1)


def test_who_is_not_eligible_or_cannot_be_told_to_be_is_counted_and_not_stored(
    add_example, alice, roster, line
):
    study = add_example("swing", _optional_start)
    path = roster(line(1), line(2, started="2021-06-01"), line(3, started=""))
    preview = preview_import(study, path)
    assert preview.read.parts.counts == {"eligible": 1, "ineligible": 1, "unknown": 1}
    assert preview.unknown_places == ["cohort-2020.csv:4"]
    imported = confirm_import(alice, study, path)
    assert (imported.counts["new"], imported.counts["ineligible"], imported.counts["unknown"]) == (1, 1, 1)
    assert Participant.objects.count() == Lookup.objects.filter(identifies=True).count() == 1


def _optional_start(folder):
    path = folder / "protocol.yaml"
    text = path.read_text("utf-8").replace(
        "started_on: {type: date,", "started_on: {type: date, required: false,"
    )
    path.write_text(text, "utf-8")


def test_the_same_file_is_recognised_and_refused(swing, alice, imported, roster, line):
    path = roster(*(line(number) for number in range(10)))
    assert preview_import(swing, path).earlier == imported
    with pytest.raises(InputError, match="this very file was imported on 2021-02-10"):
        confirm_import(alice, swing, path)


def test_an_import_leaves_whoever_takes_part_already_as_they_are(swing, alice, people, roster, line):
    imported = confirm_import(alice, swing, roster(line(3, email="new@example.org"), line(50)))
    assert (imported.counts["known"], imported.counts["new"]) == (1, 1)
    assert contact_of(people[3])["email"] == "person.3@trainees.example.org"


@pytest.mark.parametrize("choice", ["everything", "erase"])
def test_whoever_left_is_kept_out_by_the_next_import(swing, alice, people, roster, line, choice):
    withdraw(people[3], choice, channel="web", actor=f"participant:{people[3].key}")
    preview = preview_import(swing, roster(line(3, email="new@example.org"), line(50)))
    assert (preview.counts["kept_out"], preview.counts["new"]) == (1, 1)
    confirm_import(alice, swing, roster(line(3, email="new@example.org"), line(50)))
    assert Participant.objects.get(pk=people[3].pk).state != "enrolled"
    assert contact_of(people[3]) == {}
    assert Participant.objects.count() == 11


def test_an_import_of_nobody_new_says_why(swing, alice, imported, roster, line):
    with pytest.raises(InputError, match="nobody new could be enrolled: 2 taking part already"):
        confirm_import(alice, swing, roster(line(1), line(2)))


def test_doubles_are_listed_with_their_lines_and_nobody_is_merged(swing, roster, line):
    preview = preview_import(swing, roster(line(1), line(2, email="person.1@trainees.example.org"), line(3)))
    report = preview.read.report
    told = [(each.reason, [report.place(row) for row in each.rows]) for each in report.duplicates]
    assert ("the same email", ["cohort-2020.csv:2", "cohort-2020.csv:3"]) in told
    assert preview.counts["new"] == 3


def test_once_a_stage_is_committed_newcomers_are_too_late(swing, alice, people, commit, roster, line):
    commit()
    with pytest.raises(InputError, match="1 too late"):
        confirm_import(alice, swing, roster(line(50)))
    assert Participant.objects.count() == 10


def test_only_who_may_import_does(swing, members, roster, line):
    with pytest.raises(NotAllowedError):
        confirm_import(members["Bob"], swing, roster(line(1)))
    assert nothing_is_stored()


def test_a_closed_study_takes_nobody_in(swing, alice, roster, line):
    from equipoise.platform.registry.actions import move_study

    closed = move_study(alice, swing, "closed", reason="it is over")
    with pytest.raises(InputError, match=r"is closed; people\.import can be done while it is"):
        confirm_import(alice, closed, roster(line(1)))


def test_what_was_shown_is_what_is_stored(swing, alice, roster, line):
    from equipoise.platform.people.actions import import_source
    from equipoise.platform.people.reading import RosterSource

    with pytest.raises(InputError, match="1 people were new when you looked, 2 are now"):
        import_source(alice, swing, RosterSource(roster(line(1), line(2))), expected=1)
    assert nothing_is_stored()


# --- partners ------------------------------------------------------------------------------------------------


AUTHORITY = "staff_ref,email,team,started_on,authority"


def council(number, authority):
    return f"NO{number:04d},person.{number}@council.example.org,Fostering,01/02/2010,{authority}"


def test_each_row_names_its_partner_in_the_column_whose_levels_are_partners(add_example, alice, roster):
    study = add_example("symbolic-awards")
    path = roster(council(1, "northmoor"), council(2, "eastvale"), name="all.csv", header=AUTHORITY)
    confirm_import(alice, study, path)
    partners = Participant.objects.order_by("pk").values_list("partner__name", flat=True)
    assert list(partners) == ["northmoor", "eastvale"]


def test_a_file_that_names_no_partner_needs_one_chosen_and_a_chosen_one_fills_its_column(
    add_example, alice, roster
):
    study = add_example("symbolic-awards")
    lines = [council(number, "x").removesuffix(",x") for number in (1, 2)]
    path = roster(*lines, name="some.csv", header=AUTHORITY.removesuffix(",authority"))
    with pytest.raises(InputError, match="authority"):
        preview_import(study, path)
    with pytest.raises(InputError, match=r'"northmor" is not a partner.*Did you mean "northmoor"'):
        preview_import(study, path, partner="northmor")
    confirm_import(alice, study, path, partner="northmoor")
    person = Participant.objects.select_related("study", "partner").earliest("pk")
    assert person.partner.name == facts_of(person)["authority"] == "northmoor"


def test_a_row_of_another_partner_than_the_one_chosen_is_refused_with_its_line(add_example, roster):
    study = add_example("symbolic-awards")
    path = roster(council(1, "northmoor"), council(2, "eastvale"), name="all.csv", header=AUTHORITY)
    preview = preview_import(study, path, partner="northmoor")
    told = [str(problem) for problem in preview.read.report.problems()]
    assert told == ["all.csv:3: authority: “eastvale”, but the file was said to be that of northmoor"]
    assert (preview.counts["refused"], preview.counts["new"]) == (1, 1)


def test_a_partner_that_the_study_does_not_have_is_refused_with_the_nearest(add_example, roster):
    study = add_example("swing", _open_partner)
    path = roster("T1,a@example.org,2020,north,2020-01-01,training-provder", name="x.csv", header=OPEN)
    preview = preview_import(study, path)
    assert 'Did you mean "training-provider"' in str(preview.read.report.problems()[0])
    assert preview.counts["refused"] == 1


OPEN = "staff_ref,email,cohort,region,started_on,partner"


def _open_partner(folder):
    path = folder / "protocol.yaml"
    text = path.read_text("utf-8")
    text = text.replace(
        "    cohort:     {", "    partner: {type: category, label: Provider}\n    cohort:     {", 1
    )
    path.write_text(text, "utf-8")


def test_all_examples_with_rosters_import(add_example, alice):
    study = add_example("symbolic-awards")
    for path in sorted((EXAMPLES / "symbolic-awards" / "rosters").iterdir()):
        confirm_import(alice, study, path)
    counts = dict.fromkeys(study.partners.values_list("name", flat=True))
    for name in counts:
        counts[name] = Participant.objects.filter(study=study, partner__name=name).count()
    assert counts["northmoor"] > 400
    assert sum(counts.values()) == Participant.objects.count() == 1969


# --- undo ----------------------------------------------------------------------------------------------------


def test_an_import_is_undone_as_if_it_had_not_been(swing, alice, imported, roster, line):
    undo_import(alice, imported)
    assert not any(model.objects.exists() for model in (Participant, ContactDetails, Lookup, RosterFacts))
    again = confirm_import(alice, swing, roster(*(line(number) for number in range(10))))
    assert again.counts["new"] == 10
    assert [each.faults for each in verdicts()] == [(), ()]
    with pytest.raises(InputError, match="has been undone already"):
        undo_import(alice, imported)


def test_an_import_stands_once_a_stage_is_committed(alice, imported, commit):
    commit()
    with pytest.raises(InputError, match="can no longer be undone"):
        undo_import(alice, imported)


def test_an_import_stands_once_somebody_was_sent_a_link(swing, alice, imported, people):
    from equipoise.platform.fieldwork.links import make_links

    make_links(alice, swing, "before", people[:3])
    with pytest.raises(InputError, match="3 people have been sent something or answered"):
        undo_import(alice, imported)
    assert Participant.objects.count() == 10


@pytest.mark.parametrize("choice", ["messages", "everything", "erase"])
def test_an_import_stands_once_somebody_has_made_a_choice(alice, imported, people, choice):
    withdraw(people[0], choice, channel="web", actor=f"participant:{people[0].key}")
    with pytest.raises(InputError, match="1 person has made a choice"):
        undo_import(alice, imported)


# --- sizes, races, cuts --------------------------------------------------------------------------------------


def test_the_number_of_statements_of_a_preview_does_not_grow_with_rows(swing, roster, line, queries):
    preview_import(swing, roster(line(1)))
    with queries() as few:
        preview_import(swing, roster(*(line(number) for number in range(2))))
    with queries() as many:
        preview_import(swing, roster(*(line(number) for number in range(900))))
    assert few.count == many.count


def test_an_import_takes_as_many_statements_as_it_has_batches(swing, alice, roster, line, queries):
    with queries() as found:
        confirm_import(alice, swing, roster(*(line(number) for number in range(900))))
    assert found.count < 120


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_import_the_same_file_at_once_one_does_and_the_others_are_told(
    swing, alice, roster, line
):
    path = roster(*(line(number) for number in range(40)))
    told, start = [], threading.Barrier(8)

    def import_now():
        start.wait()
        try:
            confirm_import(alice, swing, path)
            told.append("imported")
        except InputError as error:
            told.append("recognised" if "this very file" in str(error) else str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=import_now) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["imported"] + ["recognised"] * 7
    assert Participant.objects.count() == 40
    assert Entry.objects.filter(verb="people.import").count() == 1


class Killed(BaseException):
    """Like a process that is stopped: nothing catches it on purpose."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Participant, ContactDetails, Lookup, RosterFacts])
def test_an_import_that_is_cut_off_leaves_nothing_and_works_when_repeated(
    swing, alice, roster, line, monkeypatch, model
):
    path = roster(*(line(number) for number in range(20)))
    with monkeypatch.context() as patched:
        patched.setattr(enrolling, "_AT_ONCE", 5)
        patched.setattr(model._default_manager, "bulk_create", _dies_at_the_second(model))
        with pytest.raises(Killed):
            confirm_import(alice, swing, path)
    assert nothing_is_stored()
    assert not Entry.objects.filter(verb="people.import").exists()
    assert confirm_import(alice, swing, path).counts["new"] == 20


def _dies_at_the_second(model):
    times, store = [], model._default_manager.bulk_create

    def store_or_die(rows):
        times.append(1)
        if len(times) == 2:
            raise Killed
        return store(rows)

    return store_or_die


# --- other files ---------------------------------------------------------------------------------------------


def test_a_mapping_and_constants_given_outright_are_used(swing, alice, roster, line):
    columns = {"staff_ref": "Trainee ID", "email": "Email", "region": "Region", "started_on": "Start date"}
    path = roster(line(1), name="new.csv")
    imported = confirm_import(alice, swing, path, mapping=Mapping(columns), constants={"cohort": "2021"})
    person = imported.participants.select_related("study").get()
    assert facts_of(person)["cohort"] == "2021"
    assert "mobile" not in contact_of(person)


def test_a_workbook_that_is_none_and_a_missing_file_are_refused(swing, tmp_path):
    path = tmp_path / "cohort.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "hello")
    with pytest.raises(InputError, match="no XLSX workbook"):
        preview_import(swing, path)
    with pytest.raises(InputError, match="there is no such file"):
        preview_import(swing, tmp_path / "missing.csv")
