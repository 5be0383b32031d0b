"""Sealing: what participants sent is under a root in the chain, and stays provable when somebody is erased."""

import json

import pytest

from equipoise.platform.audit.models import Entry, Seal
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.fieldwork.models import SealedSubmission, Submission
from equipoise.platform.fieldwork.sealing import seal_everything, seal_faults, seal_submissions
from equipoise.platform.worker.loop import DUTIES


def faults(study):
    return list(seal_faults(study))


def test_every_submission_is_sealed_once(swing, answered):
    answered(pages=3)
    assert seal_submissions(swing) == 3
    answered(pages=2)
    assert seal_everything() == 2
    assert seal_submissions(swing) == 0

    assert SealedSubmission.objects.count() == Submission.objects.count() == 5
    assert [json.loads(entry.details)["rows"] for entry in Entry.objects.filter(verb="submissions.seal")] == [
        3,
        2,
    ]
    assert faults(swing) == []


def test_a_submission_that_comes_in_late_with_a_lower_number_is_sealed_too(swing, answered):
    participant = answered(pages=2)
    session = participant.sessions.get()
    low = Submission.objects.order_by("pk").first()
    values = {"session": session, "page": low.page, "answers": {}, "shown": {}, "at": low.at}
    number = low.pk
    low.delete()
    seal_submissions(swing)
    Submission.objects.create(pk=number, key="late", **values)

    assert seal_submissions(swing) == 1
    assert faults(swing) == []


def test_more_submissions_than_one_seal_takes_get_several(swing, answered, monkeypatch):
    monkeypatch.setattr("equipoise.platform.audit.sealing._AT_ONCE", 2)
    answered(pages=5)

    assert seal_submissions(swing) == 5
    assert list(Seal.objects.order_by("pk").values_list("rows", flat=True)) == [2, 2, 1]
    assert faults(swing) == []


@pytest.mark.parametrize(
    "change",
    [
        {"answers": {"comment": "another"}},
        {"page": "elsewhere"},
        {"key": "other"},
        {"shown": {}},
        {"channel": "paper"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_submission_that_was_changed_is_named_by_its_number_and_not_by_what_it_says(
    swing, answered, change
):
    answered()
    seal_submissions(swing)
    row = Submission.objects.order_by("pk")[1]
    Submission.objects.filter(pk=row.pk).update(**change)

    assert faults(swing) == [f"swing: submission {row.pk} was changed after it was sealed"]


def test_a_submission_that_was_removed_is_named(swing, answered):
    answered()
    seal_submissions(swing)
    row = Submission.objects.order_by("pk")[1]
    number = row.pk
    row.delete()

    assert faults(swing) == [f"swing: submission {number} is gone, and nobody had it erased"]


def test_an_erasure_leaves_the_record_whole_and_nothing_of_what_was_said(swing, answered):
    left, stays = answered(pages=3), answered(pages=2)
    seal_submissions(swing)
    leave_study(left, "erase", channel="web", actor=f"participant:{left.key}")

    assert faults(swing) == []
    assert Submission.objects.count() == 2
    assert stays.sessions.count() == 1
    assert not any("canary" in entry.details for entry in Entry.objects.all())


def test_an_erasure_that_nobody_entered_is_seen(swing, answered):
    answered(pages=3)
    seal_submissions(swing)
    number = Submission.objects.order_by("pk").first().pk
    Submission.objects.filter(pk=number).delete()
    SealedSubmission.objects.filter(pk=number).update(erased=True)

    assert faults(swing) == ["swing: 1 sealed submissions are marked as erased, and the chain says 0"]


def test_a_seal_that_was_removed_is_seen_from_the_chain(swing, answered):
    answered()
    seal_submissions(swing)
    SealedSubmission.objects.all().delete()
    Seal.objects.all().delete()
    number = Entry.objects.get(verb="submissions.seal").number

    assert faults(swing) == [f"swing: the seal of entry {number} is gone"]


def test_a_seal_written_anew_does_not_fit_the_chain(swing, answered):
    answered()
    seal_submissions(swing)
    Seal.objects.update(root="0" * 64)

    found = faults(swing)
    assert any("is not the one in the chain" in fault for fault in found)
    assert any("does not have the root" in fault for fault in found)


def test_numbers_too_large_for_canonical_json_do_not_stop_the_seals(swing, answered):
    answered(pages=1)
    Submission.objects.update(answers={"days": 10**20, "share": 1e300, "letters": "żółw 🐢"})

    assert seal_submissions(swing) == 1
    assert faults(swing) == []


def test_the_worker_seals_every_minute():
    duty = next(duty for duty in DUTIES if duty.do is seal_everything)

    assert duty.seconds == 60
