"""Effects drawn towards each other where the protocol asks: beside the effects, never in their place."""

import numpy as np
import pytest

from equipoise.errors import ProtocolError
from equipoise.estimation.meaning.shrinkage import shrunk_effects
from equipoise.estimation.several.dunnett import shared_control_loadings
from equipoise.estimation.synthesis.random_effects import shared_arm_covariance
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study
from equipoise.report.names import Names
from equipoise.report.words import sentence

REST = "  rest: {outcomes: [score, days, passed], contrast: texts - control, adjust: none, at: after, missing: none}"
BY = "  effect: {outcomes: score, contrast: texts - control, adjust: none, at: after, by: site, shrink: true}\n"
ARMS = "  effect: {outcomes: score, contrast: each - control, adjust: none, at: after, missing: none, shrink: true}\n"


def found(folder, people, tmp_path, analyses: str, arms: tuple[str, ...] = ()) -> Findings:
    made = folder(analyses + REST)
    text = (made / "protocol.yaml").read_text()
    for arm in arms:
        text = text.replace("calls: {}", f"calls: {{}}, {arm}: {{}}").replace(
            "calls: 1", f"calls: 1, {arm}: 1"
        )
    (made / "protocol.yaml").write_text(text)
    people.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(made)
    return analyse(study, read_data(study, tmp_path / "data.csv"))


def test_the_levels_of_a_category_are_shrunk_as_independent_effects(folder, people, tmp_path):
    results = found(folder, people, tmp_path, BY)
    stem = "effect.score.after.texts - control.site="
    own = [results.find(f"{stem}{site}") for site in ("north", "south", "west")]
    shrunk = [results.find(f"{stem}{site}.shrunk") for site in ("north", "south", "west")]
    expected = shrunk_effects([one.estimate for one in own], [one.std_error for one in own])
    assert [one.estimate for one in shrunk] == pytest.approx(expected.estimates.tolist())
    assert [one.std_error for one in shrunk] == pytest.approx(expected.std_errors.tolist())
    assert np.ptp([one.estimate for one in shrunk]) < np.ptp([one.estimate for one in own])
    assert {one.p_value for one in shrunk} == {None}
    assert f"{expected.kept[0]:.0%} of this one's own estimate is kept" in shrunk[0].model


def test_arms_against_one_control_are_shrunk_with_what_the_control_makes_them_share(folder, people, tmp_path):
    rng, more = np.random.default_rng(7), ("posts", "visits")
    arms = np.array(["control", "texts", "calls", *more])
    wide = people.assign(arm=arms[rng.integers(0, 5, len(people))])
    results = found(folder, wide, tmp_path, ARMS, more)
    own = [results.find(f"effect.score.after.{arm} - control") for arm in arms[1:]]
    shrunk = [results.find(f"{one.id}.shrunk") for one in own]
    errors = np.array([one.std_error for one in own])
    loadings = shared_control_loadings(
        [one.n[arm] for one, arm in zip(own, arms[1:], strict=True)], own[0].n["control"]
    )
    expected = shrunk_effects(
        [one.estimate for one in own],
        errors,
        covariance=shared_arm_covariance(errors**2, loadings, ["a"] * 4),
    )
    assert [one.estimate for one in shrunk] == pytest.approx(expected.estimates.tolist())
    assert [one.interval.high for one in shrunk] == pytest.approx(expected.high.tolist())
    assert {one.decision for one in shrunk} == {"none"}
    study = load_study(folder(BY + REST))
    assert "drawn towards the average of the effects of this analysis" in sentence(
        shrunk[0], Names(study.protocol, study.explore)
    )


def test_levels_of_which_too_few_can_be_estimated_are_not_shrunk(folder, people, tmp_path):
    few = people[(people["site"] == "north") | (people["arm"] != "texts")]
    shrunk = found(folder, few, tmp_path, BY).find("effect.score.after.texts - control.site=north.shrunk")
    assert "1 effects can be estimated, and 3 are needed" in str(shrunk.not_estimable)


@pytest.mark.parametrize(
    ("analyses", "why"),
    [
        (BY.replace("by: site, ", ""), "this analysis has neither"),
        (BY.replace("by: site", "by: age"), "by age there are no levels of a category"),
        (BY.replace("by: site", "by: site, cluster: team, variance: CR2"), r"of people of clusters \(team\)"),
    ],
)
def test_what_cannot_be_shrunk_is_refused(folder, analyses, why):
    with pytest.raises(ProtocolError, match=why):
        load_study(folder(analyses + REST))
