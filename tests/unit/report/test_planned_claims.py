"""The report prints the planned order of claims and the declared looks in words."""

import pytest

from equipoise.protocol.models.analyses import TestStep
from equipoise.protocol.models.protocol import Protocol
from equipoise.report.claims import looks_told, order
from equipoise.report.names import Names


def planned(testing, looks=()):
    return Protocol.model_validate(
        {
            "equipoise": 1,
            "study": {"id": "x", "title": "X", "kind": "trial", "question": "Does it help?"},
            "waves": {
                "after": {"survey": "s", "opens": "launch", "closes": "launch + 1 week", "label": "After"}
            },
            "outcomes": {
                "mood": {"column": "mood", "waves": ["after"], "label": "Mood"},
                "days": {"column": "days", "waves": ["after"], "label": "Days off sick"},
            },
            "analyses": {"effect": {"label": "As randomised"}},
            "testing": testing,
            "looks": looks,
        }
    )


def told(protocol):
    return dict(order(protocol, Names(protocol)).rows)


def test_each_step_names_its_claims_its_rate_and_how_they_share_it():
    steps = [
        {"claims": ["mood"], "alpha": 0.05},
        {"then": ["days.after", "effect.days"], "alpha": 0.025, "method": "hommel"},
    ]
    assert told(planned(steps)) == {
        "Step 1": "Mood: 5%",
        "Step 2": "Days off sick (After), Days off sick (As randomised): 2.5%, shared by Hommel; only if every "
        "claim before was made",
        "Interim looks": "None is declared: results by arm are looked at once, at the end.",
    }


def test_declared_looks_are_told_with_how_they_spend():
    looks = [{"at": "0.3 of answers", "spend": "pocock"}, {"at": "0.6 of answers", "spend": "pocock"}]
    said = looks_told(planned([{"claims": ["mood"]}], looks))
    assert said.startswith("At 30% and 60% of the answers.")
    assert said.endswith("that is like Pocock.")


@pytest.mark.parametrize(
    "method", [one for one in TestStep.model_fields["method"].annotation.__args__ if one != "none"]
)
def test_every_method_of_the_language_has_its_words(method):
    said = told(planned([{"claims": ["mood", "days"], "method": method}]))["Step 1"]
    assert "shared by" in said


def test_a_study_that_claims_nothing_has_no_order():
    protocol = planned([])
    assert order(protocol, Names(protocol)) is None
