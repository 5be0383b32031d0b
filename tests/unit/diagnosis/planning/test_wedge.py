"""A stepped wedge of constant effect has a closed form beside it; other sequences have none."""

import numpy as np
import pytest

from equipoise.diagnosis.claims import claims_of
from equipoise.diagnosis.formulas import error_in_wedge
from equipoise.diagnosis.planning.closed import closed_form


def wedge(protocol, survey):
    """Ten teams of thirty people, another ten in each of three periods; half go over after the first."""
    protocol["schedule"] = {
        "periods": {"p1": "launch", "p2": "p1 + 8 weeks", "p3": "p2 + 8 weeks"},
        "sequences": {"early": ["control", "offer", "offer"], "late": ["control", "control", "offer"]},
        "effect": "constant",
    }
    del protocol["waves"]["before"]
    protocol["participants"]["expected"] = 300
    protocol["participants"]["roster"]["team"] = {"type": "text"}
    protocol["units"] = {"team": {"icc": 0.05, "people": 30}}
    protocol["allocation"] = {"to": "sequences", "method": "complete", "unit": "team"}
    protocol["outcomes"] = {"score": {"column": "score", "role": "primary", "good": "high"}}
    protocol["analyses"] = {"effect": {"contrast": "offer - control"}}
    protocol["diagnosis"]["assume"] = {"score": {"mean": 50, "sd": 10, "effect": 6}, "uptake": 0.5}


def test_it_is_that_of_hussey_and_hughes(build):
    study = build(wedge)
    (claim,) = claims_of(study)
    found = closed_form(study, claim)
    switched = np.repeat([[0, 1, 1], [0, 0, 1]], 5, axis=0)
    assert found.std_error == pytest.approx(error_in_wedge(switched, 10, 10.0, 0.05), rel=1e-12)
    assert found.difference == 3.0
    assert found.people == pytest.approx((150, 150))
    assert found.formula.endswith("(Hussey & Hughes 2007)")


def test_an_effect_that_may_change_with_exposure_has_none(build):
    def change(protocol, survey):
        wedge(protocol, survey)
        del protocol["schedule"]["effect"]

    study = build(change)
    assert closed_form(study, claims_of(study)[0]) is None
