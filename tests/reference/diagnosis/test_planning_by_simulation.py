"""What is asked of simulated trials comes out as the closed forms say, within its own Monte-Carlo error."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from equipoise.diagnosis.formulas import difference_found_at, error_in_clusters, error_of_means
from equipoise.diagnosis.planning.beside import formulas_beside
from equipoise.diagnosis.planning.comparison import compare_designs
from equipoise.diagnosis.planning.smallest import detectable_effects, needed_people
from equipoise.diagnosis.planning.trying import Tries
from equipoise.diagnosis.scenario import Scenario
from equipoise.protocol.folder import load_study

ROSTER = {
    "ref": {"type": "text", "role": "identifier"},
    "team": {"type": "category", "levels": [f"t{number:02d}" for number in range(40)]},
}


def study(folder: Path, expected=200, more=None, **assume):
    """A trial of one number from a column; its score before from another."""
    protocol = {
        "equipoise": 1,
        "study": {"id": "columns", "kind": "trial", "title": "T", "question": "Q?", "launch": "2027-03-01"},
        "participants": {"expected": expected, "roster": ROSTER},
        "arms": {"control": {}, "offer": {}},
        "allocation": {"ratio": {"control": 1, "offer": 1}},
        "outcomes": {"y": {"column": "y", "role": "primary", "good": "high", "margin": 0.2}},
        "analyses": {"effect": {"contrast": "offer - control"}},
        "diagnosis": {"assume": {"y": {"mean": 0, "sd": 1, "effect": 0.4, **assume}}},
    }
    for key, value in (more or {}).items():
        protocol[key] = protocol[key] | value if isinstance(protocol.get(key), dict) else value
    folder.mkdir(exist_ok=True)
    (folder / "protocol.yaml").write_text(yaml.safe_dump(protocol, sort_keys=False), "utf-8")
    return load_study(folder)


def test_the_detectable_effect_of_two_samples_is_that_of_the_formula(tmp_path):
    (found,) = detectable_effects(study(tmp_path), Tries(2000, 1))
    formula = difference_found_at(0.8, error_of_means((100, 100), 1.0), 198)
    assert abs(found.value - formula) < 3.5 * found.mc_error
    assert found.mc_error < 0.02 * formula


def test_the_people_needed_in_two_samples_are_those_of_the_formula(tmp_path):
    # power.t.test(delta = 0.4, power = 0.8) of R asks for 99.08 in each arm
    (found,) = needed_people(study(tmp_path, expected=100), Tries(1500, 1))
    assert abs(found.value - 198.2) < 3.5 * found.mc_error + 1


def test_the_detectable_effect_of_clusters_is_that_of_the_design_effect(tmp_path):
    clustered = study(
        tmp_path,
        expected=400,
        more={"units": {"team": {"icc": 0.1}}, "allocation": {"unit": "team"}},
    )
    (found,) = detectable_effects(clustered, Tries(1000, 1))
    error = error_in_clusters(error_of_means((200, 200), 1.0), 0.1, 10, 0.31)  # people fall into teams by lot
    formula = difference_found_at(0.8, error, 38)
    assert found.value == pytest.approx(formula, abs=4 * found.mc_error + 0.01 * formula)


def test_spread_and_power_lie_within_monte_carlo_error_of_their_formulas(tmp_path):
    own = study(tmp_path)
    (found,) = formulas_beside(own, Tries(4000, 2)(own, Scenario()).performance)
    assert found.closed.people == (100, 100)
    assert abs(found.error_distance) < 3.5
    assert abs(found.power_distance) < 3.5


def test_designs_that_share_their_chance_differ_by_less_than_chance(tmp_path):
    more = {"diagnosis": {"designs": {"a-few-more": {"people": 210}, "the-same": {"people": 200}}}}
    base = study(tmp_path)
    assume = {"assume": base.protocol.diagnosis.assume.model_dump(mode="json", by_alias=True)}
    found = compare_designs(study(tmp_path, more={"diagnosis": more["diagnosis"] | assume}), Tries(2000, 1))
    (claim,) = found.claims
    assert claim.gain["the-same"].value == 0
    assert claim.gain["the-same"].mc_error == 0
    assert np.isfinite(claim.gain["a-few-more"].mc_error)


def test_the_same_seed_gives_the_same_figures(tmp_path):
    own = study(tmp_path)
    first, again = (Tries(300, 7)(own, Scenario()) for _ in range(2))
    assert first.performance == again.performance
    assert (first.rejected == again.rejected).all()
