"""A message that is compiled once and filled: what a field holds is inert, and the mail reads back as it was."""

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html as parsed

from equipoise.errors import InputError
from equipoise.messages import compile_message
from equipoise.protocol.models.files import Message

LINK = "https://survey.example.org/s/abc?x=1&y=2"
STOP = "https://survey.example.org/stop/abc"
BODY = """# Hello {first_name},

We would like to know
how *{team}* is doing, {{really}}.

[Start the survey]({link})

- one [list](https://example.org/list?who={first_name}&n=1) of things
- `{team}` two
  1. deeper
  2. again

> {first_name} said
> so

Read [the notice](https://example.org/notice). To get no more messages: {stop_link}
"""
MESSAGE = compile_message(Message(subject="{first_name}: how is {team}?", body=BODY), language="en-GB")
HEADERS = {
    "sender": "Study team – Ü <study@example.org>",
    "to": "zoe@example.org",
    "reference": "0123456789abcdef",
    "unsubscribe": "https://survey.example.org/stop/one-click/abc",
    "date": datetime(2027, 3, 1, 9, 30, tzinfo=UTC),
}


def filled(first_name="Zoë", team="north"):
    return {"first_name": first_name, "team": team, "link": LINK, "stop_link": STOP}


def compiled(body, subject=None, language="en-GB"):
    return compile_message(Message(subject=subject, body=body), language=language)


def read(raw):
    """The mail as the standard library reads it: headers, text, HTML."""
    mail = message_from_bytes(raw, policy=default)
    text, page = mail.iter_parts()
    return mail, *(part.get_content().replace("\r\n", "\n").removesuffix("\n") for part in (text, page))


LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


@given(first_name=LINE, team=LINE)
@example("Zoë", ".")
@example("=?utf-8?q?forged?=", "=_equipoise")
@example("x" * 3000, "ŵ" * 1000)
@example(" leading and trailing ", "  ")
@example("--=_equipoise--", "😀" * 40)
@example("", "\xa0\xa0\xa0𐀀")  # a line broken before the last dot
def test_a_mail_reads_back_to_the_same_subject_text_and_html(first_name, team):
    fields = filled(first_name, team)
    raw = MESSAGE.mime(fields, **HEADERS)
    mail, text, page = read(raw)
    assert mail["subject"] == MESSAGE.subject_line(fields)
    assert text == MESSAGE.text(fields)
    assert page == MESSAGE.html(fields)
    assert not mail.defects
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert b"\r\n.\r\n" not in raw


@given(team=st.text())
@example("a\rb\r\nc\n.\nd")
@example("\r\n.\r\nQUIT\r\n")
@example("\x00\x0b\x0c\x1c\x85\u2028\ud800")
def test_any_text_in_the_body_arrives_and_only_line_breaks_are_made_alike(team):
    message = compiled("{team}\n\n{team} more {team}", "Hello")
    raw = message.mime({"team": team}, **HEADERS)
    _, text, page = read(raw)
    assert text == message.text({"team": team}).replace("\ud800", "?")
    assert page == message.html({"team": team}).replace("\ud800", "?")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert b"\r\n.\r\n" not in raw


@given(first_name=LINE)
@example("[x](http://evil.example.org)")
@example("<b>x</b><script>alert(1)</script>")
@example('"><a href="http://evil.example.org">')
@example("http://evil.example.org/{link}")
@example("{link}{{}}*_`\\")
def test_a_value_adds_no_element_and_no_address(first_name):
    tags = [element.tag for element in parsed.fromstring(MESSAGE.html(filled("Zoe"))).iter()]
    page = parsed.fromstring(MESSAGE.html(filled(first_name or "x")))
    assert [element.tag for element in page.iter()] == tags
    assert [link.get("href").partition("?who=")[0] for link in page.iter("a")] == [
        LINK,
        "https://example.org/list",
        "https://example.org/notice",
        STOP,
    ]
    assert first_name in MESSAGE.text(filled(first_name))


def test_the_headers_are_those_that_a_mail_of_a_study_needs():
    mail, _, page = read(MESSAGE.mime(filled(), **HEADERS))
    assert mail["from"] == "Study team – Ü <study@example.org>"
    assert mail["to"] == "zoe@example.org"
    assert mail["subject"] == "Zoë: how is north?"
    assert mail["date"].datetime == HEADERS["date"]
    assert mail["message-id"] == "<0123456789abcdef@example.org>"
    assert mail["list-unsubscribe"] == "<https://survey.example.org/stop/one-click/abc>"
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["content-language"] == "en-GB"
    assert mail.get_content_type() == "multipart/alternative"
    assert '<html lang="en-GB" dir="ltr">' in page
    assert "List-Unsubscribe" not in MESSAGE.mime(filled(), **HEADERS | {"unsubscribe": ""}).decode()


