"""What a good statistician would say beside an effect is said, and is not said where nothing is amiss."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.findings import analyse, read_data
from equipoise.instruments.library import load
from equipoise.protocol import load_study
from equipoise.report import detail
from equipoise.report.names import Names
from equipoise.report.results import Results

PLAIN = "  effect: {contrast: texts - control, adjust: none, model: linear, at: after}"
BEFORE = "  effect: {contrast: texts - control, adjust: [age], model: linear, at: after}"
CLUSTERED = "  effect: {contrast: texts - control, adjust: none, model: linear, cluster: team, at: after}"
SWING = Path(__file__).parents[3] / "examples" / "hhp2" / "swing"
ITEMS = [f"cbi.{key}" for key in load("cbi").scores["work"].items]
ASSUMED = "diagnosis: {assume: {score: {mean: 50, sd: SD, effect: EFFECT}, response: {after: RESPONSE}}}\n"


@pytest.fixture
def warnings(folder, tmp_path):
    """A function that gives everything said beside the effect on an outcome."""

    def said(frame, analyses=PLAIN, outcome="score", more=""):
        path = folder(analyses)
        (path / "protocol.yaml").write_text((path / "protocol.yaml").read_text() + more)
        frame.to_csv(tmp_path / "data.csv", index=False)
        study = load_study(path)
        found = analyse(study, read_data(study, tmp_path / "data.csv"))
        return " | ".join(found.find(f"effect.{outcome}.after.texts - control").warnings)

    return said


def assumed(sd=11.7, effect=3, response=0.75):
    text = ASSUMED.replace("SD", str(sd)).replace("EFFECT", str(effect))
    return text.replace("RESPONSE", str(response))


def test_a_trial_that_came_as_planned_gets_no_caution(warnings, people):
    assert warnings(people, BEFORE, more=assumed()) == ""
    assert warnings(people, PLAIN, "passed") == ""


def test_few_clusters_are_counted_by_arm_and_many_are_not(warnings, people):
    few = people.assign(team=people["arm"] + people.index.map(lambda row: str(row % 4)))
    assert "few clusters (control 4, texts 4)" in warnings(few, CLUSTERED)
    assert "few clusters" not in warnings(people, CLUSTERED)


def test_an_arm_of_a_handful_is_told_of(warnings, people):
    texts = people.index[people["arm"] == "texts"]
    small = people.copy()
    small.loc[texts[6:], "score"] = np.nan
    assert "people of texts are analysed; one of them could turn the result" in warnings(small)


def test_an_answer_that_nobody_gave_and_one_that_few_gave(warnings, people):
    never = people.assign(passed=people["passed"].where(people["arm"] != "texts", 0))
    assert "nobody of texts said yes" in warnings(never, outcome="passed")
    rare = never.copy()
    rare.loc[never.index[never["arm"] == "texts"][:3], "passed"] = 1
    assert "only 3 of" in warnings(rare, outcome="passed")


def test_a_person_far_from_all_others_in_a_covariate_is_told_of(warnings, people):
    rng = np.random.default_rng(2)
    young = people.assign(age=40 + rng.normal(0, 0.01, len(people)))
    young.loc[people.index[people["score"].notna()][0], "age"] = 90.0
    assert "1 person makes most of their own fitted value (largest leverage" in warnings(young, BEFORE)


def test_a_wave_that_opened_late_and_answers_after_its_close(warnings, people):
    moments = pd.date_range("2021-05-10T09:00:00Z", periods=len(people), freq="h")
    timed = people.assign(answered_after=moments.strftime("%Y-%m-%dT%H:%M:%S+00:00"))
    said = warnings(timed)
    assert "the first answer came 14 days after the planned opening: the wave was opened late" in said
    closes = pd.Timestamp("2021-05-24T09:00:00+01:00")  # as the launch, which is sent at nine
    after = int((moments >= closes).sum())
    assert f"analysed with {after} answers that came after the planned close of the wave" in said
    prompt = pd.date_range("2021-04-26T09:00:00Z", periods=len(people), freq="h")
    said = warnings(people.assign(answered_after=prompt.strftime("%Y-%m-%dT%H:%M:%S+00:00")))
    assert "opened late" not in said
    assert "planned close" not in said


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        (assumed(sd=6), "the outcome spreads more than the design assumed (SD 12.2, assumed 6)"),
        (assumed(sd=20), "the outcome spreads less than the design assumed"),
        (assumed(response=0.9), "of those randomised have this outcome; the design assumed 90%"),
        (assumed(effect=-12), "the interval does not hold the effect that the design assumed (-12)"),
    ],
)
def test_what_came_otherwise_than_the_design_assumed_is_told_of(warnings, people, design, expected):
    assert expected in warnings(people, more=design)


@pytest.fixture
def burnout(tmp_path):
    """A function that gives what is said beside the effect on burnout, from people's answers to its items."""

    def said(answers):
        rng, n = np.random.default_rng(8), len(answers)
        people = pd.DataFrame({"staff_ref": [f"T{row:03}" for row in range(n)]})
        people["arm"] = np.where(rng.random(n) < 0.5, "messages", "control")
        people["cohort"] = np.where(rng.random(n) < 0.5, "2020", "2021")
        people["region"] = np.array(["north", "midlands", "east", "south"])[rng.integers(0, 4, n)]
        place = tmp_path / "data"
        place.mkdir(exist_ok=True)
        people.to_csv(place / "participants.csv", index=False)
        given = pd.DataFrame(answers, columns=ITEMS).assign(staff_ref=people["staff_ref"])
        given.to_csv(place / "answers_after.csv", index=False)
        study = load_study(SWING)
        found = analyse(study, read_data(study, place))
        return " | ".join(found.find("unadjusted.burnout").warnings)

    return said


def test_items_that_do_not_hang_together_are_told_of_and_those_that_do_are_not(burnout):
    rng = np.random.default_rng(5)
    noise = rng.integers(1, 6, (200, len(ITEMS)))
    assert "below 0.7: noise widens the interval" in burnout(noise)
    trait = rng.integers(1, 6, (200, 1))
    together = np.clip(trait + rng.integers(-1, 2, (200, len(ITEMS))), 1, 5)
    together[:, -1] = 6 - together[:, -1]  # the item that counts the other way
    assert "reliability" not in burnout(together)


def test_an_item_that_was_not_turned_round_goes_against_the_rest(burnout, tmp_path):
    rng = np.random.default_rng(7)
    trait = rng.integers(1, 6, (200, 1))
    turned = np.clip(trait + rng.integers(-1, 2, (200, len(ITEMS))), 1, 5)
    burnout(turned)  # the last item should count the other way, and does not
    study = load_study(SWING)
    found = analyse(study, read_data(study, tmp_path / "data"))
    told = found.find("reliability.burnout.after").warnings
    assert any("answers to energy_for_family go against the rest of the score" in one for one in told)
    assert any("without its reversed items the score hangs together better" in one for one in told)
    table = detail.reliability(Results.of_study(study, found), Names(study.protocol))
    assert any(note.startswith("Work-related burnout, After the texts: answers to") for note in table.notes)


def test_people_who_gave_one_answer_to_everything_are_counted_and_kept(burnout):
    rng = np.random.default_rng(6)
    answers = rng.integers(1, 6, (200, len(ITEMS)))
    assert "gave the same answer to every item" not in burnout(answers)
    answers[:50] = answers[:50, :1]
    assert "25% of those scored gave the same answer to every item, reversed ones included" in burnout(
        answers
    )
