"""HR extracts in the protocol: what they declare, what is refused and where, and what stays as it was."""

import re
from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from equipoise.errors import ProtocolError
from equipoise.protocol import current_hash, load_study
from equipoise.protocol.canonical import plain
from equipoise.protocol.extracts import Days, days_of, kept_ranges, measured, reading_columns
from equipoise.protocol.models.conduct import DataSource
from equipoise.protocol.models.extracts import Extract
from equipoise.protocol.models.outcomes import Outcome

LOG = "  log: {kind: usage-log, partners: [north], columns: {minutes: Minutes of use}}\n"
EXTRACT = (
    LOG
    + """\
  absence:
    kind: hr-extract
    extract:
      windows:
        before: {from: launch - 12 weeks, to: launch}
        after: {from: launch, to: 2021-05-23}
      columns:
        days_off: {type: number, low: 0, label: Days off}
        until: {type: date, required: false}
"""
)
DAYS = "  days: {question: feeling.days_off, waves: [after], scale: count, range: [0, 20], good: low}\n"
SICKNESS = DAYS + "  sickness: {column: days_off, waves: [after], range: [0, 84], good: low}\n"
TOLD = "progression:\n"
PRIVACY = "privacy: {linkage: Records of absence are joined under a code.}\n" + TOLD
WHOLE = (
    ("protocol.yaml", LOG, EXTRACT),
    ("protocol.yaml", DAYS, SICKNESS),
    ("protocol.yaml", TOLD, PRIVACY),
)
SPELLS = """\
      columns:
        first_day: {type: date, format: '%d/%m/%Y'}
        last_day: {type: date, format: '%d/%m/%Y', required: false}
      spells: {first: first_day, last: last_day, days: weekdays, gives: days_off}
"""
COLUMNS = EXTRACT[EXTRACT.index("      columns:\n        days_off") :]


def test_the_windows_are_whole_days_that_neither_overlap_nor_leave_a_gap(changed):
    protocol = changed(*WHOLE).protocol
    assert days_of(protocol, "absence", "before") == Days(date(2020, 12, 7), date(2021, 2, 28))
    assert days_of(protocol, "absence", "after") == Days(date(2021, 3, 1), date(2021, 5, 23))


def test_the_outcome_has_a_column_for_each_window_as_for_a_wave(changed):
    found = measured(changed(*WHOLE).protocol)
    assert [(one.outcome, one.window, one.frame_column, one.sources) for one in found] == [
        ("sickness", "before", "sickness_before", ("absence",)),
        ("sickness", "after", "sickness", ("absence",)),
    ]


def test_a_file_is_read_by_the_identifier_and_what_is_declared(changed):
    protocol = changed(*WHOLE).protocol
    assert list(reading_columns(protocol, "absence")) == ["ref", "days_off", "until"]
    assert kept_ranges(protocol, "absence") == {"days_off": (0, 84)}


def test_spells_give_the_column_that_outcomes_name(changed):
    protocol = changed(*WHOLE, ("protocol.yaml", COLUMNS, SPELLS)).protocol
    assert {one.column for one in measured(protocol)} == {"days_off"}
    assert list(reading_columns(protocol, "absence")) == ["ref", "first_day", "last_day"]


def test_two_systems_may_give_one_column_each_for_its_partners(changed):
    other = """\
  payroll:
    kind: hr-extract
    partners: [south]
    extract: {windows: {after: {from: launch, to: 2021-05-23}}, columns: {days_off: {type: integer}}}
"""
    two = (
        *WHOLE,
        ("protocol.yaml", "    kind: hr-extract\n", "    kind: hr-extract\n    partners: [north]\n"),
        ("protocol.yaml", "  absence:\n", other + "  absence:\n"),
        ("protocol.yaml", "  north: {name", "  south: {name: The south}\n  north: {name"),
    )
    found = measured(changed(*two).protocol)
    assert {one.window: one.sources for one in found} == {
        "before": ("absence",),
        "after": ("payroll", "absence"),
    }


def test_a_study_without_an_extract_is_spelled_out_as_before(small: Path):
    written = plain(load_study(small).protocol)
    assert list(written["sources"]["log"]) == ["kind", "partners", "file", "columns", "label"]


def test_another_bound_of_a_window_is_another_study(changed, small: Path):
    before = current_hash(changed(*WHOLE))
    assert current_hash(changed(("protocol.yaml", "to: 2021-05-23", "to: 2021-05-24"))) != before


