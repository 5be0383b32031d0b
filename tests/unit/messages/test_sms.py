"""How a text message is counted: its alphabet, its parts, and the character that makes it dear."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.messages import measure, sms_cost

GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = "\f^{}\\[~]|€"


def test_the_basic_alphabet_has_127_characters_besides_the_escape_and_the_extension_ten():
    assert len(set(GSM)) == 127
    assert measure(GSM).encoding == "GSM-7"
    assert measure(GSM).characters == 127
    assert measure(ESCAPED).encoding == "GSM-7"
    assert measure(ESCAPED).characters == 20


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 918, "GSM-7", 918, 6),
        ("a" * 158 + "€", "GSM-7", 160, 1),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        # The escape would be the last of the first part: both places of it move on to the next.
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 306, 2),
        ("ŵ" * 70, "UCS-2", 70, 1),
        ("ŵ" * 71, "UCS-2", 71, 2),
        ("ŵ" * 134, "UCS-2", 134, 2),
        ("ŵ" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        # 67 places hold 33 of two places, and the 34th is not cut in two.
        ("😀" * 67, "UCS-2", 134, 3),
        ("’" + "a" * 69, "UCS-2", 70, 1),
    ],
)
def test_a_text_takes_so_many_parts(text, encoding, characters, parts):
    measured = measure(text)
    assert (measured.encoding, measured.characters, measured.parts) == (encoding, characters, parts)


@pytest.mark.parametrize(
    ("dear", "suggestion"),
    [("’", "'"), ("“", '"'), ("–", "-"), ("…", "..."), ("\u00a0", " "), ("ŵ", "w"), ("ê", "e"), ("😀", None)],
)
def test_a_dear_character_is_pointed_out_with_what_could_stand_there(dear, suggestion):
    assert measure(f"a{dear}b{dear}").dear == ((dear, suggestion),)


@given(st.text())
def test_what_is_suggested_makes_the_text_cheap_unless_nothing_can(text):
    measured = measure(text)
    if all(instead is not None for _, instead in measured.dear):
        for dear, instead in measured.dear:
            text = text.replace(dear, instead)
        assert measure(text).encoding == "GSM-7"


def test_what_a_text_costs_is_parts_times_people_times_price():
    assert sms_cost(measure("a" * 200), 1000, 0.0233) == pytest.approx(46.6)


def test_the_costed_example_of_the_guide_costs_what_it_says():
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "write-messages.md").read_text("utf-8")
    text = next(line for line in page.splitlines() if line.startswith("Don’t skip"))
    text = text.replace("{stop_link}", "https://survey.example.org/stop/" + "x" * 32)
    plain = text.replace("’", "'").replace("–", "-")
    assert f"This text has {measure(text).characters} characters" in page
    assert (measure(text).parts, measure(plain).parts) == (3, 1)
    for one in (text, plain):
        assert f"£{sms_cost(measure(one), 574 * 8, 0.0233):.2f}" in page
