"""What the report says of people who did not answer: tables, flow, estimand, first lines."""

import pytest

from equipoise.findings.results import Finding, Findings
from equipoise.report import missing, render_study
from equipoise.report.estimand import estimands
from equipoise.report.figures.flow import flow
from equipoise.report.names import Names
from equipoise.report.results import Results

EFFECT = "effect.wellbeing.after.video - control"


def bound(name: str, **given: object) -> dict[str, object]:
    base = {"id": f"{EFFECT}.{name}", "analysis": "effect", "kind": "bound", "outcome": "wellbeing"}
    return base | given


def between(low: float, high: float, level: float | None = None) -> dict[str, object]:
    return {"level": level, "low": low, "high": high}


MISSING = [
    bound("lee", interval=between(-0.4, 1.1), warnings=("uninformative: response differs by 0.8",)),
    bound("principal-stratum", interval=between(-0.2, 0.9)),
    bound("principal-stratum.any-direction", interval=between(-0.6, 1.4)),
    bound("lee.interval", interval=between(-0.9, 1.6, 0.95)),
    bound("imputation.tipping-point.video", arm="video", estimate=-2.1),
    bound("imputation.tipping-point.control", arm="control", estimate=0.4, units="log-odds"),
    bound("tipping-point.control", arm="control", not_estimable="no shift changes the conclusion"),
    {"id": "events.unanswered_after", "analysis": "events", "kind": "count", "outcome": "unanswered_after",
     "estimate": 1541},
    {"id": "events.unanswered_after.video", "analysis": "events", "kind": "count", "arm": "video",
     "outcome": "unanswered_after", "estimate": 774},
    {"id": "events.opted_out.video", "analysis": "events", "kind": "count", "arm": "video",
     "outcome": "opted_out", "estimate": 31},
    {"id": "events.opted_out.answered_after.video", "analysis": "events", "kind": "count", "arm": "video",
     "outcome": "opted_out.answered_after", "estimate": 4},
    {"id": "attrition.after.wellbeing_before.video - control", "analysis": "attrition", "kind": "effect",
     "outcome": "wellbeing_before", "at": "after", "contrast": "video - control",
     "standardised": {"estimate": -0.31, "sd": 1, "sd_source": "both arms"}},
    {"id": "attrition.after.wellbeing_before", "analysis": "attrition", "kind": "test",
     "outcome": "wellbeing_before", "at": "after", "p_value": 0.0312},
    {"id": "attrition.after.together", "analysis": "attrition", "kind": "test", "at": "after",
     "not_estimable": "tests 9 contrasts"},
]  # fmt: skip


@pytest.fixture
def lost(trial):
    """The trial with what is found of missing answers, and an event that the protocol names."""
    study, findings = trial
    protocol = study.protocol.model_copy(update={"events": {"opted_out": "treatment-policy"}})
    whole = (*findings.findings, *(Finding.model_validate(one) for one in MISSING))
    return study.__class__(**{**vars(study), "protocol": protocol}), findings.model_copy(
        update={"findings": whole}
    )


def rows(table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def of(lost) -> tuple[Results, Names]:
    study, findings = lost
    return Results.of_study(study, findings), Names(study.protocol, study.explore)


def test_every_bound_says_what_it_is_and_what_it_means(lost) -> None:
    table = missing.bounds(*of(lost))
    told = {row[1]: (row[2], row[3]) for row in rows(table)}
    lee = "Lee bounds for people who would answer under either arm"
    assert told[lee] == ("−0.40 to 1.10", "assuming the arm moves response one way only")
    assert told[f"{lee}, 95% interval"][1] == "the same, allowing for chance as well"
    stratum = told["Bounds for people to whom the event would happen in neither arm"]
    assert stratum == (
        "−0.20 to 0.90",
        "nobody is seen in both arms; assuming the arm moves the event one way only",
    )
    either = "Bounds for people to whom the event would happen in neither arm, in any direction"
    assert told[either] == (
        "−0.60 to 1.40",
        "the arm may cause the event in some and prevent it in others",
    )
    assert told["Tipping point by imputation, Video of thanks"][0].startswith("−2.1")
    assert told["Tipping point by imputation, Usual communications"][0] == "0.40 log-odds"
    assert told["Tipping point, Usual communications"][0] == "none within the range"
    assert told["Bounds for everybody randomised"][1] == "whatever those who did not answer would have said"
    assert table.notes == ("Wellbeing: uninformative: response differs by 0.8",)


def test_not_answering_and_events_are_counted_apart(lost) -> None:
    table = missing.events(*of(lost))
    assert [column.heading for column in table.columns] == ["After allocation", "Video of thanks", "Total"]
    assert rows(table) == [
        ["Did not answer: after", "774", "1,541"],
        ["Event: Opted out", "31", "–"],
        ["Opted out, of whom answered after", "4", "–"],
    ]


def test_those_who_answered_are_compared_and_the_test_stands_once(lost) -> None:
    found = rows(missing.characteristics(*of(lost)))
    assert found[0][2:] == ["Video of thanks against Usual communications", "−0.31", "p = 0.031"]
    assert found[1][1:] == ["All together", "", "–", "not estimable"]


def test_findings_about_response_are_no_effects_of_the_trial(lost) -> None:
    results, _ = of(lost)
    listed = {one.analysis for one in (*results.main, *results.exploratory, *results.checking)}
    assert not listed & {"attrition", "events"}


def test_the_flow_says_who_did_not_answer_and_to_whom_events_happened(lost) -> None:
    study, findings = lost
    figure = flow(findings, Names(study.protocol, study.explore), "wellbeing")
    for drawing in (figure.wide, figure.narrow):
        drawn = str(drawing.svg("x", "", ""))
        assert "did not answer" in drawn
        assert "Events, counted in" in drawn
    assert "Video of thanks: Events, counted in their arm: opted out 31." in figure.description


def test_the_estimand_of_the_primary_result_stands_attribute_by_attribute(lost) -> None:
    study, _ = lost
    results, names = of(lost)
    (told,) = estimands(study, results, names)
    assert told.name == "What is estimated: Wellbeing"
    assert [name for name, _ in told.rows] == [
        "Treatment", "Population", "Variable", "Events after allocation", "Summary", "Estimated",
    ]  # fmt: skip
    assert dict(told.rows)["Treatment"].startswith("Video of thanks against Usual communications")


def test_the_first_lines_say_that_most_of_those_randomised_did_not_answer(lost) -> None:
    study, findings = lost
    page = render_study(study, findings)
    first = page.index("Most of those randomised did not answer")
    assert first < page.index("Background")
    few: Findings = findings.model_copy(
        update={
            "findings": tuple(
                one.model_copy(update={"estimate": 1500.0}) if one.id == "flow.answered_after" else one
                for one in findings
            )
        }
    )
    assert "did not answer, and those who did" not in render_study(study, few)
