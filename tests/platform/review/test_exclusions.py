"""The blinded data review: decided before the seal, dated, kept, taken along, and gone with who erases."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.people.records import person_record
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.review.actions import Wanted, exclude, withdraw_exclusion
from equipoise.platform.review.models import Exclusion, ExclusionWithdrawal
from equipoise.platform.review.queries import exclusions_frame

pytestmark = pytest.mark.django_db

ROOT = "/office/studies/swing/data/review/"
WHY = "Gave one answer to every item"


@pytest.fixture
def excluded(people, frank, swing):
    """The first of the people, left out of wellbeing."""
    exclude(frank, swing, [Wanted(people[0].key, ("wellbeing",), WHY)])
    return Exclusion.objects.select_related("study", "participant").get()


def said(verb):
    return json.loads(Entry.objects.get(verb=verb).details)


def test_an_exclusion_is_dated_kept_and_recorded_and_goes_with_the_data(excluded, people, swing, frank):
    assert (excluded.of, excluded.reason, excluded.actor) == (["wellbeing"], WHY, frank.actor)
    assert said("data.review.exclude") == {"participant": people[0].key, "of": ["wellbeing"], "reason": WHY}
    frame = exclusions_frame(swing, [person.key for person in people])
    assert frame.rows() == [(people[0].key, "wellbeing", WHY, excluded.at)]
    assert exclusions_frame(swing, [people[1].key]).height == 0


def test_what_is_taken_back_stays_in_the_list_and_leaves_the_data(excluded, people, swing, frank):
    withdraw_exclusion(frank, excluded, "They answered twice, the second time well")
    assert exclusions_frame(swing, [people[0].key]).height == 0
    assert Exclusion.objects.count() == ExclusionWithdrawal.objects.count() == 1
    assert said("data.review.take-back")["participant"] == people[0].key
    with pytest.raises(InputError, match="was taken back already"):
        withdraw_exclusion(frank, excluded, "Again")
    exclude(frank, swing, [Wanted(people[0].key, ("wellbeing",), "Once more")])


@pytest.mark.parametrize("results", ["sealed", "unmasked"])
def test_after_the_seal_nothing_is_added_or_taken_back(excluded, people, swing, frank, results):
    Study.objects.update(results=results)
    for act in (
        lambda: exclude(frank, swing, [Wanted(people[1].key, (), WHY)]),
        lambda: withdraw_exclusion(frank, excluded, "Late"),
    ):
        with pytest.raises(InputError, match=rf"results are {results}; data\.review can be done while"):
            act()
    assert Exclusion.objects.count() == 1


def test_only_who_reviews_decides(people, swing, members):
    for name in ("Bob", "Carol"):
        with pytest.raises(NotAllowedError):
            exclude(members[name], swing, [Wanted(people[0].key, (), WHY)])


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_entered(excluded, people, swing, frank):
    wanted = [
        Wanted("nobody", ("wellbeing",), WHY, "Line 2"),
        Wanted(people[1].key, ("wellbing",), WHY, "Line 3"),
        Wanted(people[1].key, (), "  ", "Line 4"),
        Wanted(people[0].key, ("wellbeing",), WHY, "Line 5"),
        Wanted(people[2].key, (), "x" * 301, "Line 6"),
    ]
    with pytest.raises(InputError) as caught:
        exclude(frank, swing, wanted)
    text = str(caught.value)
    for part in (
        'Line 2: participant: "nobody" is nobody\'s code',
        'Line 3: of: "wellbing" is no outcome or analysis',
        "Line 4: reason: is empty",
        f"Line 5: participant: {people[0].key} is left out of that already",
        "Line 6: reason: is too long",
    ):
        assert part in text
    assert Exclusion.objects.count() == 1


def test_whoever_erases_takes_what_was_said_of_them_along_and_can_read_it_before(excluded, people):
    sections = {section.heading: section.rows for section in person_record(people[0])}
    assert sections["Left out of analyses"][0][0] == "Left out of wellbeing"
    leave_study(people[0], "erase", channel="web", actor=f"participant:{people[0].key}")
    assert not Exclusion.objects.exists()


def test_the_analyst_leaves_somebody_out_finds_it_in_the_list_and_takes_it_back(franks_desk, people):
    key = people[0].key
    franks_desk.act(f"{ROOT}add", {"participant": key, "of": ["wellbeing", "burnout"], "reason": WHY})
    franks_desk.follow()
    assert f"{key} is left out." in franks_desk.text
    assert "burnout, wellbeing" in franks_desk.text
    path = f"{ROOT}{Exclusion.objects.get().pk}/take-back"
    assert franks_desk.act(path, name="wrong", reason="A mistake").status_code == 422
    franks_desk.act(path, name=key, reason="A mistake")
    franks_desk.follow()
    assert "Taken back" in franks_desk.text
    assert franks_desk.get(ROOT, state="held").status_code == 200
    assert "Nobody is left out of anything" in franks_desk.text
    franks_desk.get(ROOT, format="csv")
    row = next(csv.DictReader(io.StringIO(franks_desk.html.lstrip("\ufeff"))))
    assert (row["Participant"], row["Why taken back"]) == (key, "A mistake")


def test_what_was_typed_stays_where_it_cannot_be_entered(franks_desk, people):
    page = franks_desk.act(f"{ROOT}add", {"participant": "nobody", "of": ["wellbeing"], "reason": WHY})
    assert page.status_code == 422
    assert 'value="nobody"' in franks_desk.html
    assert 'value="wellbeing" checked' in franks_desk.html
    assert WHY in franks_desk.html


def sent(text, name="list.csv"):
    return SimpleUploadedFile(
        name, text if isinstance(text, bytes) else text.encode(), content_type="text/csv"
    )


def test_many_are_left_out_by_a_file_or_none_of_them_with_the_lines(franks_desk, people):
    lines = [f"{people[0].key},wellbeing; burnout,{WHY}", f"{people[1].key},,Answered twice"]
    wrong = sent("\n".join(["participant,of,reason", *lines, "nobody,wellbeing,x"]))
    assert franks_desk.act(f"{ROOT}upload", {"file": wrong}).status_code == 422
    assert "Line 4: participant" in franks_desk.text
    assert not Exclusion.objects.exists()
    franks_desk.act(f"{ROOT}upload", {"file": sent("\n".join(["participant,of,reason", *lines]))})
    franks_desk.follow()
    assert "2 exclusions are entered" in franks_desk.text
    assert sorted(row.of for row in Exclusion.objects.all()) == [[], ["burnout", "wellbeing"]]
    assert said("data.review.exclude")["exclusions"] == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("who,why\na,b\n", "the column participant is missing"),
        (b"\xff\xfe\x00", "this is no CSV in UTF-8"),
        ("participant,of,reason\n", "the column participant is missing"),
        (b"participant,of,reason\n" + b"a,b,c\n" * 21_000, "more than 20,000 lines"),
        (b"a" * 2_000_001, "larger than 2 MB"),
    ],
)
def test_a_file_that_is_no_list_is_refused(franks_desk, people, content, told):
    assert franks_desk.act(f"{ROOT}upload", {"file": sent(content)}).status_code == 422
    assert told in franks_desk.text


def test_without_a_file_it_is_asked_for(franks_desk, people):
    franks_desk.act(f"{ROOT}upload")
    assert "Choose a file" in franks_desk.text or "choose a file" in franks_desk.text
