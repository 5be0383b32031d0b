from dataclasses import replace
from pathlib import Path

from equipoise.protocol import load_study
from equipoise.report.called_off import STOPPED
from equipoise.report.detail import amendments

SWING = Path(__file__).parents[3] / "examples" / "hhp2" / "swing"


def change(day, **said):
    study = load_study(SWING)
    amendment = study.amendments[0].model_copy(update={"date": day, **said})
    table = amendments(replace(study, amendments=(amendment,)))
    return table.rows[0][1].text


def test_an_early_end_says_what_was_no_longer_sent_and_what_else_was_cancelled():
    assert change("2021-04-06", changes=(STOPPED,)) == (
        "Data collection stopped; no longer sent: Weekly text (2 of 8), Invitation: After the texts,"
        " Reminder: After the texts (2 of 2)"
    )
    assert change("2021-05-06", changes=("A further cohort is cancelled",)) == (
        "Data collection stopped; A further cohort is cancelled; no longer sent: Reminder: After the texts (1 of 2)"
    )
    assert change("2021-07-05", changes=()) == "Data collection stopped"
    assert change("2021-04-06", stops=False, changes=("A label",)) == "A label"
