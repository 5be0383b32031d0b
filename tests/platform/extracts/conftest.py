"""What the tests of HR extracts share: a study with extracts of absence, its people, and files as councils send
them. Everybody is made up."""

from datetime import UTC, datetime

import pytest
from tests.platform.conftest import SECRET

from equipoise.allocation import commitment
from equipoise.platform.extracts.reading import ExtractFile
from equipoise.platform.extracts.scopes import Scope
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.registry.actions import add_study
from equipoise.platform.staff.actions import CommandLine, Place, grant
from equipoise.protocol import load_study, lock
from equipoise.protocol.registration import lock_text

SOURCES = """\
sources:
  absence:
    kind: hr-extract
    label: Sickness absence, from the councils' HR systems
    extract:
      windows:
        before: {from: launch - 12 weeks, to: launch}
        after: {from: launch, to: launch + 12 weeks}
      columns:
        days_off: {type: number, low: 0, required: false, label: Days of sickness absence}
        measured_on: {type: date, required: false}
"""
SPELLS = (
    SOURCES[: SOURCES.index("      columns:")]
    + """\
      columns:
        first_day: {type: date, format: '%d/%m/%Y', label: First day of absence}
        last_day: {type: date, format: '%d/%m/%Y', required: false, label: Last day of absence}
      spells: {first: first_day, last: last_day, days: weekdays, gives: days_off}
"""
)
PROTOCOL = """\
equipoise: 1
study:
  id: thanks
  title: A trial of thanks (synthetic)
  kind: trial
  question: Do thanks lower sickness absence?
  timezone: Europe/London
  launch: 2021-03-02 09:00
  synthetic: true
partners:
  northmoor: {name: Northmoor Council (synthetic)}
  eastvale: {name: Eastvale Council (synthetic)}
participants:
  roster:
    staff_ref: {type: text, role: identifier, label: Staff reference}
    email: {type: email, role: contact, label: Work e-mail}
    authority: {type: category, levels: [northmoor, eastvale], label: Local authority}
  consent:
    survey: opt-in
CONSENTarms: {control: {label: Later}, video: {label: Now}}
allocation: {strata: [authority], ratio: {control: 1, video: 1}, when: launch}
waves:
  before: {survey: week, opens: launch - 4 weeks, closes: launch}
  after: {survey: week, opens: launch + 1 day, closes: launch + 8 weeks}
SOURCESoutcomes:
  mood: {question: week.mood, waves: [after], role: primary, range: [0, 10], good: high}
  absence: {column: days_off, waves: [after], role: secondary, range: [0, HIGH], unit: days, good: low}
analyses:
  effect: {at: after, contrast: video - control}
privacy: {linkage: Records of absence are joined under a code.}
"""
SURVEY = """\
title: Your week
pages:
  - id: week
    questions:
      - {id: mood, ask: How was your week?, type: number, low: 0, high: 10}
"""
HEADER = "Staff reference,Work e-mail,Local authority"
LAUNCH = datetime(2021, 3, 2, 10, tzinfo=UTC)
OVER = datetime(2021, 6, 1, 12, tzinfo=UTC)
AFTER = Scope("absence", "after")
BEFORE = Scope("absence", "before")


def written(folder, sources=SOURCES, consent="    linkage: opt-out\n", high=84):
    """A folder of the study, locked: with these sources, asking for linkage like this, absence up to so high."""
    (folder / "surveys").mkdir(parents=True)
    text = PROTOCOL.replace("SOURCES", sources).replace("CONSENT", consent).replace("HIGH", str(high))
    (folder / "protocol.yaml").write_text(text, "utf-8")
    (folder / "surveys" / "week.yaml").write_text(SURVEY, "utf-8")
    registration = lock(
        load_study(folder),
        time="2021-01-04T09:00:00Z",
        seed_commitment=commitment(SECRET),
        version="test",
        clock="rehearsal",
    )
    (folder / "lock.json").write_text(lock_text(registration), "utf-8")
    return folder


@pytest.fixture
def roster(tmp_path):
    """A function that writes a roster of people N1, N2 ... of Northmoor and E1, E2 ... of Eastvale."""

    def write(northmoor=4, eastvale=2):
        lines = [HEADER]
        for authority, count in (("northmoor", northmoor), ("eastvale", eastvale)):
            lines += [
                f"{authority[0].upper()}{each},{authority}.{each}@example.org,{authority}"
                for each in range(1, count + 1)
            ]
        path = tmp_path / "staff.csv"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return write


@pytest.fixture
def study_with(tmp_path, members, alice, roster, at):
    """A function that adds the study with Alice as its lead and everybody enrolled; the windows are over."""

    def make(**declared):
        study = add_study(CommandLine(), written(tmp_path / "folders" / "thanks", **declared))
        grant(CommandLine(), members["Alice"], "lead", Place(study))
        confirm_import(alice, study, roster())
        at(OVER)
        return study

    return make


@pytest.fixture
def study(study_with):
    """The study whose councils send a row a person."""
    return study_with()


@pytest.fixture
def file(tmp_path):
    """A function that writes an extract: its text, or rows of identifier and days."""

    def write(*rows, text=None, name="absence.csv", encoding="utf-8"):
        if text is None:
            text = "\n".join(["Staff reference,Days off", *(f"{ref},{days}" for ref, days in rows)]) + "\n"
        path = tmp_path / name
        path.write_text(text, encoding)
        return ExtractFile(path)

    return write


@pytest.fixture
def person(study):
    """A function that finds somebody by the reference of the roster."""
    from equipoise.platform.people.contacts import identifier_digest
    from equipoise.platform.people.models import Participant

    def find(ref):
        digest = identifier_digest(study, "staff_ref", ref)
        return Participant.objects.select_related("study").get(lookups__digest=digest)

    return find
