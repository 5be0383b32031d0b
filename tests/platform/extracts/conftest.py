"""What the tests of HR extracts share: a study with extracts of absence, its people, and files as councils send
them. Everybody is made up."""

from datetime import UTC, datetime

import pytest

from equipoise.platform.extracts.reading import ExtractFile
from equipoise.platform.extracts.scopes import Scope
from equipoise.platform.people.actions import confirm_import

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
OUTCOME = "  absence: {column: days_off, waves: [after], role: exploratory, range: [0, 84], unit: days}\n"
HEADER = "Staff reference,Work e-mail,Local authority,Team,Date of starting in post"
LAUNCH = datetime(2021, 3, 2, 10, tzinfo=UTC)
OVER = datetime(2021, 6, 1, 12, tzinfo=UTC)
AFTER = Scope("absence", "after")
BEFORE = Scope("absence", "before")


def declare(sources=SOURCES, consent="    linkage: opt-out\n"):
    """A change of the example: extracts of absence, and how people agree that they are joined."""

    def change(folder):
        path = folder / "protocol.yaml"
        text = path.read_text("utf-8")
        text = text.replace("\noutcomes:\n", f"\n{sources}\noutcomes:\n{OUTCOME}")
        path.write_text(text.replace("  consent:\n", f"  consent:\n{consent}"), "utf-8")

    return change


@pytest.fixture
def roster(tmp_path):
    """A function that writes a roster of people N1, N2 ... of Northmoor and E1, E2 ... of Eastvale."""

    def write(northmoor=4, eastvale=2):
        lines = [HEADER]
        for authority, count in (("northmoor", northmoor), ("eastvale", eastvale)):
            lines += [
                f"{authority[0].upper()}{each},{authority}.{each}@example.org,{authority},Assessment,01/09/2019"
                for each in range(1, count + 1)
            ]
        path = tmp_path / "staff.csv"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return write


@pytest.fixture
def study_with(add_example, alice, roster, at):
    """A function that adds the study, with everybody enrolled; the windows are over."""

    def make(change=None, **people):
        study = add_example("symbolic-awards", change or declare())
        confirm_import(alice, study, roster(**people))
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
