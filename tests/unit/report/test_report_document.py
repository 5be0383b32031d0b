"""A report is whole, follows its own numbers home, and is the same bytes every time."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from equipoise.report import render_programme, render_study, write_programme_report, write_report


class Outline(HTMLParser):
    """Collects headings, ids, links within the page and the findings that numbers were drawn from."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.inside: set[str] = set()
        self.outside: set[str] = set()
        self.drawn: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs) -> None:
        given = dict(attrs)
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if "id" in given:
            self.ids.append(given["id"])
        if (given.get("href") or "").startswith("#"):
            self.inside.add(given["href"][1:])
        self.outside |= {given[key] for key in ("src", "srcset", "action") if given.get(key)}
        if tag in ("script", "link", "iframe", "img"):
            self.outside.add(tag)
        if "data-finding" in given:
            self.drawn.add(given["data-finding"])


@pytest.fixture(params=["trial", "experiment", "pilot", "interviews"])
def any_study(request):
    return request.getfixturevalue(request.param)


def test_headings_never_skip_a_level_and_ids_are_unique(any_study) -> None:
    outline = Outline(render_study(*any_study))
    assert outline.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(outline.levels, outline.levels[1:], strict=False))
    assert [one for one in outline.ids if outline.ids.count(one) > 1] == []


def test_every_link_within_the_page_arrives_and_nothing_comes_from_outside(any_study) -> None:
    outline = Outline(render_study(*any_study))
    assert outline.inside <= set(outline.ids)
    assert outline.outside == set()


def test_every_drawn_number_is_a_finding_of_the_study(trial) -> None:
    study, findings = trial
    outline = Outline(render_study(study, findings))
    assert outline.drawn <= {one.id for one in findings}
    assert "effect.wellbeing.after.video - control" in outline.drawn


def test_the_same_study_gives_the_same_bytes(trial) -> None:
    assert render_study(*trial) == render_study(*trial)


def test_the_first_screen_says_answer_certainty_and_action(trial) -> None:
    page = render_study(*trial)
    screen = page[: page.index('<nav class="contents"')]
    assert "rule out a worsening of 0.78 points or more" in screen
    assert "of 1,969 people randomised answered (22%)" in screen
    assert "locked on 20 February 2021" in screen
    assert "Tell staff when they are thanked" in screen


def test_simulated_invented_and_unlocked_are_said_before_everything(trial) -> None:
    study, findings = trial
    page = render_study(study, findings.model_copy(update={"locked": None}))
    top = page[: page.index("<h1>")]
    assert "Simulated participants" in top
    assert "invented" in top
    assert "No locked protocol: every result here is not planned." in top


def test_results_that_were_not_planned_stand_apart_and_are_labelled(trial) -> None:
    page = render_study(*trial)
    start = page.index('<section id="exploratory"')
    part = page[start : page.index("</section>", start)]
    assert "Not planned" in part
    assert "compare different people" in part
    assert "fade.wellbeing" not in page[:start].replace(page[: page.index("</head>")], "")


def test_deviations_list_amendments_and_unplanned_analyses(trial) -> None:
    page = render_study(*trial)
    start = page.index('<section id="deviations"')
    part = page[start : page.index("</section>", start)]
    assert "Data collection stopped" in part
    assert "Fade" in part


def test_the_checklist_has_the_42_items_and_points_to_sections(trial) -> None:
    page = render_study(*trial)
    start = page.index('id="consort"')
    part = page[start : page.index("</table>", start)]
    assert part.count('<th scope="row"') == 42
    assert "not stated" in part
    assert 'href="#flow"' in part


@pytest.mark.parametrize("name", ["pilot", "interviews"])
def test_studies_without_arms_show_no_arms_and_no_p_values(name: str, request) -> None:
    page = render_study(*request.getfixturevalue(name))
    body = page[page.index("<body>") :]
    assert "p = " not in body
    assert "checklist" not in body
    assert "None" not in re.sub(r"<[^>]*>|None (is|were) ", "", body)


def test_a_pilot_is_judged_by_zone_with_the_reach_of_its_interval(pilot) -> None:
    page = render_study(*pilot)
    assert re.search(r"Licences used in three weeks: amber, .*35\.0%.*reaches red and amber and green", page)


def test_text_of_others_is_never_passed_through_as_html(trial) -> None:
    study, findings = trial
    hostile = replace(study, narrative={"background": "<script>alert(1)</script> & [x](javascript:alert(1))"})
    page = render_study(hostile, findings)
    assert "<script" not in page
    assert 'href="javascript' not in page


def test_every_table_is_written_as_csv_with_unrounded_numbers_and_findings(trial, tmp_path) -> None:
    write_report(*trial, tmp_path)
    page = (tmp_path / "index.html").read_text() + (tmp_path / "provenance.html").read_text()
    linked = set(re.findall(r'href="(data/[^"]+\.csv)"', page))
    assert linked == {f"data/{path.name}" for path in (tmp_path / "data").iterdir()}
    rows = list(csv.DictReader(io.StringIO((tmp_path / "data/effects-table.csv").read_text())))
    assert rows[0]["Estimate, own unit"] == "0.35"
    assert rows[0]["findings"] == "effect.wellbeing.after.video - control"
    assert json.loads((tmp_path / "findings.json").read_text())["study"] == "awards"
    assert (tmp_path / "figures/flow.svg").read_text().startswith("<svg xmlns")


def test_nothing_is_written_when_the_narrative_is_wrong(trial, tmp_path) -> None:
    study, findings = trial
    with pytest.raises(Exception, match="nowhere"):
        write_report(replace(study, narrative={"methods": "{{ nowhere }}"}), findings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_programme_adds_its_people_up_and_links_to_its_studies(
    trial, experiment, pilot, interviews, programme, tmp_path
) -> None:
    studies = [trial, experiment, pilot, interviews]
    write_programme_report(programme, {}, studies, tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert page == render_programme(programme, {}, studies)
    outline = Outline(page)
    assert outline.inside <= set(outline.ids)
    total = 1969 + 303 + 52 + 11
    assert f"{total:,}" in page
    for name in ("awards", "hiring", "dictation", "flexitime"):
        assert f'href="{name}/index.html"' in page
        assert (tmp_path / name / "index.html").is_file()