@pytest.mark.parametrize("forged", ["a\r\nBcc: x@example.org", "a\nb", "a\rb", "a\x00", "a\u2028b", "a\x85b"])
def test_a_line_break_is_refused_in_every_header(forged):
    with pytest.raises(InputError, match="line break") as refused:
        MESSAGE.mime(filled(team=forged), **HEADERS)
    assert refused.value.problems[0].where == "team"
    for header in ("sender", "to", "reference", "unsubscribe"):
        with pytest.raises(InputError) as refused:
            MESSAGE.mime(filled(), **HEADERS | {header: forged})
        assert refused.value.problems[0].where in (header, "address")


@pytest.mark.parametrize(
    "address", ["", "zoe", "zoe@", "@example.org", "a b@example.org", "a@b>", "é@example.org"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InputError, match="not an e-mail address"):
        MESSAGE.mime(filled(), **HEADERS | {"to": address})


def test_a_domain_of_other_letters_is_written_as_servers_take_it():
    mail, *_ = read(MESSAGE.mime(filled(), **HEADERS | {"to": "zoe@exämple.org"}))
    assert mail["to"] == "zoe@xn--exmple-cua.org"


def test_a_field_without_a_value_is_an_error_that_names_it_and_never_a_blank():
    fields = {name: value for name, value in filled().items() if name != "team"}
    for fill in (MESSAGE.subject_line, MESSAGE.text, MESSAGE.html):
        with pytest.raises(InputError, match="no value") as refused:
            fill(fields)
        assert refused.value.problems[0].where == "team"


def test_fields_are_named_in_their_order_and_doubled_braces_are_braces():
    assert MESSAGE.fields == ("first_name", "team", "link", "stop_link")
    assert "how north is doing, {really}." in MESSAGE.text(filled())


def test_the_plain_text_reads_well():
    assert MESSAGE.text(filled()) == (
        "Hello Zoë,\n"
        "\n"
        "We would like to know how north is doing, {really}.\n"
        "\n"
        f"Start the survey: {LINK}\n"
        "\n"
        "- one list (https://example.org/list?who=Zo%C3%AB&n=1) of things\n"
        "- north two\n"
        "  1. deeper\n"
        "  2. again\n"
        "\n"
        "> Zoë said so\n"
        "\n"
        f"Read the notice (https://example.org/notice). To get no more messages: {STOP}"
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Line\\\nbreak", "Line\nbreak"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("- a\n\n- b\n\n  c", "- a\n\n- b\n\n  c"),
        ("```\ncode\n\nmore\n```", "    code\n\n    more"),
        ("a\n\n---\n\nb", "a\n\n----\n\nb"),
        ("Write to [us](mailto:a@example.org).", "Write to us (a@example.org)."),
        ("Ring [01632 960001](tel:01632960001)", "Ring 01632 960001: 01632960001"),
        ("<https://example.org/a>", "https://example.org/a"),
        ("**bold** _and_ `code` &amp; &lt;", "bold and code & <"),
    ],
)
def test_markdown_becomes_plain_text(body, text):
    assert compiled(body).text({}) == text


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "a <b onclick=x>b</b>",
        "[x](javascript:alert(1))",
        "[x](JAVASCRIPT:alert(1))",
        "[x](data:text/html,x)",
        "[x]({team})",
        "[x](/relative)",
        "![x](javascript:alert(1))",
    ],
)
def test_html_and_strange_addresses_of_an_author_stay_text(body):
    page = parsed.fromstring(compiled(body).html({"team": "javascript:alert(1)"}))
    tags = {element.tag for element in page.iter()}
    assert tags <= {"html", "head", "meta", "title", "body", "main", "p"}
    assert "x" in page.text_content() or "alert" in page.text_content() or "b" in page.text_content()


def test_a_bare_link_of_ours_is_a_link_and_one_in_words_is_not_doubled():
    page = parsed.fromstring(
        compiled("Stop: {stop_link}. [{link}]({link})").html({"stop_link": STOP, "link": LINK})
    )
    assert [(link.get("href"), link.text) for link in page.iter("a")] == [(STOP, STOP), (LINK, LINK)]
    assert "Stop: " + STOP + "." in page.text_content()


def test_every_style_is_inline_and_there_is_no_table_picture_or_script():
    page = MESSAGE.html(filled())
    assert not re.search(r"<(table|style|script|img|link)\b", page)
    assert parsed.fromstring(page).find(".//title").text == "Zoë: how is north?"


def test_a_language_written_from_the_right_says_so():
    assert '<html lang="ur" dir="rtl">' in compiled("x", language="ur").html({})
