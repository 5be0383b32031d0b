"""A trial is rehearsed with invented people: what they were sent and answered is held against the protocol."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from lxml import html
from tests.platform.durability.living import ONE, served

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "hhp2"
PEOPLE = 36
CHECKS = (
    "once", "due", "nothing-else", "arm", "left", "time", "words", "bounces", "choices", "settled", "pages",
    "answers", "dose", "films", "effect", "record", "report",
)  # fmt: skip
LETTER = """contacts:
  a-letter: {to: {arm: messages}, channel: letter, template: messages/letter.md, from: launch + 2 days}
  weekly-message"""
# So that few people show an effect: most of them answer, and none of the strata is nearly empty.
CHANGED = {
    "strata: [cohort, region]": "strata: [cohort]",
    "before-after correlation: 0.6, effect: 0.0}\n    burnout": "before-after correlation: 0.6, effect: 2.0}\n    burnout",
    "before: 0.4\n": "before: 0.8\n",
    "after: 0.2326": "after: 0.8",
    "times: 8": "times: 3\n    asset: media/hello.mp4",
    "    mobile:     {type": "    address:    {type: text, role: contact, required: false}\n    mobile:     {type",
    "contacts:\n  weekly-message": LETTER,
    "opens: launch + 8 weeks": "opens: launch + 4 weeks",
    "closes: launch + 12 weeks": "closes: launch + 7 weeks",
    "when: launch + 9 weeks": "when: launch + 6 weeks",
}


def run(*arguments):
    """A command that has ended."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def equipoise(*arguments):
    """A command of the program that has ended."""
    return run("-m", "equipoise", *arguments)


