"""The calendar and what waits for a person, from the command line."""

import json

import pytest
from django.conf import settings

from equipoise.cli import main
from equipoise.platform.delivery.models import ConfirmedContact
from equipoise.platform.registry.actions import move_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys):
    def command(verb, *words):
        capsys.readouterr()
        try:
            code = main(["study", verb, str(settings.WORKSPACE.folder), *words])
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_what_waits_is_listed_and_let_go_and_the_calendar_says_to_how_many_it_goes(
    launched, enrol, run, carried
):
    study = launched()
    enrol(study, 12)
    carried(limits={"smtp": {"per_day": 5}})
    ConfirmedContact.objects.filter(study=study).exclude(contact="before.invite").delete()
    ConfirmedContact.objects.filter(contact="before.invite").update(digest="0" * 64)

    code, out, _ = run("calendar", "swing")
    assert code == 0
    lines = {tuple(line.split()[2:4]): line for line in out.splitlines()}
    assert " about 6 " in lines["weekly-message", "1"]
    assert lines["weekly-message", "1"].endswith("waits for a person")
    assert lines["weekly-message", "1"].startswith("2021-03-02 12:30")
    assert "smtp takes 5 a day: they take 3 days" in out

    code, out, _ = run("messages", "swing")
    assert (
        "before.invite waits: Invitation: Before the texts, by email; changed since it was confirmed" in out
    )
    assert "weekly-message waits: Weekly text, by sms; never confirmed" in out
    code, out, _ = run("messages", "swing", "--confirm", "--only", "weekly-message", "--json")
    said = json.loads(out)
    assert (said["confirmed"], len(said["waiting"])) == (["weekly-message"], 6)
    code, out, _ = run("messages", "swing", "--confirm")
    assert out.splitlines()[-1] == "swing: nothing waits for a person."
    code, _, err = run("messages", "swing", "--confirm", "--only", "weekly")
    assert code == 2
    assert 'Did you mean "weekly-message"?' in err


def test_nothing_of_a_closed_study_and_nothing_whose_time_is_over_waits_for_a_person(
    launched, enrol, run, on, alice
):
    study = launched()
    enrol(study, 4)
    ConfirmedContact.objects.filter(study=study).update(digest="0" * 64)
    on(3, 10)
    _, out, _ = run("calendar", "swing")
    lines = {tuple(line.split()[2:4]): line for line in out.splitlines()}
    assert "waits for a person" not in lines["before.invite", "1"] + lines["weekly-message", "1"]
    assert lines["weekly-message", "3"].endswith("waits for a person")

    move_study(alice, study, "closed", reason="It is over")
    _, out, _ = run("calendar", "swing")
    assert "waits for a person" not in out
    _, out, _ = run("messages", "swing")
    assert out.splitlines() == ["swing: nothing waits for a person."]
