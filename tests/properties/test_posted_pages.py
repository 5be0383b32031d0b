"""Whatever a form sends, a page reads it or refuses it; what it keeps comes back into the same fields."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.protocol.answering import form_fields, read_answers
from equipoise.protocol.columns import answer_columns
from equipoise.protocol.folder import load_study
from equipoise.protocol.journey import rules
from equipoise.protocol.questionnaire import questionnaire
from equipoise.protocol.replies import field_names

STUDY = load_study(Path(__file__).parents[1] / "unit" / "protocol" / "kinds")
MET, RULES = questionnaire(STUDY, "work"), rules(STUDY, "work")
COLUMNS = {column.name: column for column in answer_columns(STUDY, "work")}
LIKELY = st.sampled_from(
    ["", "yes", "no", "1", "2", "3", "60", "40", "nurse", "something_else", "car", "phone", "blue", "37 hours",
     "March", "2021", "3 March 2021", "__refused", "__dont_know", "1,200", "2.5", "-0", "1e400", "٣", "Porter"]
)  # fmt: skip
TYPED = st.lists(LIKELY | st.text(max_size=30), max_size=2)


@st.composite
def posted(draw: st.DrawFn) -> tuple[str, dict[str, list[str]]]:
    """A page and a form with some of its fields, likely or wild."""
    page = draw(st.sampled_from(MET.pages))
    names = [name for asked in page.asked for name in field_names(asked)]
    return page.id, draw(st.dictionaries(st.sampled_from(names), TYPED, max_size=8))


@settings(max_examples=400, deadline=None)
@given(posted())
def test_a_form_is_read_or_refused_and_what_is_kept_is_what_its_column_can_hold(
    sent: tuple[str, dict[str, list[str]]],
) -> None:
    name, form = sent
    try:
        reading = read_answers(MET.page(name), form, rules=RULES, facts={"team": "red"})
    except InputError:
        return
    json.dumps({**reading.answers, **reading.reasons})
    for column, value in reading.answers.items():
        declared = COLUMNS[column]
        if declared.levels is not None:
            assert value in declared.levels
        if declared.type in ("number", "integer"):
            assert isinstance(value, int | float)
            assert declared.low is None or value >= declared.low
            assert declared.high is None or value <= declared.high
    assert all(str(fault).strip() for fault in reading.problems.values())


@settings(max_examples=400, deadline=None)
@given(posted())
def test_what_is_kept_comes_back_into_the_same_fields(sent: tuple[str, dict[str, list[str]]]) -> None:
    name, form = sent
    page = MET.page(name)
    try:
        reading = read_answers(page, form, rules=RULES)
    except InputError:
        return
    if reading.complete:
        again = read_answers(page, form_fields(page, reading.answers, reading.reasons), rules=RULES)
        assert (again.answers, again.reasons) == (reading.answers, reading.reasons)
