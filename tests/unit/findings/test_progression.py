"""Rules for going on: the measure, its zone, and the probability of each zone."""

import pytest
from scipy import stats

from equipoise.findings import analyse, read_data
from equipoise.protocol import load_study
from equipoise.report import progression
from equipoise.report.names import Names

RULES = """\
progression:
  reach: {measure: {share: "days >= 3", of: participants}, green: ">= 0.35", amber: ">= 0.3"}
  drop: {measure: {share: "days >= 3", of: participants}, green: "<= 0.3"}
  days: {measure: {mean: "days", of: participants}, green: ">= 1"}
"""


@pytest.fixture
def study_and_findings(folder, people, tmp_path):
    path = folder()
    (path / "protocol.yaml").write_text((path / "protocol.yaml").read_text() + RULES)
    people.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(path)
    return study, analyse(study, read_data(study, tmp_path / "data.csv"))


def test_the_probability_of_a_zone_is_that_of_the_beta_distribution_after_jeffreys(
    study_and_findings, people
):
    found = study_and_findings[1]
    yes, n = int((people["days"] >= 3).sum()), len(people)
    known = stats.beta(yes + 0.5, n - yes + 0.5)
    chances = {zone: found.find(f"progression.reach.{zone}").estimate for zone in ("green", "amber", "red")}
    assert chances["green"] == pytest.approx(known.sf(0.35), rel=1e-9)
    assert chances["amber"] == pytest.approx(known.cdf(0.35) - known.cdf(0.3), rel=1e-9)
    assert chances["red"] == pytest.approx(known.cdf(0.3), rel=1e-9)
    assert "Jeffreys" in found.find("progression.reach.green").model


def test_a_rule_that_looks_downwards_and_has_no_amber(study_and_findings, people):
    found = study_and_findings[1]
    yes, n = int((people["days"] >= 3).sum()), len(people)
    green = found.find("progression.drop.green").estimate
    assert green == pytest.approx(stats.beta(yes + 0.5, n - yes + 0.5).cdf(0.3), rel=1e-9)
    assert found.find("progression.drop.amber").estimate == 0
    assert found.find("progression.drop.red").estimate == pytest.approx(1 - green, rel=1e-9)


def test_a_mean_has_a_zone_and_no_probability(study_and_findings):
    found = study_and_findings[1]
    assert found.find("progression.days").level == "green"
    assert not [one for one in found if one.id.startswith("progression.days.")]


def test_the_table_of_criteria_prints_the_probabilities_with_their_prior(study_and_findings):
    study, found = study_and_findings
    names = Names(study.protocol)
    table = progression.table(progression.verdicts(study, found, names), names)
    assert "green" in table.rows[0][-1].text
    assert table.rows[2][-1].text == "–"
    assert "Jeffreys" in table.notes[0]
