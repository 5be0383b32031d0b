"""The whole road, as `make demo` goes it: six studies from protocol to report, nobody typing a number."""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.platform.markup import assert_fit_at_every_width

STUDIES = ("symbolic-awards", "swing", "mod-ing", "diversity-in-hiring", "dictation", "flexitime")
REPORTS = ("index.html", *(f"{study}/index.html" for study in STUDIES))
PAGES = (*REPORTS, "swing/provenance.html", "diversity-in-hiring/provenance.html")
WIDE = ("index.html", "symbolic-awards/index.html", "diversity-in-hiring/provenance.html")  # one of each kind


def equipoise(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program as a person would."""
    program = Path(sys.executable).with_name("equipoise")
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = equipoise("demo", folder, "--reports-only")
    assert done.returncode == 0, done.stderr
    (folder / "said.txt").write_text(done.stdout)
    return folder


def found(demo: Path, study: str) -> dict[str, dict[str, object]]:
    text = (demo / "findings" / study / "findings.json").read_text()
    return {finding["id"]: finding for finding in json.loads(text)["findings"]}


def test_it_says_where_its_seven_reports_are(demo: Path) -> None:
    said = (demo / "said.txt").read_text()
    for report in REPORTS:
        assert (demo / "reports" / report).is_file()
        assert str(demo / "reports" / report) in said


def test_the_numbers_of_people_are_those_of_the_programme(demo: Path) -> None:
    people = {study: found(demo, study) for study in STUDIES}
    counts = {
        study: int(rows.get("flow.randomised", rows.get("flow.enrolled", {}))["estimate"])
        for study, rows in people.items()
    }
    assert counts == dict(zip(STUDIES, (1969, 1148, 276, 303, 52, 11), strict=True))


def test_what_the_protocol_names_is_planned_and_the_rest_is_not(demo: Path) -> None:
    effects = [
        row for row in found(demo, "symbolic-awards").values() if row["analysis"] in ("effect", "fade")
    ]
    assert {(row["analysis"], row["planned"]) for row in effects} == {("effect", True), ("fade", False)}
    primary = found(demo, "symbolic-awards")["effect.wellbeing.after.video - control"]
    assert primary["tier"] == "primary"
    assert primary["confirmatory"]


def test_a_number_of_the_report_can_be_followed_to_the_data(demo: Path) -> None:
    page = (demo / "reports" / "swing" / "index.html").read_text()
    shown = re.search(r'data-finding="flow\.answered_after"[^>]*>\s*([\d,]+)', page)
    assert shown is not None
    number = int(shown[1].replace(",", ""))
    assert number == found(demo, "swing")["flow.answered_after"]["estimate"]
    with (demo / "data" / "swing" / "participants.csv").open() as file:
        assert number == sum(bool(row["answered_after"]) for row in csv.DictReader(file))


def test_every_finding_that_a_report_shows_is_in_its_findings(demo: Path) -> None:
    for study in STUDIES:
        page = (demo / "reports" / study / "index.html").read_text()
        shown = {reference.replace("&#39;", "'") for reference in re.findall(r'data-finding="([^"]+)"', page)}
        assert shown <= set(found(demo, study)), study
        if study != "flexitime":
            assert len(shown) > 10


def test_every_number_leads_to_a_row_that_is_there(demo: Path) -> None:
    for report in REPORTS:
        page = demo / "reports" / report
        for target, anchor in set(re.findall(r'href="([^"]*provenance\.html)#([^"]+)"', page.read_text())):
            assert f'id="{anchor}"' in (page.parent / target).read_text(), (report, anchor)


def test_a_report_says_how_the_seed_of_its_draw_came_about(demo: Path) -> None:
    page = (demo / "reports" / "swing" / "index.html").read_text()
    record = json.loads((demo / "studies" / "swing" / "allocation" / "arms.csv.record.json").read_text())
    assert "The seed could have been chosen" in page
    assert record["roster_hash"] in page


def test_every_draw_can_be_verified_and_a_changed_arm_is_found(demo: Path, tmp_path: Path) -> None:
    for study in ("symbolic-awards", "swing", "mod-ing", "diversity-in-hiring"):
        record = demo / "studies" / study / "allocation" / "arms.csv.record.json"
        secret = demo / "secrets" / f"{study}.secret"
        assert equipoise("verify", record, "--secret", secret).returncode == 0
    for name in ("arms.csv", "arms.csv.record.json"):
        shutil.copy(demo / "studies" / "swing" / "allocation" / name, tmp_path)
    arms = tmp_path / "arms.csv"
    first, second, rest = arms.read_text().split("\n", 2)
    other = second.replace("control", "?").replace("messages", "control").replace("?", "messages")
    arms.write_text("\n".join((first, other, rest)))
    record = tmp_path / "arms.csv.record.json"
    changed = equipoise("verify", record, "--secret", demo / "secrets" / "swing.secret")
    assert changed.returncode == 1
    assert "arms.csv" in changed.stdout + changed.stderr


def test_run_again_it_gives_the_same_findings_and_reports(demo: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert equipoise("demo", again, "--reports-only").returncode == 0
    for study in STUDIES:
        name = Path("findings") / study / "findings.json"
        assert (again / name).read_bytes() == (demo / name).read_bytes()
    for report in REPORTS:
        assert (again / "reports" / report).read_bytes() == (demo / "reports" / report).read_bytes()


def test_a_folder_that_holds_something_is_left_alone(demo: Path) -> None:
    refused = equipoise("demo", demo)
    assert refused.returncode == 2
    assert "not empty" in refused.stderr


def test_a_study_that_was_changed_after_its_lock_is_not_analysed(demo: Path, tmp_path: Path) -> None:
    study = tmp_path / "swing"
    shutil.copytree(demo / "studies" / "swing", study)
    protocol = study / "protocol.yaml"
    text = protocol.read_text()
    protocol.write_text(text.replace("margin: 0.2 sd of 3.9", "margin: 0.1 sd of 3.9"))
    refused = equipoise("analyse", study, "--data", demo / "data" / "swing", "--out", tmp_path / "out")
    assert refused.returncode == 2
    assert "outcomes, wellbeing, margin: was 0.78, now 0.39" in refused.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "Chromium is missing; install it, or set NO_BROWSER=1 to leave these tests out"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize("report", PAGES)
def test_axe_finds_nothing_in_the_seven_reports(browser: Browser, demo: Path, report: str) -> None:
    page = browser.new_page()
    page.goto((demo / "reports" / report).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert_fit_at_every_width(page, [360, 1280] if report in WIDE else [360])
    page.close()


@pytest.mark.browser
def test_a_report_asks_nothing_of_the_network(browser: Browser, demo: Path) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto((demo / "reports" / "symbolic-awards" / "index.html").as_uri())
    page.close()
    assert [url for url in asked if not url.startswith("file:")] == []
