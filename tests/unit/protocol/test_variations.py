"""Another design is this protocol with some of it changed; what was left to the design is chosen anew."""

from equipoise.protocol import load_study
from equipoise.protocol.canonical import plain
from equipoise.protocol.models.variations import Variation
from equipoise.protocol.variations import varied

DESIGNS = """\
  designs:
    more-people: {people: 3000}
    no-before: {response: {before: 0}}
    two-to-one: {ratio: {control: 1, texts: 2}, strata: none}
    only-wellbeing: {label: Only wellbeing, outcomes: wellbeing}
progression:
"""


def designs(small):
    protocol = small / "protocol.yaml"
    text = protocol.read_text("utf-8")
    text = text.replace("waves: [after], role", "waves: [before, after], role", 1)
    protocol.write_text(text.replace("progression:\n", DESIGNS, 1), "utf-8")
    study = load_study(small)
    return study, {name: varied(study, v).protocol for name, v in study.protocol.diagnosis.designs.items()}


def test_each_design_differs_from_the_protocol_in_what_it_says_and_in_what_follows(small):
    study, found = designs(small)
    assert study.protocol.analyses["effect"].adjust == ("before", "strata")
    assert found["more-people"].participants.expected == 3000
    assert found["more-people"].analyses == study.protocol.analyses
    assert found["no-before"].analyses["effect"].adjust == ("strata",)
    assert found["no-before"].diagnosis.assume.response.waves == {"before": 0.0, "after": 0.3}
    assert found["two-to-one"].analyses["effect"].model == "lin-interacted"
    assert found["two-to-one"].analyses["effect"].adjust == ("before",)
    assert found["two-to-one"].allocation["main"].method == "complete"
    assert found["only-wellbeing"].analyses["effect"].outcomes == ("wellbeing",)
    assert [step.claims for step in found["only-wellbeing"].testing] == [("wellbeing",)]


def test_variations_add_up_and_a_later_one_goes_first(small):
    study, _ = designs(small)
    both = varied(study, Variation(people=500, strata=()), Variation(people=800)).protocol
    assert both.participants.expected == 800
    assert both.allocation["main"].strata == ()


def test_no_variation_is_the_protocol_itself(small):
    study, _ = designs(small)
    assert plain(varied(study).protocol) == plain(study.protocol)
