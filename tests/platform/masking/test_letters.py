"""The letters of a mask: the same for ever, whatever the arms are called, and what they cannot hide is said."""

import secrets
from datetime import timedelta

import pytest

from equipoise.exchange import codebook, codebook_markdown, data_package, mask_limits
from equipoise.platform.people.models import Allocation, Participant
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.registry.queries import rolling as comes_one_by_one
from equipoise.platform.review.frame import participants_frame

pytestmark = pytest.mark.django_db

SWAPPED = {"control": "messages", "messages": "control"}
PEOPLE = 12


def rolling(folder):
    path = folder / "protocol.yaml"
    text = path.read_text("utf-8")
    for old, new in (
        ("participants:\n", "participants:\n  enrolment: rolling\n"),
        ("method: blocked", "method: permuted-blocks"),
        ("when: launch", "when: enrolled"),
    ):
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")


def unequal(folder):
    path = folder / "protocol.yaml"
    path.write_text(path.read_text("utf-8").replace("messages: 1}", "messages: 2}"), "utf-8")


@pytest.fixture
def allocated(at):
    """A function by which made-up people come to a study, an arm each."""

    def come(study, arms):
        stage = study.stages.get()
        for arm in arms:
            number = Participant.objects.count()
            moment = study.added_at + timedelta(hours=number)
            key = "".join(secrets.choice("abcdefghjkmn") for _ in range(16))
            person = Participant.objects.create(study=study, key=key, enrolled_at=moment)
            Allocation.objects.create(stage=stage, participant=person, arm=arm, stratum="", at=moment)

    return come


def letters(study):
    frame = participants_frame(study, masked=True)
    return dict(zip(frame["staff_ref"], frame["arm"], strict=True))


@pytest.mark.parametrize("change", [None, rolling])
def test_swapped_names_leave_every_letter_and_whoever_comes_later_changes_none(
    add_example, allocated, change
):
    study = add_example("swing", change)
    assert comes_one_by_one(study) is (change is rolling)
    study.stages.update(state="drawn")
    allocated(study, ["messages", "control"] * (PEOPLE // 2))
    first = letters(study)
    assert set(first.values()) == {"A", "B"}
    for row in Allocation.objects.all():
        Allocation.objects.filter(pk=row.pk).update(arm=SWAPPED[row.arm])
    assert letters(study) == first
    if change is rolling:
        allocated(study, ["messages"] * PEOPLE)
        assert {key: letters(study)[key] for key in first} == first


def test_unequal_ratios_are_named_as_a_limit_in_codebook_package_and_page(add_example, allocated):
    study = folder_of(add_example("swing", unequal))
    book = codebook(study, {"participants": ["staff_ref", "arm"]}, masked=True)
    limit = mask_limits(study)[0]
    assert "unequal ratios" in limit
    assert limit in codebook_markdown(book)
    assert data_package(book, {"participants": "participants.csv"})["limitsOfTheMask"] == [limit]
    assert limit not in codebook_markdown(codebook(study, {"participants": ["staff_ref", "arm"]}))


def test_equal_ratios_have_no_such_limit(add_example):
    assert mask_limits(folder_of(add_example("swing"))) == ()


def test_the_page_of_the_data_says_the_limit_too(add_example, members, alice):
    from tests.platform.office.conftest import Desk

    add_example("swing", unequal)
    assert "unequal ratios" in Desk().sign_in(alice).get("/office/studies/swing/data/").content.decode()
