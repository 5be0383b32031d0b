"""Two studies whose folders are whole, to break in one place: a small one, one with every question."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.errors import ProtocolError
from equipoise.protocol import Study, load_study

FILES = {
    "protocol.yaml": """\
equipoise: 1
study:
  id: small
  title: A small trial
  kind: trial
  question: Does a weekly text help?
  timezone: Europe/London
  launch: 2021-03-01 09:00
partners:
  north: {name: The north, people: 60}
participants:
  roster:
    ref: {type: text, role: identifier}
    mobile: {type: phone, role: contact}
    team: {type: category, levels: [one, two]}
    age: {type: integer, low: 16, high: 99}
    started_on: {type: date}
  eligible: "started_on <= launch"
  derived:
    older: "age >= 40.0"
arms:
  control: {label: Nothing new}
  texts: {label: A weekly text}
allocation:
  strata: [team]
  ratio: {control: 1, texts: 1}
  when: launch
waves:
  before: {survey: feeling, opens: launch - 3 weeks, closes: launch}
  after: {survey: feeling, opens: launch + 8 weeks, closes: launch + 12 weeks}
contacts:
  weekly:
    to: {arm: texts}
    channel: sms
    template: messages/week.md
    from: launch + 1 day
    every: 1 week
    times: 8
sources:
  log: {kind: usage-log, partners: [north], columns: {minutes: Minutes of use}}
outcomes:
  wellbeing: {instrument: swemwbs, waves: [after], role: primary, margin: 0.78}
  days: {question: feeling.days_off, waves: [after], scale: count, range: [0, 20], good: low}
harms: [complaint]
analyses:
  effect:
    contrast: texts - control
    at: after
  raw:
    contrast: texts - control
    at: after
    adjust: [strata]
    sensitivity-of: effect
testing:
  - {claims: [wellbeing]}
  - {then: [days]}
diagnosis:
  assume:
    wellbeing: {mean: 23.5, sd: 3.9, effect: 0.78}
    days: {mean: 1, sd: 2}
    response: {before: 0.4, after: 0.3}
progression:
  reach: {measure: {share: "answered(after)"}, green: ">= 0.5", amber: ">= 0.25"}
interviews:
  staff: {from: {arm: texts}, people: 10, spread: [team], guide: interviews/guide.md}
report:
  figures:
    days: {outcome: days, analysis: effect}
""",
    "surveys/feeling.yaml": """\
title: How it is going
pages:
  - id: first
    questions:
      - {instrument: swemwbs, wording: wording/swemwbs.yaml}
  - id: second
    questions:
      - {id: off, ask: Were you off sick?, type: yes-no}
      - {id: days_off, ask: How many days?, type: number, low: 0, high: 20, show-if: "off"}
""",
    "wording/swemwbs.yaml": "instrument: swemwbs\\nlanguage: en-GB\\ndemonstration: true\\n".replace(
        "\\n", "\n"
    ),
    "messages/week.md": "---\nauthor: Somebody\n---\nThis is week {n}. {stop_link}\n",
    "interviews/guide.md": "---\ntitle: Staff\nminutes: 30\n---\nThank you for coming.\n\n## The texts\n\n- What was it like?\n",
    "logic-model.yaml": """\
activities: {texts: A text is sent}
outcomes: {wellbeing: Wellbeing rises}
links:
  - {from: texts, to: wellbeing, evidence: [effect.wellbeing]}
""",
    "narrative/background.md": "Texts are cheap.\n",
    "narrative/what-we-found.md": "See {{ effect.wellbeing }}.\n",
    "media/film.vtt": "WEBVTT\n",
}

Patch = tuple[str, str, str]
KINDS = Path(__file__).with_name("kinds")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The folder of the small study."""
    for name, text in FILES.items():
        path = tmp_path / "small" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "small"


def change(folder: Path, *patches: Patch) -> None:
    """Replace texts in files of a folder; each patch is (file, text that stands there, new text)."""
    for name, old, new in patches:
        path = folder / name
        text = path.read_text("utf-8") if path.exists() else ""
        assert old in text, f"{old!r} does not stand in {name}"
        path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture
def problems(small: Path) -> Callable[..., list[str]]:
    """What is said of the small study with some texts replaced."""

    def of(*patches: Patch) -> list[str]:
        change(small, *patches)
        with pytest.raises(ProtocolError) as error:
            load_study(small)
        return [str(problem) for problem in error.value.problems]

    return of


@pytest.fixture
def changed(small: Path) -> Callable[..., Study]:
    """The small study, loaded with some texts replaced."""

    def of(*patches: Patch) -> Study:
        change(small, *patches)
        return load_study(small)

    return of


@pytest.fixture(scope="session")
def kinds() -> Study:
    """The study whose survey has a question of every kind, and some of it in Welsh."""
    return load_study(KINDS)


@pytest.fixture
def kinds_changed(tmp_path: Path) -> Callable[..., Study]:
    """The same, loaded with some texts replaced."""

    def of(*patches: Patch) -> Study:
        shutil.copytree(KINDS, tmp_path / "kinds")
        change(tmp_path / "kinds", *patches)
        return load_study(tmp_path / "kinds")

    return of