def with_film_and_letter(study):
    """Every text leads to a film, and there is a letter."""
    (study / "media").mkdir()
    for ending in ("mp4", "vtt", "txt", "jpg"):
        film = EXAMPLES / "symbolic-awards" / "media" / f"eastvale.{ending}"
        shutil.copy(film, study / "media" / f"hello.{ending}")
    for place in (study / "messages").glob("week-*.md"):
        text = place.read_text("utf-8").replace("Stop: {stop_link}", "Film: {link} Stop: {stop_link}")
        place.write_text(text, "utf-8")
    letter = "---\nauthor: Alice (synthetic)\n---\nDear trainee,\n\nThank you.\n"
    (study / "messages" / "letter.md").write_text(letter, "utf-8")


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """A small trial of texts, rehearsed: the folder, what was said, and what the spoilt checks found."""
    folder = tmp_path_factory.mktemp("rehearsed")
    study = folder / "swing"
    left_out = shutil.ignore_patterns("amendments", "lock.json")
    shutil.copytree(EXAMPLES / "swing", study, ignore=left_out)
    protocol = (study / "protocol.yaml").read_text("utf-8")
    for before, after in CHANGED.items():
        assert before in protocol, before
        protocol = protocol.replace(before, after)
    (study / "protocol.yaml").write_text(protocol, "utf-8")
    with_film_and_letter(study)
    browsers = 0 if os.environ.get("NO_BROWSER") else 2
    done = run(
        Path(__file__).with_name("rehearsed.py"), folder / "found.json", folder, study,
        "--people", PEOPLE, "--seed", 3, "--browser", browsers, "--out", folder / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout, json.loads((folder / "found.json").read_text("utf-8"))


def test_a_sound_trial_passes_every_check_and_the_verdict_is_kept_for_programs_and_people(rehearsed):
    folder, said, _ = rehearsed
    verdict = json.loads((folder / "out" / "verdict.json").read_text("utf-8"))
    assert verdict["ok"]
    assert (verdict["study"], verdict["people"], verdict["seed"]) == ("swing", PEOPLE, 3)
    checks = {check["name"]: check for check in verdict["checks"]}
    assert tuple(checks) == CHECKS
    nothing = [name for name, check in checks.items() if not check["counted"]]
    assert nothing == []  # every check had something to look at
    assert "it can go ahead" in said
    (letters,) = [note for note in checks["due"]["notes"] if "goes by post" in note]
    found = re.fullmatch(r"a-letter 1 goes by post: (\d+) letters were due, and none was written.*", letters)
    assert 0 < int(found[1]) <= PEOPLE // 2
    assert letters in said.partition("To look at:")[2]
    assert "it can go ahead" in (folder / "out" / "verdict.txt").read_text("utf-8")


def test_people_of_every_habit_took_part_and_the_report_is_there(rehearsed):
    folder, _, _ = rehearsed
    page = (folder / "out" / "reports" / "swing" / "index.html").read_text("utf-8")
    assert "swing" in page
    assert (folder / "out" / "data" / "swing" / "participants.parquet").is_file()
    assert "Traceback" not in (folder / "out" / "work-1.log").read_text("utf-8")
    assert "Traceback" not in (folder / "out" / "serve.log").read_text("utf-8")


@pytest.mark.parametrize(
    ("spoilt", "check"),
    [
        ("twice", "once"), ("lost", "due"), ("misdirected", "nothing-else"), ("late", "time"), ("night", "time"),
        ("words", "words"), ("refused", "bounces"), ("left", "left"), ("arm", "arm"), ("changed", "answers"),
        ("invented", "answers"), ("missing", "answers"), ("planted", "effect"),
        ("unplayed", "films"), ("overplayed", "films"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(rehearsed, spoilt, check):
    assert rehearsed[2][spoilt].get(check)


def test_what_cannot_be_rehearsed_is_said_before_anything_is_made(tmp_path):
    out = tmp_path / "out"
    refused = equipoise("rehearse", tmp_path, EXAMPLES / "diversity-in-hiring", "--out", out)
    assert refused.returncode == 2
    for why in (
        "cannot be rehearsed yet",
        "by an open link",
        "judge vignettes (`tasks.cvs`",
        "equipoise simulate",
    ):
        assert why in refused.stderr
    unknown = equipoise("rehearse", tmp_path, "nothing", "--out", out)
    assert unknown.returncode == 2
    assert "there is no such study" in unknown.stderr
    assert not out.exists()
    out.mkdir()
    (out / "something").touch()
    full = equipoise("rehearse", tmp_path, EXAMPLES / "swing", "--out", out)
    assert full.returncode == 2
    assert "is not empty" in full.stderr
    assert "Traceback" not in refused.stderr + unknown.stderr + full.stderr


def test_a_trial_in_its_middle_can_be_walked_through_with_the_sign_ins_of_the_demonstration_alone(rehearsed):
    folder, _, _ = rehearsed
    told = json.loads(equipoise("demo", folder, "--codes", "--json").stdout)["sign_ins"]
    assert [each["role"] for each in told] == ["administrator", "lead", "data-manager", "analyst", "auditor"]
    settings = json.loads((folder / "workspace" / "workspace.yaml").read_text("utf-8"))
    lead = told[1]
    with served(folder / "workspace", "--no-worker", *ONE) as server, requests.Session() as browser:
        page = sign_in(browser, f"http://localhost:{server.port}", lead)
        assert "Social Workers Inspiring" in page
    said = json.loads(equipoise("study", "list", folder / "workspace", "--json").stdout)["studies"]
    assert [(each["study"], each["state"]) for each in said] == [("swing", "live")]
    (folder / "workspace" / "workspace.yaml").write_text(json.dumps(settings | {"mode": "live"}), "utf-8")
    refused = equipoise("demo", folder, "--codes")
    assert refused.returncode == 2
    assert lead["password"] not in refused.stdout + refused.stderr
    refused = equipoise("serve", folder / "workspace")
    assert refused.returncode == 2
    assert "demonstration accounts" in refused.stderr


def sign_in(browser, origin, account):
    """The first page of the office, after the password and the code."""
    page = followed(browser, browser.get(f"{origin}/office/", allow_redirects=False))
    for fields in ({"login": account["email"], "password": account["password"]}, {"code": account["code"]}):
        form = html.fromstring(page.text).xpath("//main//form[@method='post']")[0]
        hidden = {each.name: each.value for each in form.xpath(".//input[@type='hidden']")}
        headers = {"Origin": "http://localhost:8000", "Referer": page.url}
        sent = browser.post(page.url, data={**hidden, **fields}, headers=headers, allow_redirects=False)
        page = followed(browser, sent)
    return page.text


def followed(browser, page):
    """Where a page leads. Browsers send cookies that are for TLS alone to this machine; the library does not."""
    while True:
        for cookie in browser.cookies:
            cookie.secure = False
        if "Location" not in page.headers:
            return page
        page = browser.get(urljoin(page.url, page.headers["Location"]), allow_redirects=False)
