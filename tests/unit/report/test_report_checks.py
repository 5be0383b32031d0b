"""Faults in a narrative that a report would otherwise carry to its readers."""

from dataclasses import replace

import pytest

from equipoise.errors import ProtocolError
from equipoise.report import check_programme, check_study, render_study
from equipoise.report.checks import dead_links, star_legends, typed_in, unsupported
from equipoise.report.narrative import Prose


def told(problems) -> str:
    return "\n".join(map(str, problems))


@pytest.mark.parametrize("text", ["It rose by 12% here.", "The mean was 3.4 points.", "We asked 428 people."])
def test_a_number_typed_into_the_results_is_flagged_with_its_line(text: str) -> None:
    problems = typed_in(Prose(f"# Found\n\nFirst line\n{text}\n", "a/narrative/what-we-found.md"))
    assert [problem.place for problem in problems] == ["a/narrative/what-we-found.md:4"]


@pytest.mark.parametrize(
    "text",
    ["In 2021 we began.", "See Study 1 and section 4.", "Run `seed 42`.", "[a page](https://example.org/12)",
     "It was {{ effect.wellbeing }} of twelve."],
)  # fmt: skip
def test_years_names_code_and_references_are_no_typed_in_numbers(text: str) -> None:
    assert typed_in(Prose(text, "x.md")) == []


def test_legends_that_disagree_between_two_figures_are_flagged() -> None:
    first = Prose("Figure 2. \\* p < 0.01", "swing.md")
    second = Prose("Figure 3. * p<0.05", "hiring.md")
    assert "* means p < 0.05 here and p < 0.01 at swing.md:1" in told(star_legends([first, second]))
    assert star_legends([first, first]) == []


def test_links_that_lead_nowhere_are_flagged() -> None:
    assert "leads nowhere" in told(dead_links(Prose("The protocol is [here](#).", "x.md")))


def test_advice_without_support_is_flagged_by_its_title() -> None:
    prose = Prose("## Pay more\n\nIt helps.\n\n## Say thanks\n\nSupported by: effect.wellbeing\n", "r.md")
    assert [problem.place for problem in unsupported(prose)] == ["r.md:1"]


def test_arms_that_do_not_add_up_to_their_total_are_flagged(trial) -> None:
    study, findings = trial
    rows = [
        one.model_copy(update={"estimate": 2000.0}) if one.id == "flow.randomised" else one
        for one in findings
    ]
    wrong = findings.model_copy(update={"findings": tuple(rows)})
    assert check_study(study, findings) == ()
    assert "the arms add up to 1,969, the total says 2,000" in told(check_study(study, wrong))


def test_a_headline_that_the_studies_do_not_bear_out_is_flagged(trial, experiment) -> None:
    right = {"background": "In all 2,272 people took part: 1,969 staff and 303 professionals."}
    wrong = {"background": "In all 2,553 staff and students took part."}
    assert check_programme(right, [trial, experiment], "well") == ()
    assert "awards 1,969 + hiring 303 = 2,272" in told(check_programme(wrong, [trial, experiment], "well"))


def test_a_reference_to_nothing_is_refused_with_file_line_and_nearest(trial) -> None:
    study, findings = trial
    broken = replace(
        study, narrative={**study.narrative, "what-we-found": "One\n\nTwo {{ effect.welbeing }}"}
    )
    with pytest.raises(ProtocolError, match=r"awards/narrative/what-we-found.md:3.*effect.wellbeing"):
        render_study(broken, findings)


def test_support_that_is_no_theme_is_refused(trial) -> None:
    study, findings = trial
    broken = replace(study, narrative={"recommendations": "## Do\n\nSo.\n\nSupported by: theme.recogniton"})
    with pytest.raises(ProtocolError, match="Did you mean"):
        render_study(broken, findings)
