"""What a trial of this size could have found: by the planning SD, and for clusters by their planned likeness."""

import pytest

from equipoise.diagnosis.formulas import detectable_difference
from equipoise.findings.results import Finding
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.study import Study
from equipoise.report import detectable
from equipoise.report.names import Names
from equipoise.report.numbers import number

FOUND = Finding(
    id="effect.mood.texts - control", analysis="effect", kind="effect", outcome="mood", tier="primary",
    n={"control": 60, "texts": 60}, n_randomised={"control": 120, "texts": 120},
)  # fmt: skip


def said(tmp_path, unit="participant", found=FOUND, **team):
    protocol = Protocol.model_validate(
        {
            "equipoise": 1,
            "study": {"id": "x", "title": "X", "kind": "trial", "question": "Does it help?"},
            "units": {"team": team},
            "arms": {"control": {}, "texts": {}},
            "allocation": {"unit": unit, "ratio": "equal"},
            "outcomes": {"mood": {"column": "mood", "role": "primary"}},
            "diagnosis": {"assume": {"mood": {"mean": 20, "sd": 4}}},
        }
    )
    return detectable.sentence(Study(folder=tmp_path, protocol=protocol), [found], Names(protocol))


def test_people_drawn_one_by_one_by_the_planning_sd(tmp_path) -> None:
    everybody, those = (number(detectable_difference(people, 4.0), 2) for people in ((120, 120), (60, 60)))
    told = said(tmp_path)
    assert f"of {everybody} points with 80% power" in told
    assert f"of {those} with those who did" in told


def test_clusters_by_the_design_effect_of_those_who_answered(tmp_path) -> None:
    told = said(tmp_path, "team", icc=0.05, people=21)
    everybody = detectable_difference((120, 120), 4.0) * 2**0.5  # 1 + 20 x 0.05
    those = detectable_difference((60, 60), 4.0) * (1 + 9.5 * 0.05) ** 0.5
    assert f"of {number(everybody, 2)} points" in told
    assert f"of {number(those, 2)} with those who did" in told
    assert "planned ICC" in told


@pytest.mark.parametrize("team", [{}, {"people": 21}])
def test_clusters_whose_likeness_was_not_planned_get_no_number_rather_than_a_wrong_one(
    tmp_path, team
) -> None:
    assert said(tmp_path, "team", **team) is None
