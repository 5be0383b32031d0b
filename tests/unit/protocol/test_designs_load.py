"""Designs beyond two arms compose from the same words; what cannot be computed yet is said plainly, not guessed."""

from pathlib import Path

import pytest

from equipoise.errors import NotSupportedError
from equipoise.findings.walk import refuse_unsupported
from equipoise.protocol import load_study

HEAD = """\
equipoise: 1
study: {id: design, title: A design, kind: trial, question: Does it work?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    cohort: {type: category, levels: ['2020', '2021']}
    authority: {type: category}
    family: {type: category}
    school: {type: category}
    pair: {type: category}
    age: {type: number}
"""
OUTCOME = "outcomes:\n  score: {column: score, role: primary, good: high}\n"
TWO_ARMS = "arms: {control: {}, messages: {}}\n"

DESIGNS = {
    "unequal by stratum": TWO_ARMS
    + "allocation:\n  strata: [cohort]\n  ratio:\n    - {where: \"cohort == '2021'\", control: 2, messages: 1}\n    - {else: {control: 1, messages: 1}}\n"
    + OUTCOME
    + "analyses: {effect: {contrast: messages - control}}\n",
    "several arms": "arms: {a: {}, b: {}, c: {}}\nallocation: {ratio: {a: 2, b: 1, c: 1}}\n" + OUTCOME + "analyses: {effect: {contrast: each - a}}\n",
    "families within schools": "units: {family: {in: school}}\n" + TWO_ARMS + "allocation: {unit: family, strata: [school], ratio: equal, method: blocked}\n" + OUTCOME + "analyses: {effect: {}}\n",
    "mixed model of clusters": "units: {family: {in: school}}\n" + TWO_ARMS + "allocation: {unit: family, ratio: equal}\n" + OUTCOME + "analyses: {effect: {model: mixed}}\n",
    "stepped wedge": "arms: {usual: {}, model: {}}\nschedule:\n  periods: {p1: 2020-03-01, p2: p1 + 6 months, p3: p2 + 6 months}\n  sequences: {first: [usual, model, model], second: [usual, usual, model]}\nallocation: {unit: authority, to: sequences, method: complete}\n"
    + OUTCOME
    + "analyses: {effect: {contrast: model - usual}}\n",
    "crossover": "arms: {a: {}, b: {}}\nschedule: {periods: [1, 2], sequences: {ab: [a, b], ba: [b, a]}, washout: 2 weeks}\nallocation: {to: sequences, method: complete}\n"
    + OUTCOME
    + "analyses: {effect: {contrast: a - b}}\n",
    "factorial by stages": "allocation:\n  main: {arms: {control: {}, messages: {}}, ratio: equal, when: launch}\n  incentive: {arms: {none: {}, voucher: {}}, ratio: equal, when: launch}\n"
    + OUTCOME
    + "analyses:\n  effect: {contrast: main.messages - main.control}\n  voucher: {contrast: incentive.voucher - incentive.none}\n  both: {contrast: main x incentive}\n",
    "randomisation test": TWO_ARMS + "allocation: {ratio: equal}\n" + OUTCOME + "analyses: {effect: {test: {by: randomisation, draws: 999}}}\n",
    "interim look": TWO_ARMS + "allocation: {ratio: equal}\n" + OUTCOME + "analyses: {effect: {}}\nlooks: [{at: 0.5 of answers}]\n",
    "encouragement": TWO_ARMS + "allocation: {ratio: equal}\n" + OUTCOME
    + "analyses:\n  effect: {}\n  takers: {target: complier, take-up: visited, assumption: The letter acts only through the visit, supplementary-to: effect}\n",
}  # fmt: skip

LATER = {
    "randomisation test of a mixed model": (
        "units: {family: {in: school}}\n" + TWO_ARMS + "allocation: {unit: family, ratio: equal}\n" + OUTCOME + "analyses: {effect: {model: mixed, test: {by: randomisation, draws: 999}}}\n",
        "randomisation tests with the model mixed",
    ),
}  # fmt: skip

ALIKE = {
    "matched pairs": "allocation: {ratio: equal, method: matched-pairs, pair: pair}\n",
    "minimised": "allocation: {ratio: equal, method: minimised, balance: [cohort], when: enrolled}\n",
    "rerandomised": "allocation: {ratio: equal, method: rerandomised, criterion: {covariates: [age], accept: 0.01}}\n",
}


def folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "design").mkdir()
    (tmp_path / "design" / "protocol.yaml").write_text(HEAD + text, "utf-8")
    return tmp_path / "design"


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_that_can_be_computed_loads(name: str, tmp_path: Path) -> None:
    refuse_unsupported(load_study(folder(tmp_path, DESIGNS[name])))


@pytest.mark.parametrize("name", LATER)
def test_a_design_whose_analysis_comes_later_loads_and_says_so(name: str, tmp_path: Path) -> None:
    text, said = LATER[name]
    study = load_study(folder(tmp_path, text))
    with pytest.raises(NotSupportedError, match="this version cannot yet compute") as refused:
        refuse_unsupported(study)
    assert said in str(refused.value)


@pytest.mark.parametrize("name", ALIKE)
def test_a_method_of_allocation_that_looks_at_people_loads(name: str, tmp_path: Path) -> None:
    text = TWO_ARMS + ALIKE[name] + OUTCOME + "analyses: {effect: {}}\n"
    assert load_study(folder(tmp_path, text)).protocol.allocation["main"].method in name.replace(" ", "-")


def test_the_design_chooses_the_model_and_writes_it_out(tmp_path: Path) -> None:
    plan = load_study(folder(tmp_path, DESIGNS["several arms"])).protocol.analyses["effect"]
    assert (plan.model, plan.variance, plan.contrast) == ("lin-interacted", "HC2", ("b - a", "c - a"))


def test_clusters_get_clustered_errors_by_default(tmp_path: Path) -> None:
    plan = load_study(folder(tmp_path, DESIGNS["families within schools"])).protocol.analyses["effect"]
    assert (plan.variance, plan.cluster, plan.average_over) == ("CR2", "family", "people")
