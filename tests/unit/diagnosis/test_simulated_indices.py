"""An index needs no assumption of its own: it is made of simulated parts."""

import numpy as np

from equipoise.diagnosis import simulate_study


def with_index(protocol, survey):
    protocol["outcomes"]["days"]["good"] = "low"
    protocol["outcomes"]["both"] = {"index": ["motivation", "days"], "waves": ["after"]}


def test_a_study_with_an_index_is_simulated_and_analysed(build, analyse):
    study = build(with_index)
    results = analyse(study, simulate_study(study, 5, people=3_000).data)
    (effect,) = (one for one in results if one.outcome == "both" and one.kind == "effect")
    parts = [
        next(one for one in results if one.id == f"effect.{name}.after.offer - control")
        for name in ("motivation", "days")
    ]
    assert effect.estimate > 0
    assert np.sign(parts[0].estimate) == 1
    assert np.sign(parts[1].estimate) == -1
