"""The report of a trial with declared looks says that they were made, and what they say of the end."""

from datetime import date

import pytest

from equipoise.findings.results import Finding, Findings, SeenByArm
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.study import Study
from equipoise.report import looks, summary
from equipoise.report.names import Names
from equipoise.report.results import Results

PROTOCOL = Protocol.model_validate(
    {
        "equipoise": 1,
        "study": {"id": "x", "title": "X", "kind": "trial", "question": "Does it help?"},
        "arms": {"control": {}, "texts": {}},
        "outcomes": {"mood": {"column": "mood", "role": "primary", "label": "Mood"}},
        "looks": [{"at": "0.5 of answers"}],
    }
)
EFFECT = Finding(
    id="effect.mood.texts - control", analysis="effect", kind="effect", outcome="mood", contrast="texts - control",
    tier="primary", estimate=1.0, std_error=0.5, interval={"level": 0.95, "low": 0, "high": 2},
)  # fmt: skip
POWER = EFFECT.model_copy(
    update={
        "id": f"{EFFECT.id}.conditional-power.trend",
        "kind": "rate",
        "estimate": 0.634,
        "std_error": None,
        "interval": None,
        "model": "conditional power under the trend so far, if the answers left come as declared",
    }
)


@pytest.fixture
def study(tmp_path):
    return Study(folder=tmp_path, protocol=PROTOCOL)


def findings(*found, declared=True):
    seen = SeenByArm(
        on=date(2021, 4, 20), kind="export", answered=140, asked=420, declared=declared, sealed=False
    )
    return Findings(
        study="x", protocol_hash="a", locked="2021-02-01T09:00:00+00:00", data_hash="b", data_source="collected",
        code_version="1", analysis_seed="c", looks=(seen,), findings=found,
    )  # fmt: skip


def test_the_first_screen_tells_of_a_declared_look_and_that_the_analysis_is_interim(study):
    told = " ".join(summary.banners(study, findings(EFFECT, POWER)))
    assert (
        "on 20 April 2021, as the protocol declares, when 140 of 420 had answered. Tests allow for it" in told
    )
    assert "An interim analysis: the trial goes on" in told


def test_the_final_analysis_is_not_called_interim(study):
    told = " ".join(summary.banners(study, findings(EFFECT)))
    assert "as the protocol declares" in told
    assert "interim" not in told


def test_an_undeclared_look_is_told_as_one(study):
    told = " ".join(summary.banners(study, findings(EFFECT, declared=False)))
    assert "The protocol does not declare this look" in told
    assert "as the protocol declares" not in told


def test_conditional_power_is_in_a_table_and_nowhere_among_the_effects(study):
    results = Results.of_study(study, findings(EFFECT, POWER))
    table = looks.table(results, Names(PROTOCOL))
    assert [cell.text for cell in table.rows[0]] == [
        "Mood, texts against control",
        "the trend so far, if the answers left come as declared",
        "63%",
    ]
    assert results.main == [EFFECT]
    assert looks.table(Results.of_study(study, findings(EFFECT)), Names(PROTOCOL)) is None
