"""What was sent is sealed, and a seal shows what was changed, removed or added afterwards."""

import json

import pytest
from tests.platform.fieldwork.conftest import items
from tests.platform.fieldwork.test_answering_a_wave import agreed

from equipoise.platform.audit.queries import verdicts
from equipoise.platform.fieldwork.models import SealedSubmission, Submission
from equipoise.platform.fieldwork.sealing import seal_faults, seal_submissions


@pytest.fixture
def sealed(swing, link, browser):
    agreed(browser, link())
    for page in ("wellbeing", "burnout", "connection"):
        browser.send(items(swing, "wellbeing", page))
    assert seal_submissions(swing) == 3
    return swing


def test_what_is_sealed_is_not_sealed_again(sealed):
    assert seal_submissions(sealed) == 0
    assert SealedSubmission.objects.count() == 3
    assert list(seal_faults(sealed)) == []
    assert [fault for verdict in verdicts() for fault in verdict.faults] == []


def test_a_changed_answer_is_named_by_its_number_alone(sealed):
    row = Submission.objects.order_by("pk").first()
    Submission.objects.filter(pk=row.pk).update(answers={**row.answers, "swemwbs.optimistic": 5})
    (fault,) = seal_faults(sealed)
    assert f"submission {row.pk} was changed" in fault
    assert "optimistic" not in fault


def test_a_removed_answer_is_noticed(sealed):
    Submission.objects.order_by("pk").first().delete()
    assert any("gone" in fault for fault in seal_faults(sealed))


def test_a_removal_that_pretends_to_be_an_erasure_is_noticed(sealed):
    row = Submission.objects.order_by("pk").first()
    SealedSubmission.objects.filter(submission_id=row.pk).update(erased=True)
    row.delete()
    assert any("the chain says 0" in fault for fault in seal_faults(sealed))


def test_a_digest_that_was_exchanged_is_noticed(sealed):
    SealedSubmission.objects.filter(place=0).update(digest="0" * 64)
    assert any("root" in fault for fault in seal_faults(sealed))


def test_the_root_stands_in_the_chain(sealed):
    from equipoise.platform.audit.models import Entry, Seal

    entry = Entry.objects.get(verb="submissions.seal")
    assert json.loads(entry.details) == {"root": Seal.objects.get().root, "rows": 3}