REFUSED = {
    "another kind": (
        [("    kind: hr-extract\n", "    kind: usage-log\n")],
        'small/protocol.yaml:41: sources.absence: `extract` belongs to `kind: hr-extract`; found usage-log',
    ),
    "no such wave": (
        [("        before: {from: launch - 12", "        befor: {from: launch - 12")],
        'small/protocol.yaml:45: sources.absence.extract.windows.befor: "befor" is not a wave of this study, by '
        'which a window goes. Waves: before, after. Did you mean "before"?',
    ),
    "no such time": (
        [("to: 2021-05-23", "to: lunch")],
        'small/protocol.yaml:46: sources.absence.extract.windows.after.to: "lunch" is not a time of this study. '
        "Times: ",
    ),
    "days of one's own": (
        [("to: 2021-05-23", "to: enrolled + 2 weeks")],
        "small/protocol.yaml:46: sources.absence.extract.windows.after.to: a window has the same days for everybody; "
        "begin from launch or a date",
    ),
    "no day": (
        [("to: 2021-05-23", "to: launch")],
        "small/protocol.yaml:46: sources.absence.extract.windows.after: the window has no day: it begins on "
        "2021-03-01 and its last day is 2021-02-28",
    ),
    "no outcome": (
        [("{column: days_off, waves: [after]", "{question: feeling.days_off, waves: [after]")],
        "small/protocol.yaml:48: sources.absence.extract.columns.days_off: no outcome has `column: days_off`, and "
        "what nobody needs is not to be asked for; leave it out, or declare the outcome",
    ),
    "a roster column": (
        [("        until: {type: date", "        started_on: {type: date")],
        'small/protocol.yaml:49: sources.absence.extract.columns.started_on: "started_on" is a roster column '
        "already; choose another name",
    ),
    "no such window": (
        [("        after: {from: launch, to: 2021-05-23}\n", "")],
        'outcomes.sickness.waves.0: "after" is not a window of the extract that gives this outcome. Windows: before.',
    ),
    "which window": (
        [("{column: days_off, waves: [after], ", "{column: days_off, ")],
        "outcomes.sickness: `waves:` says in which windows this outcome is measured: before, after",
    ),
    "nobody is told": (
        [(PRIVACY, TOLD)],
        "sources.absence.extract: people have to be told: ask for it under `participants: consent: linkage`, or say "
        "it in `privacy: linkage`",
    ),
    "unlinked": (
        [("privacy: {linkage", "privacy: {answers: unlinked, linkage")],
        "promises that answers are not tied to people, and this ties them",
    ),
    "open link": (
        [("  derived:\n", "  enrolment: open-link\n  derived:\n"), ("  when: launch\n", "  when: enrolled\n")],
        "people who come by an open link have no identifier, so no extract finds them",
    ),
    "spells beside numbers": (
        [(COLUMNS, COLUMNS + "      spells: {first: until, last: until, gives: off}\n")],
        "with `spells` the columns are the two dates that `first` and `last` name, and no others; found days_off, "
        "until",
    ),
    "two for everybody": (
        [
            (
                "  absence:\n",
                "  other:\n    kind: hr-extract\n    extract: {windows: {after: {from: launch, to: 2021-05-23}}, "
                "columns: {days_off: {type: integer}}}\n  absence:\n",
            )
        ],
        '"days_off" comes from other and absence; `partners:` of each has to say for whom, and no partner may be '
        "named twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", REFUSED)
def test_what_does_not_fit_is_refused_with_its_line(title, small: Path, problems):
    patches, said = REFUSED[title]
    found = problems(*WHOLE, *(("protocol.yaml", old, new) for old, new in patches))
    assert any(said in problem for problem in found), found
    assert all(problem.startswith("small/protocol.yaml:") for problem in found)


def test_the_examples_of_the_guide_are_extracts():
    guide = (Path(__file__).parents[3] / "docs" / "how-to" / "import-hr-data.md").read_text("utf-8")
    whole, spells = re.findall(r"```yaml\n(.*?)```", guide, re.S)
    written = YAML(typ="safe").load(whole)
    extract = DataSource.model_validate(written["sources"]["absence"]).extract
    assert extract.gives == (Outcome.model_validate(written["outcomes"]["absence"]).column,)
    assert list(extract.windows) == ["before", "after"]
    other = Extract.model_validate({"windows": extract.windows, **YAML(typ="safe").load(spells)})
    assert other.gives == ("days_off",)


def test_a_column_of_text_is_no_outcome(small: Path, problems):
    found = problems(*WHOLE, ("protocol.yaml", "days_off: {type: number", "days_off: {type: text"))
    assert any("Allowed: integer, number, yes-no, date" in problem for problem in found)


def test_a_window_has_to_be_there(small: Path, changed):
    with pytest.raises(ProtocolError, match="at least 1"):
        changed(
            *WHOLE,
            ("protocol.yaml", EXTRACT[EXTRACT.index("      windows:") :], "      windows: {}\n" + COLUMNS),
        )
