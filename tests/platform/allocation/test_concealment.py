"""While people still come one by one, nothing that can be fetched tells the seed, a block, or whose turn is next."""

import random
import re

import pytest
from tests.platform.allocation.studies import rolling
from tests.platform.office.conftest import Desk

from equipoise.allocation.scripts import redraw
from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.database import writing
from equipoise.platform.people.allocation import (
    allocate_arrival,
    allocation_record,
    arrivals,
    balance,
    close_enrolment,
    commit_stage,
    hand_in_secret,
    public_arms,
)
from equipoise.platform.people.models import Allocation
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.models import Stage, Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.frame import participants_frame
from equipoise.platform.verification import verify_workspace

# A verification reads in a snapshot, which is a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ("", "protocol/", "people/", "record/", "record/?format=csv", "data/", "data/review/", "allocation/")
PAGES += ("allocation/main/strata", "allocation/main/strata?format=csv", "allocation/main/record.json")
ARRIVED = 43


@pytest.fixture
def coming(add_example, alice, secret, enrol):
    """A live study to which people have come, and its enrolment is open."""
    study = add_example("swing", rolling)
    hand_in_secret(alice, study.stages.get(), secret)
    commit_stage(alice, study.stages.get())
    study = move_study(alice, study, "live")
    for person in enrol(study, ARRIVED):
        with writing():
            allocate_arrival(person)
    return study


def shown(desk, study):
    """What the pages of who leads the study, its record and data under a mask say."""
    found = {}
    for page in PAGES:
        answer = desk.get(f"/office/studies/swing/{page}")
        found[page] = (answer.status_code, desk.html if answer.status_code == 200 else "")
    found["data"] = participants_frame(study, masked=True).write_csv()
    found["entries"] = "\n".join(Entry.objects.values_list("details", flat=True))
    return found


def words(found):
    """Without tags: forms have a fresh token each time."""
    return {
        name: (told[0], re.sub(r"<[^>]+>", " ", told[1])) if name in PAGES else told
        for name, told in found.items()
    }


def test_before_the_enrolment_closes_everything_reads_the_same_whoever_has_which_arm(coming, alice):
    desk = Desk().sign_in(alice)
    before = words(shown(desk, coming))
    assert [page for page in PAGES if before[page][0] != 200] == ["allocation/main/record.json"]
    arms = list(Allocation.objects.order_by("pk").values_list("arm", flat=True))
    for row, arm in zip(
        Allocation.objects.order_by("pk"), random.Random(3).sample(arms, ARRIVED), strict=True
    ):
        Allocation.objects.filter(pk=row.pk).update(arm=arm)
    after = words(shown(desk, coming))
    assert [name for name in before if before[name] != after[name]] == []


def test_neither_seed_nor_secret_is_told_before_or_after_the_enrolment_closes(coming, alice, secret):
    seed = arrivals._seed(coming.stages.get(), folder_of(coming)).value.hex()
    desk = Desk().sign_in(alice)
    for _ in ("open", "closed"):
        verdict = verify_workspace()
        assert verdict.faults == ()
        told = str(shown(desk, coming)) + str(verdict)
        assert seed not in told.lower()
        assert secret not in told.lower()
        if coming.stages.get().state == "committed":
            close_enrolment(alice, coming.stages.get())


def test_record_balance_and_arms_are_there_when_the_enrolment_has_closed_and_a_stranger_draws_again(
    coming, alice, secret, tmp_path
):
    stage = coming.stages.get()
    assert allocation_record(stage) is None
    for early in (balance, public_arms):
        with pytest.raises(InputError, match="has not been drawn yet"):
            early(stage)
    assert set(participants_frame(coming, masked=True)["arm"]) == {None}
    closed = close_enrolment(alice, stage)
    assert balance(closed)
    assert set(participants_frame(coming, masked=True)["arm"]) == {"A", "B"}
    Study.objects.update(results="unmasked")
    record, arms = tmp_path / "arms.csv.record.json", tmp_path / "arms.csv"
    record.write_text(closed.record, "utf-8")
    arms.write_text(public_arms(Stage.objects.get()), "utf-8")
    assert redraw.main([str(record), str(arms), secret]) == 0
