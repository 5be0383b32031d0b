"""Sealing and unmasking: in this order, with a reason, and so that what was analysed can be shown to be it."""

import json

import pytest

from equipoise.errors import InputError
from equipoise.findings import analyse
from equipoise.findings.reading.data import read_data
from equipoise.platform.approvals.actions import Rehearsal, ask, decide
from equipoise.platform.approvals.acts import UNMASK
from equipoise.platform.audit.models import Entry
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review import sealing
from equipoise.platform.review.actions import Wanted, exclude
from equipoise.platform.review.exporting import export_study
from equipoise.platform.review.sealing import seal_results

# The data are read in a snapshot, which is a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Two of us looked the data through without the arms"


@pytest.fixture
def closed(trial, alice):
    """The study after its last wave."""
    trial.study = move_study(alice, trial.study, "closed", reason="The last wave has closed")
    return trial


def test_the_seal_has_the_hash_that_the_findings_will_carry(closed, alice, tmp_path):
    sealed = seal_results(alice, closed.study, WHY)
    closed.study.refresh_from_db()
    decide(Rehearsal(), ask(alice, closed.study, UNMASK, reason="The seal is published"), "approve", "Seen")
    closed.study.refresh_from_db()
    export_study(alice, closed.study, tmp_path / "data", masked=False)
    study = folder_of(closed.study)
    found = analyse(study, read_data(study, tmp_path / "data"))
    assert (found.sealed, found.seal) == (True, sealed)
    primary = found.find("effect.wellbeing.after.messages - control")
    assert (primary.tier, primary.confirmatory) == ("primary", True)
    said = json.loads(Entry.objects.get(verb="results.seal").details)
    assert (said["seal"], said["data_hash"], said["reason"]) == (sealed, found.data_hash, WHY)


def test_what_is_still_collected_cannot_be_sealed(trial, alice):
    with pytest.raises(
        InputError, match=r"is live; results\.seal can be done while it is closed or published"
    ):
        seal_results(alice, trial.study, WHY)


def test_a_seal_is_refused_where_something_was_done_while_the_data_were_read(closed, alice, monkeypatch):
    hashes = sealing._hashes

    def meanwhile(study):
        exclude(alice, study, [Wanted(sorted(closed.people)[0], (), "Answered twice")])
        return hashes(study)

    with monkeypatch.context() as racing:
        racing.setattr(sealing, "_hashes", meanwhile)
        with pytest.raises(InputError, match="while its data were read; seal it again"):
            seal_results(alice, closed.study, WHY)
    closed.study.refresh_from_db()
    assert closed.study.results == "masked"
    seal_results(alice, closed.study, WHY)


def test_nothing_is_unmasked_that_was_not_sealed(closed, alice):
    with pytest.raises(InputError, match="is masked and cannot become unmasked; after masked comes sealed"):
        ask(alice, closed.study, UNMASK, reason=WHY)
    assert closed.study.results == "masked"


def test_either_needs_a_reason_and_is_done_once(closed, alice):
    with pytest.raises(InputError, match="reason: is empty"):
        seal_results(alice, closed.study, "  ")
    seal_results(alice, closed.study, WHY)
    closed.study.refresh_from_db()
    with pytest.raises(InputError, match="is sealed and cannot become sealed"):
        seal_results(alice, closed.study, WHY)


def test_only_who_may_does(closed, members):
    with pytest.raises(NotAllowedError):
        seal_results(members["Carol"], closed.study, WHY)
    with pytest.raises(InputError, match="after masked comes sealed"):
        ask(members["Bob"], closed.study, UNMASK, reason=WHY)
