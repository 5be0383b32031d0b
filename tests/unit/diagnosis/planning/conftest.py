"""Trials whose estimates are normal with the closed form's error: what planning is asked of, in no time."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from equipoise.diagnosis.claims import claims_of
from equipoise.diagnosis.performance import Sums, performance_of
from equipoise.diagnosis.planning.closed import closed_form
from equipoise.diagnosis.planning.trying import Tried
from equipoise.diagnosis.trials import Trials


@dataclass
class NormalTrials:
    """Tries a design by its formulas; remembers what it was asked to try. Every test stands alone."""

    simulations: int = 4000
    seed: int = 1
    asked: list = field(default_factory=list)

    def __call__(self, study, scenario):
        self.asked.append((study, scenario))
        study = scenario.applied(study)
        claims = claims_of(study)
        forms = [closed_form(study, claim, scenario.people) for claim in claims]
        noise = np.random.default_rng(self.seed).standard_normal((self.simulations, len(claims)))
        truth, error = (
            np.array([getattr(form, key) for form in forms]) for key in ("difference", "std_error")
        )
        estimate = truth + error * noise
        rejected = np.abs(estimate / error) > 1.959964
        wide = np.broadcast_to(error, estimate.shape)
        people = np.broadcast_to([sum(form.people) for form in forms], estimate.shape)
        trials = Trials(
            claims, estimate, wide, estimate - 1.96 * wide, estimate + 1.96 * wide,
            np.ones_like(estimate), rejected, people, truth,
        )  # fmt: skip
        return Tried(performance_of(Sums.of(trials)), rejected)


@pytest.fixture
def trying():
    """Four thousand normal trials."""
    return NormalTrials()


@pytest.fixture(scope="session")
def planned(build):
    """A study of 400 people with other designs and costs."""

    def change(protocol, survey):
        protocol["participants"]["expected"] = 400
        protocol["outcomes"]["motivation"] |= {"waves": ["before", "after"], "margin": 0.3}
        protocol["diagnosis"]["assume"]["motivation"]["effect"] = 0.4
        protocol["diagnosis"]["assume"]["uptake"] = 1.0
        protocol["diagnosis"] |= {
            "costs": {"fixed": 500, "person": 5, "wave": 2, "answer": 1},
            "designs": {
                "more-people": {"people": 800},
                "no-before": {"label": "Nobody asked before", "response": {"before": 0}},
            },
        }

    return build(change)
