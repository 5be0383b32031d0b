"""A report of a study in which every text is made to harm: text on the page and in its charts, and no formula in a table."""

import csv
import io
from dataclasses import replace

import pytest
from tests.platform.security.planted.test_planted_text import FORMULA, Sight
from tests.platform.security.planted.world import MARKDOWN, harmful, planted_words

from equipoise.protocol.models.protocol import Protocol
from equipoise.report import write_report

SAID = {
    *(
        "title",
        "question",
        "label",
        "description",
        "funding",
        "conflicts",
        "contact",
        "registry",
        "source",
    ),
    *("controller", "purpose", "basis", "retention", "linkage", "distress-rule"),
}


def planted(value, way=()):
    """The same with every text that a person reads made to harm."""
    if isinstance(value, dict):
        return {key: planted(each, (*way, str(key))) for key, each in value.items()}
    if isinstance(value, list):
        return [planted(each, (*way, str(number))) for number, each in enumerate(value)]
    read = way[-1] in SAID or way[-2:-1] in (("authors",),) or (way[0] == "partners" and way[-1] == "name")
    return harmful(" ".join(way)) if isinstance(value, str) and read else value


@pytest.mark.parametrize("name", ["trial", "experiment", "pilot", "interviews"])
def test_nothing_in_it_runs_or_is_fetched_or_computed(name, request, tmp_path):
    study, findings = request.getfixturevalue(name)
    said = planted(study.protocol.model_dump(mode="json", by_alias=True, exclude_none=True))
    # What stands in two braces is a number of the findings here, and refused where there is none.
    harm = MARKDOWN.replace("{0}", "zqnarrative").replace("{{7*191}}", "")
    narrative = {part: f"{text}\n\n{harm}" for part, text in study.narrative.items()}
    hostile = replace(study, protocol=Protocol.model_validate(said), narrative=narrative)
    write_report(hostile, findings, tmp_path / "report")
    pages = [path.read_text("utf-8") for path in (tmp_path / "report").rglob("*.html")]
    seen = [Sight(page) for page in pages]
    assert pages
    assert [fault for sight in seen for fault in sight.faults] == []
    assert len(set().union(*(sight.words for sight in seen))) >= 2
    for path in (tmp_path / "report").rglob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")):
            assert not [cell for cell in row if cell.startswith(FORMULA) and planted_words(cell)], path.name
