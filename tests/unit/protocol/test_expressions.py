import subprocess
import sys
from datetime import UTC, date, datetime

import polars as pl
import pytest

from equipoise.errors import InputError, ProtocolError
from equipoise.protocol.expressions import FUNCTIONS, ColumnType, Schema, check_expression, compile_expression

SCHEMA = Schema(
    columns={
        "started_on": ColumnType("date"),
        "mobile": ColumnType("phone"),
        "cohort": ColumnType("category", ("2020", "2021")),
        "band": ColumnType("category", ("low", "high")),
        "region": ColumnType("category"),
        "age": ColumnType("integer"),
        "score": ColumnType("number"),
        "trained": ColumnType("yes-no"),
        "derived": ColumnType("any"),
    },
    waves=("before", "checkin"),
    contacts=("weekly-message",),
)

REFUSED = [
    ("affe > 1", '"affe" is not known here. Names: started_on, mobile'),
    ("ages > 1", 'Did you mean "age"?'),
    ("age > high", "A text stands in quotes."),
    ("cohort == '2022'", '"2022" is not one of the levels. Levels: 2020, 2021. Did you mean "2021"?'),
    ("'2022' != cohort", '"2022" is not one of the levels'),
    ("cohort in ['2020', '2012']", '"2012" is not one of the levels'),
    ("(trained ? 'low' : 'mid') == band", '"mid" is not one of the levels'),
    ("cohort == band", "no level in common"),
    ("'a' == 'b'", "can never hold"),
    ("cohort == 2021", "write '2021'"),
    ("cohort < '2021'", "has no order"),
    ("mobile > 'a'", "has no order"),
    ("trained < true", "has no order"),
    ("age > '3'", "a number is written without quotes"),
    ("started_on <= '2021-01-01'", "date('2021-01-31')"),
    ("started_on <= 3", "compares a date with a number"),
    ("date('2021-02-30') < launch", "cannot be read"),
    ("date('1 May') < launch", "write it as in date('2021-01-31')"),
    ("date(region) < launch", "takes a text in quotes"),
    ("timestamp('2021-01-01T09:00') < launch", "cannot be read"),
    ("launch - started_on > duration('2 months')", "cannot be read"),
    ("started_on + started_on > launch", "cannot join a date and a date"),
    ("age && trained", "`&&` needs yes or no, but age is a number"),
    ("trained || 'x' == region || age", "`||` needs yes or no"),
    ("!age", "`!` needs yes or no"),
    ("!age > 3", "`!` needs yes or no"),
    ("-region == 'a'", "`-` needs a number"),
    ("age + region > 3", "cannot join a number and a category"),
    ("age / 0 > 1", "divides by zero"),
    ("1 < age < 3", "two comparisons follow each other"),
    ("age == score == true", "two comparisons follow each other"),
    ("age = 3", "a comparison is written `==`"),
    ("age > 3 and trained", "write `&&`"),
    ("trained == True", "write `true`"),
    ("not trained", "write `!`"),
    ("age % 2 == 0", "no remainder"),
    ("region == ‘north’", "quotation marks are straight"),
    ("region == 'north", "a quotation mark is not closed"),
    ("region == r'north'", "no letters before its quotation mark"),
    (r"region == 'nor\x74h'", "is not allowed"),
    ("age == 3u", "neither a number nor a name"),
    ("age == 0x1F", "neither a number nor a name"),
    ("age == 1e999", "too large a number"),
    ("region in 'north'", "after `in` comes a list"),
    ("region in []", "an empty list"),
    ("region in ['a', 3]", "of one type"),
    ("age in ['a']", "compares a number with text"),
    ("[[1], [2]] == [[1]]", "of one type"),
    ("[1, 2][0] == 1", "cannot be picked out"),
    ("{'a': 1} == age", "there are no maps"),
    ("age > null", "null stands only in tests"),
    ("lower(region) == null", "null stands only in tests"),
    ("null == null", "null stands only in tests"),
    ("region.lower == 'a'", "nothing else follows a dot"),
    ("lowr(region) == 'a'", 'Did you mean "lower"?'),
    ("has(age)", '"has" is not a function'),
    ("size(region, region) > 1", "takes 1 value"),
    ("size(age) > 1", "`size` needs text"),
    ("contains(region, 'a')", "is written TEXT.contains(PART)"),
    ("region.years_between(launch) > 1", "is written years_between(EARLIER, LATER)"),
    ("years_between(age, launch) > 1", "`years_between` needs a date"),
    ("answered(chekin)", 'Waves: before, checkin. Did you mean "checkin"?'),
    ("answered('checkin')", "is not a wave known here"),
    ("sent(weekly-mesage)", 'Did you mean "weekly-message"?'),
    ("region.answered()", "nothing else follows a dot"),
    ("trained ? 1 : 'a'", "the two results of a choice"),
    ("age ? true : false", "`?` needs yes or no"),
    ("trained ? true", "expected a `:`"),
    ("trained ? trained ? true : false : true", "a choice inside a choice needs brackets"),
    ("age.exists(a, a > 1)", "needs a list before it"),
    ("[age].exists(age, age > 1)", "choose a name that is not used"),
    ("[age].exists(a > 1)", "write it as in"),
    ("[age].all(a, a)", "`all` needs yes or no"),
    ("[age].all(a, a > 1) && [age].exists(a, a > 1)", "at most one is allowed"),
    ("(age > 3", "a closing bracket"),
    ("age > 3)", "expected an operator"),
    ("age >", "the expression ends"),
    ("age > 3 trained", '"trained" stands at character 9'),
    ("", "the expression is empty"),
    ("   ", "the expression is empty"),
    ("age > 3 // old", "a number"),
    ("age", "the expression gives a number; it must give yes or no"),
    ("region", "the expression gives a category; it must give yes or no"),
    ("[trained]", "the expression gives a list"),
    ("null", "the expression gives null"),
    ("launch - launch", "the expression gives a length of time"),
    ("(" * 21 + "trained" + ")" * 21, "nested more than 20 deep"),
    ("!" * 25 + "trained", "nested more than 20 deep"),
    ("region" + ".lower()" * 25 + " == 'a'", "nested more than 20 deep"),
    ("trained ? true : " * 25 + "true", "nested more than 20 deep"),
    ("age in [" + "1, " * 50 + "1]", "a list of 51 items; at most 50"),
    ("age > 1 &&" * 100 + " trained", "the expression has 1,008 characters; at most 1,000"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_wrong_is_said_with_what_is_allowed(text, message):
    messages = check_expression(text, SCHEMA, expects="bool")
    assert any(message in found for found in messages), messages
    with pytest.raises(ProtocolError):
        compile_expression(text, SCHEMA, expects="bool")


def test_all_faults_of_an_expression_are_told_at_once():
    messages = check_expression("ages > 1 && cohort == '2022' && answered(chekin)", SCHEMA)
    assert len(messages) == 3


def test_a_number_is_wanted_where_a_measure_stands():
    assert check_expression("age * 2", SCHEMA, expects="double") == []
    assert check_expression("trained", SCHEMA, expects="double") == [
        "the expression gives yes or no; it must give a number"
    ]


def test_nothing_is_checked_of_a_column_whose_type_is_not_known():
    for text in ("derived > 3", "derived == 'a'", "derived && trained", "derived + 1 > 2", "age in derived"):
        assert check_expression(text, SCHEMA, expects="bool") == []


def test_a_long_chain_is_read_without_nesting():
    text = " + ".join(["1"] * 240)
    assert compile_expression(text, SCHEMA).evaluate([{}]) == [240.0]


def test_names_functions_and_columns_are_told():
    found = compile_expression("sent(weekly-message) && lower(region) == 'a' && launch == null", SCHEMA)
    assert found.names == ("launch", "region")
    assert found.functions == ("lower", "sent")
    assert found.columns == ("region", "sent_weekly_message")
    assert found.kind == "bool"


def test_quotation_marks_and_escapes_keep_what_looks_like_a_number_or_null():
    schema = Schema({"note": ColumnType("text")})
    found = compile_expression(r"""note == 'it\'s 1 == null' || note == "a \"2\"" """, schema)
    rows = [{"note": "it's 1 == null"}, {"note": 'a "2"'}, {"note": "1"}]
    assert found.evaluate(rows) == [True, True, False]


def test_letters_are_compared_in_one_form_of_unicode():
    schema = Schema({"place": ColumnType("category", ("Môn",))})
    composed, decomposed = "place == 'Môn'", "place == 'Mo\u0302n'"
    assert check_expression(decomposed, schema) == []
    assert compile_expression(composed, schema).evaluate([{"place": "Mo\u0302n"}]) == [True]


def test_a_comparison_with_an_unsettled_launch_is_unknown():
    assert compile_expression("started_on <= launch", SCHEMA).evaluate(
        [{"started_on": date(2020, 1, 1)}]
    ) == [None]


def test_a_date_is_midnight_in_the_zone_of_the_study():
    row = {"started_on": date(2021, 7, 1)}
    for zone, expected in (("Europe/London", 23), ("UTC", 0), ("America/New_York", 4)):
        schema = Schema({"started_on": ColumnType("date")}, zone=zone)
        (found,) = compile_expression("started_on", schema).evaluate([row])
        assert isinstance(found, datetime)
        assert (found.tzinfo, found.hour) == (UTC, expected)


def test_a_fact_without_its_column_is_unknown_and_a_frame_without_it_refused():
    found = compile_expression("answered(checkin)", SCHEMA)
    assert found.evaluate([{}, {"answered_checkin": None}, {"answered_checkin": float("nan")}]) == [
        None,
        False,
        False,
    ]
    with pytest.raises(InputError, match="the data lack the columns answered_checkin"):
        found.evaluate_frame(pl.DataFrame({"age": [1]}))


def test_a_count_of_nought_sent_is_not_sent():
    found = compile_expression("sent(weekly-message)", SCHEMA)
    frame = pl.DataFrame({"sent_weekly_message": [0, 2, None]})
    assert found.evaluate_frame(frame).to_list() == [False, True, False] == found.evaluate(frame.to_dicts())


def test_values_of_other_types_than_declared_are_all_told():
    found = compile_expression("age > 3 && trained", SCHEMA)
    with pytest.raises(InputError) as refusal:
        found.evaluate([{"age": "old", "trained": True}, {"age": 3, "trained": "perhaps"}])
    assert [str(problem) for problem in refusal.value.problems] == [
        'row 1: age: found "old", expected a finite number',
        'row 2: trained: found "perhaps", expected yes or no',
    ]


def test_levels_that_a_file_gave_as_numbers_are_text():
    rows = [{"cohort": 2021}, {"cohort": 2021.0}, {"cohort": "2021"}]
    assert compile_expression("cohort == '2021'", SCHEMA).evaluate(rows) == [True, True, True]


def test_a_frame_answers_in_the_type_of_the_expression_and_in_its_order():
    frame = pl.DataFrame({"age": [3, None, 1, 3], "region": ["a", "b", None, "a"]})
    assert compile_expression("age > 2", SCHEMA).evaluate_frame(frame).dtype == pl.Boolean
    assert compile_expression("age + 1", SCHEMA).evaluate_frame(frame).to_list() == [4.0, None, 2.0, 4.0]
    assert compile_expression("region != null", SCHEMA).evaluate_frame(frame).to_list() == [
        True,
        True,
        False,
        True,
    ]
    assert compile_expression("true", SCHEMA).evaluate_frame(frame).to_list() == [True] * 4
    assert compile_expression("age > 2", SCHEMA).evaluate_frame(frame.clear()).to_list() == []


def test_every_function_has_an_example_that_says_how_it_is_written():
    for name, signature in FUNCTIONS.items():
        assert name in signature.usage
        assert signature.meaning


def test_checking_does_not_load_the_evaluator():
    program = (
        "import sys; from equipoise.protocol.expressions import *; "
        "check_expression('a > 1', Schema({'a': ColumnType('number')})); sys.exit('cel' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
