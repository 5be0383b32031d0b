from fractions import Fraction

import pytest

from equipoise.errors import DesignError, ProtocolError
from equipoise.protocol.contrasts import expand_contrasts, parse_contrast

FACTORS = {
    "arm": ("control", "messages", "call"),
    "incentive": ("0", "100"),
    "bonus": ("no", "yes"),
    "ethnicity": ("white", "black", "asian"),
    "presented": ("joint", "separate"),
    "team": ("White City", "Hull"),
}


def read(text):
    return parse_contrast(text, FACTORS, "arm")


def cells(text):
    return {" ".join(f"{f}.{v}" for f, v in cell): weight for cell, weight in read(text).cells}


@pytest.mark.parametrize(
    ("text", "canonical", "weights"),
    [
        ("messages-control", "messages - control", (-1, 1, 0)),
        ("  messages   -  control ", "messages - control", (-1, 1, 0)),
        (
            "(messages+call)/2-control",
            "(messages + call) / 2 - control",
            (-1, Fraction(1, 2), Fraction(1, 2)),
        ),
        (
            "0.1*messages + 0.9 * call - control",
            "0.1 * messages + 0.9 * call - control",
            (-1, Fraction(1, 10), Fraction(9, 10)),
        ),
        ("-control + call", "-control + call", (-1, 0, 1)),
        ("-(control - call) / 3", "-(control - call) / 3", (Fraction(-1, 3), 0, Fraction(1, 3))),
        ("(messages - control) - (call - control)", "(messages - control) - (call - control)", (0, 1, -1)),
        ("arm.call - arm.control", "arm.call - arm.control", (-1, 0, 1)),
    ],
)
def test_arms_are_weighed_exactly(text, canonical, weights):
    assert read(text).text == canonical
    assert read(text).weights(FACTORS["arm"]) == weights
    assert read(canonical) == read(text)


def test_levels_of_a_factor_are_compared_over_the_other_factors():
    assert cells("incentive.100 - incentive.0") == {"incentive.100": 1, "incentive.0": -1}
    assert read("incentive.100 - incentive.0").factors == ("incentive",)


def test_a_level_with_a_space_stands_in_quotes():
    assert cells("team.'White City' - team.Hull") == {"team.White City": 1, "team.Hull": -1}


def test_an_interaction_is_a_difference_of_differences():
    expected = {
        "bonus.yes incentive.100": 1,
        "bonus.yes incentive.0": -1,
        "bonus.no incentive.100": -1,
        "bonus.no incentive.0": 1,
    }
    assert cells("incentive x bonus") == expected == cells("bonus × incentive")
    assert read("bonus×incentive").text == "bonus x incentive"
    written = "(incentive.100 - incentive.0 within bonus.yes) - (incentive.100 - incentive.0 within bonus.no)"
    assert cells(written) == expected
    assert read(written).factors == ("bonus", "incentive")


def test_an_interaction_of_more_levels_takes_the_pair_that_is_meant():
    with pytest.raises(
        ProtocolError, match=r"3 levels \(white, black, asian\).*\(ethnicity.asian - ethnicity.white\)"
    ):
        read("ethnicity x presented")
    assert cells("(ethnicity.black - ethnicity.white) x presented") == {
        "ethnicity.black presented.separate": 1,
        "ethnicity.white presented.separate": -1,
        "ethnicity.black presented.joint": -1,
        "ethnicity.white presented.joint": 1,
    }


def test_within_looks_at_one_level_of_other_factors():
    assert cells("ethnicity.black - ethnicity.white within presented.joint and bonus.yes") == {
        "bonus.yes ethnicity.black presented.joint": 1,
        "bonus.yes ethnicity.white presented.joint": -1,
    }


def test_each_is_every_other_arm_against_one():
    found = [contrast.text for contrast in expand_contrasts("each-control", FACTORS, "arm")]
    assert found == ["messages - control", "call - control"]
    found = [
        c.text for c in expand_contrasts("each - ethnicity.white within presented.joint", FACTORS, "arm")
    ]
    assert found == [
        "ethnicity.black - ethnicity.white within presented.joint",
        "ethnicity.asian - ethnicity.white within presented.joint",
    ]


def test_all_pairs_are_the_later_arm_minus_the_earlier():
    found = [contrast.text for contrast in expand_contrasts("all pairs", FACTORS, "arm")]
    assert found == ["messages - control", "call - control", "call - messages"]
    assert [c.text for c in expand_contrasts("all pairs of bonus", FACTORS, "arm")] == [
        "bonus.yes - bonus.no"
    ]
    assert [c.text for c in expand_contrasts("all pairs of team", FACTORS, "arm")] == [
        "team.Hull - team.'White City'"
    ]


def test_strategies_are_kept_as_written_and_not_yet_supported():
    text = "main=messages  then second=call if !answered(checkin)"
    found = read(text)
    assert found.text == "main=messages then second=call if !answered(checkin)"
    assert found.strategies == (found.text,)
    assert (found.supported, read("call - control").supported) == (False, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "mesages - control",
            '"mesages" is not an arm. Arms: control, messages, call. Did you mean "messages"?',
        ),
        (
            "incentive.10 - incentive.0",
            '"10" is not a level of incentive. Levels: 0, 100. Did you mean "100"?',
        ),
        ("bonuses.yes - bonus.no", 'Did you mean "bonus"?'),
        ("messages", "its weights sum to 1"),
        ("messages + control", "its weights sum to 2"),
        ("messages / 2 - control", "its weights sum to -1/2"),
        ("messages - messages", "it compares nothing"),
        ("messages - 1", "a bare number"),
        ("messages * control", "an interaction is written with `x`"),
        ("messages / control", "needs a number beside it"),
        ("messages / 0 - control", "divides by zero"),
        ("messages - (control", "a bracket is not closed"),
        ("messages control", '"control" was not expected here'),
        ("messages -", "its end stands where an arm was expected"),
        ("messages - control within", "a level to look within"),
        ("messages - control within arm.call", "crosses arm with itself"),
        ("messages - control within bonus.yes and bonus.no", "names bonus twice"),
        ("messages x bonus", "each side of `x` is a factor"),
        ("bonus - incentive", '"bonus" is not an arm'),
        ("messages > control", '">" in "messages > control" is no part of a contrast'),
        ("(" * 30 + "messages - control" + ")" * 30, "more than 20 deep"),
        ("-" * 30 + "messages", "more than 20 deep"),
        ("messages" + " + messages" * 200, "at most 1,000"),
        ("", "an empty contrast"),
        ("each - control - call", "takes one arm"),
        (
            "all pairs of arms",
            'Factors: arm, bonus, ethnicity, incentive, presented, team. Did you mean "arm"?',
        ),
        ("each - control", "is short for 2 contrasts where one is wanted"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed(text, message):
    with pytest.raises(ProtocolError) as refusal:
        read(text)
    assert message in str(refusal.value)


def test_shorthands_of_a_single_arm_compare_nothing():
    for text in ("all pairs", "each - control"):
        with pytest.raises(ProtocolError, match="compares nothing"):
            expand_contrasts(text, {"arm": ("control",)}, "arm")


def test_weights_by_arm_are_refused_for_several_factors_and_strange_arms():
    with pytest.raises(DesignError, match="bonus, incentive"):
        read("incentive x bonus").weights(FACTORS["incentive"])
    with pytest.raises(DesignError, match='names the arm "call"'):
        read("call - control").weights(("control", "messages"))
