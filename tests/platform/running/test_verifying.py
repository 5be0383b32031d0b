"""`equipoise verify WORKSPACE`: one answer for the whole workspace."""

import pytest

from equipoise.platform.audit.models import Chain, Entry
from equipoise.platform.audit.queries import heads
from equipoise.platform.fieldwork.models import Submission
from equipoise.platform.fieldwork.sealing import seal_submissions
from equipoise.platform.verification import verify_workspace

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_workspace_as_it_was_lived_verifies_and_says_what_it_is(swing, answered):
    answered(pages=3)
    seal_submissions(swing)
    answered(pages=2)
    found = verify_workspace(heads())

    assert found.faults == ()
    assert found.waiting == 2
    entries = Entry.objects.count()
    assert found.checks == (
        f"2 chains, {entries} entries",
        "3 sealed submissions",
        "0 sealed events of messages",
        "0 stages of allocation",
    )
    assert set(found.heads) == {"swing", "workspace"}


def test_a_changed_submission_and_a_changed_entry_are_both_told(swing, answered):
    answered(pages=1)
    seal_submissions(swing)
    Submission.objects.update(answers={"comment": "another"})
    Entry.objects.filter(chain_id="swing", number=1).update(actor="staff:9")
    found = verify_workspace().faults

    assert len(found) == 2
    assert any("submission" in fault for fault in found)
    assert any("entry 1 was changed" in fault for fault in found)
    assert not any("another" in fault or "comment" in fault for fault in found)


def test_a_study_without_its_chain_is_told(swing):
    Entry.objects.filter(chain_id="swing").delete()
    Chain.objects.filter(name="swing").delete()

    assert verify_workspace().faults == ("swing: the chain is gone",)
