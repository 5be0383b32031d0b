"""Looks at results by arm: which acts are one, what is kept, and that a late one is none."""

from datetime import UTC, datetime

import pytest

from equipoise.errors import InputError
from equipoise.findings import analyse, read_data
from equipoise.platform.approvals.actions import Rehearsal, ask, decide
from equipoise.platform.approvals.acts import UNMASK
from equipoise.platform.audit.models import Entry
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.exporting import export_study
from equipoise.platform.review.looks import final_analysis, tell_look
from equipoise.platform.review.models import Look
from equipoise.platform.review.queries import looks_said
from equipoise.platform.review.sealing import seal_results

LOOK = "/office/studies/swing/data/review/look"


@pytest.mark.django_db(transaction=True)
def test_named_data_before_the_last_wave_has_closed_are_a_look_and_after_it_are_none(
    closed, alice, at, tmp_path
):
    assert final_analysis(closed.study) == datetime(2021, 5, 24, 8, tzinfo=UTC)
    export_study(alice, closed.study, tmp_path / "masked")
    assert not Look.objects.exists()
    seal_results(alice, closed.study, "Looked through without the arms")
    closed.study.refresh_from_db()
    decide(Rehearsal(), ask(alice, closed.study, UNMASK, reason="We end early"), "approve", "Seen")
    closed.study.refresh_from_db()
    export_study(alice, closed.study, tmp_path / "early")
    answered = closed.data.participants["answered_after"].drop_nulls().len()
    assert [look.kind for look in Look.objects.order_by("pk")] == ["unmasked", "export"]
    for look in Look.objects.all():
        assert (look.declared, look.sealed, look.answered, look.asked) == (False, True, answered, 160)
    assert Entry.objects.filter(verb="results.look").count() == 2
    assert looks_said(closed.study)[0]["on"] == "2021-02-10"
    at(datetime(2021, 5, 24, 8, tzinfo=UTC))
    export_study(alice, closed.study, tmp_path / "late")
    assert Look.objects.count() == 2
    loaded = folder_of(closed.study)
    found = analyse(loaded, read_data(loaded, tmp_path / "late"))
    assert (found.sealed, len(found.looks)) == (True, 2)
    warned = found.find("effect.wellbeing.after.messages - control").warnings
    assert len([one for one in warned if "error rate no longer holds" in one]) == 1


@pytest.mark.django_db
def test_somebody_who_was_told_results_says_so_and_it_is_in_the_list(franks_desk, people):
    franks_desk.act(LOOK, seen="Wellbeing by arm, by the monitoring committee", on="2021-02-01")
    franks_desk.follow()
    assert "Wellbeing by arm, by the monitoring committee" in franks_desk.text
    look = Look.objects.get()
    assert (look.kind, look.sealed, look.answered, look.asked) == ("told", False, 0, 12)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seen", "on", "told"),
    [
        (" ", "2021-02-01", "say what was seen"),
        ("All of it", "2021-02-30", "not a day that has come"),
        ("All of it", "2021-02-11", "not a day that has come"),
        ("x" * 301, "2021-02-01", "300 characters at most"),
    ],
)
def test_a_look_that_cannot_be_is_refused(frank, people, swing, seen, on, told):
    with pytest.raises(InputError, match=told):
        tell_look(frank, swing, seen, on)
    assert not Look.objects.exists()


def declared(folder):
    path = folder / "protocol.yaml"
    path.write_text(
        path.read_text("utf-8") + "\nlooks: [{at: 0.5 of answers, spend: obrien-fleming}]\n", "utf-8"
    )


@pytest.mark.django_db
def test_as_many_looks_are_declared_as_the_protocol_foresees(add_example, alice):
    study = add_example("swing", declared)
    for day in ("2021-02-01", "2021-02-02"):
        tell_look(alice, study, "Wellbeing by arm", day)
    assert [look["declared"] for look in looks_said(study)] == [True, False]
