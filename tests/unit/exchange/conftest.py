"""A small trial whose survey has answers of every shape, and tables as a platform would make them."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from equipoise.protocol import load_study

PROTOCOL = """\
equipoise: 1
study:
  id: breaks
  title: Breaks | and *rest*
  kind: trial
  question: Do longer breaks help?
  launch: 2026-03-02 09:00
  synthetic: true
participants:
  roster:
    ref: {type: text, role: identifier}
    email: {type: email, role: contact}
    team: {type: category, levels: [red, blue], label: Team}
    years: {type: integer, low: 0, high: 60}
    started_on: {type: date}
    part_time: {type: yes-no}
  derived: {long_serving: "years > 9.0"}
arms:
  control: {label: Breaks as before}
  longer: {label: Longer breaks}
allocation:
  strata: [team]
  ratio: {control: 1, longer: 1}
  when: launch
waves:
  before: {survey: work, opens: launch - 2 weeks, closes: launch}
  after: {survey: work, opens: launch + 4 weeks, closes: launch + 6 weeks, label: Six weeks later}
contacts:
  tip-of-week: {to: {arm: longer}, channel: email, template: messages/tip.md, from: launch + 1 day, label: Tip}
sources:
  app: {kind: usage-log, columns: {minutes: Minutes of rest}}
outcomes:
  fit: {instrument: aim, waves: [before, after], label: Fit of breaks, good: high}
  days: {question: work.days, waves: [after], unit: days, range: [0, 20], label: Days off, good: low}
events: {left_employer: treatment-policy}
harms: [complaint]
analyses:
  effect: {contrast: longer - control}
"""
SURVEY = """\
title: You and your work
random-pages: [[first, second]]
pages:
  - id: first
    title: Your work
    order: random
    questions:
      - {id: role, type: single, ask: What do you do?, options: {nurse: Nurse, clerk: Clerk}, other: Something else,
         order: random}
      - {id: uses, type: several, ask: What do you use?, options: {phone: A phone, car: A car}}
      - {id: days, type: number, ask: Days off?, unit: days, low: 0, high: 20}
  - id: second
    questions:
      - {instrument: aim, order: random}
      - {id: calm, type: likert, ask: "I am calm | at work.", options: {1: Never, 2: Sometimes, 3: Always}}
      - {id: remarks, type: long-text, ask: Anything else?}
"""


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "breaks"
    for name, text in {
        "protocol.yaml": PROTOCOL,
        "surveys/work.yaml": SURVEY,
        "wording/aim.yaml": "instrument: aim\nlanguage: en-GB\ndemonstration: true\n",
        "messages/tip.md": "---\nsubject: A tip\n---\nTake a break.\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return load_study(folder)


@pytest.fixture
def tables():
    """Three invented people; the last has not answered."""
    refs = ["p1", "p2", "p3"]
    participants = pl.DataFrame(
        {
            "ref": refs,
            "team": ["red", "blue", "blue"],
            "years": [3, 0, None],
            "started_on": [date(2020, 1, 6), date(1999, 12, 31), None],
            "part_time": [True, False, None],
            "arm": ["control", "longer", "longer"],
            "fit_after": [3.25, None, None],
            "fit_after_why": [None, "refused", "not_reached"],
            "days": [2.0, 0.0, None],
            "answered_after": [
                datetime(2026, 4, 1, 9, 30, tzinfo=UTC),
                datetime(2026, 4, 2, tzinfo=UTC),
                None,
            ],
            "sent_tip_of_week": [None, datetime(2026, 3, 3, 9, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)],
            "dose_minutes": [0.0, 12.5, 30.0],
            "left_employer": [False, True, False],
            "probability_control": [0.5, 0.5, 0.5],
        }
    )
    answers = pl.DataFrame(
        {
            "ref": refs[:2],
            "channel": ["web", "paper"],
            "language": ["en-GB", "cy"],
            "seconds_first": [41.5, None],
            "order_pages": ["second first", "first second"],
            "order_items.aim": ["aim.a aim.b", "aim.b aim.a"],
            "role": ["nurse", "something_else"],
            "role.other": [None, '=HYPERLINK("http://example.org")'],
            "role_why": pl.Series([None, None], dtype=pl.String),
            "uses.phone": [True, None],
            "uses.car": [False, None],
            "uses_why": [None, "dont_know"],
            "days": [2.0, None],
            "days_why": [None, "refused"],
            "calm": [3, None],
            "calm_why": [None, "not_asked"],
            "remarks": ['-1, "quoted"\nand a second line', "café 名前"],
        }
    )
    return {"participants": participants, "answers_after": answers}
