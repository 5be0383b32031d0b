"""`equipoise study unmask`, `approvals`, `approve`: the command line asks; it approves in a rehearsal only."""

import pytest

from equipoise.platform.approvals.actions import ask, decide
from equipoise.platform.approvals.acts import UNMASK
from equipoise.platform.approvals.queries import request_numbered
from equipoise.platform.registry.models import Study

pytestmark = pytest.mark.django_db
WHY = ("--reason", "The seal is published")


def results():
    return Study.objects.get(name="swing").results


def test_a_rehearsal_is_run_through_by_commands_and_the_record_names_its_second_person(run, sealed, entered):
    asked = run("study", "unmask", "swing", *WHY)
    assert asked.code == 0
    assert "request 1 waits for a second person" in asked.out
    assert "study approve" in asked.out
    assert results() == "sealed"
    again = run("study", "unmask", "swing", *WHY)
    assert again.code == 2
    assert "request 1 waits for a decision" in again.err
    done = run("study", "approve", "swing", 1, "--json")
    assert (done.code, done.said["state"], done.said["decided_by"]) == (0, "approved", "rehearsal")
    assert results() == "unmasked"
    assert entered("results.unmask")[0].actor == "command-line"
    assert entered("approvals.approve")[0].actor == "rehearsal"


def test_a_live_workspace_says_where_somebody_approves_and_refuses_to_stand_in(
    run,
    sealed,
    settings,
    monkeypatch,
):
    monkeypatch.setattr(type(settings.WORKSPACE), "live", property(lambda _: True))
    assert "/office/studies/swing/approvals/1/" in run("study", "unmask", "swing", *WHY).out
    refused = run("study", "approve", "swing", 1)
    assert refused.code == 2
    assert "a second person approves, on the page Approvals" in refused.err
    assert results() == "sealed"


def test_requests_are_listed_and_those_of_the_command_line_taken_back(run, sealed, cast):
    assert "Nothing was asked for" in run("study", "approvals", "swing").out
    ask(cast["Alice"], sealed, UNMASK, reason="The seal is published")
    refused = run("study", "approvals", "swing", "--take-back", 1)
    assert refused.code == 2
    assert "taken back by whoever asked" in refused.err
    decide(cast["Dora"], request_numbered(sealed, 1), "refuse", "Too early")
    run("study", "unmask", "swing", *WHY)
    listed = run("study", "approvals", "swing", "--take-back", 2, "--json").said["requests"]
    assert [(each["request"], each["state"]) for each in listed] == [(2, "taken-back"), (1, "refused")]
    assert listed[1]["comment"] == "Too early"


def test_a_request_that_there_is_not_is_told_with_how_to_find_those_there_are(run, sealed):
    refused = run("study", "approve", "swing", 7)
    assert refused.code == 2
    assert "`equipoise study approvals` lists" in refused.err
