"""How a report tells that people were minimised."""

from equipoise.protocol import load_study
from equipoise.report.facts import design
from equipoise.report.names import Names

PROTOCOL = """\
equipoise: 1
study: {id: small, title: A trial, kind: trial, question: Does it work?, launch: 2021-03-01 09:00}
participants:
  roster:
    ref: {type: text, role: identifier}
    site: {type: category, label: Site of work}
    grade: {type: category}
arms: {control: {}, texts: {}}
allocation: {method: minimised, balance: {site: 2, grade: 1}, biased-coin: 0.75, when: launch}
outcomes:
  score: {column: score, role: primary, good: high}
analyses:
  effect: {outcomes: [score], contrast: texts - control, missing: none}
"""


def test_the_factors_their_weights_and_the_rule_are_told(tmp_path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "protocol.yaml").write_text(PROTOCOL)
    study = load_study(folder)
    told = dict(design(study, Names(study.protocol)).rows)["Allocation"]
    assert (
        "minimisation with a random element (Site of work (weight 2), Grade (weight 1); imbalance by the "
        "range, probability of the best arm 0.75); drawn at launch"
    ) in told
