"""Letters: one PDF that a person can read, a machine can read aloud, and a window envelope can carry."""

import io
import re
import zlib

import pytest
from pypdf import PdfReader, mult

from equipoise.errors import InputError
from equipoise.messages import compile_message
from equipoise.platform.delivery.channels.post import Letter, address_lines, letters_pdf
from equipoise.platform.delivery.files import make_file, making
from equipoise.platform.delivery.models import Dispatch, PartnerFile
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.actions import move_study
from equipoise.protocol.models.files import Message

from .conftest import BEFORE, set_out

HOME = ("Zoë Example", "Flat 2", "12 High Street", "Northmoor", "NM1 2AB")
MM = 72 / 25.4


def letter(body="Dear {name},\n\n[Start the survey]({link})", name="Zoë", **said):
    template = compile_message(Message(subject="How are you at work?", body=body), language="en-GB")
    link = "https://trial.example.org/survey/abcdefgh"
    return Letter(HOME, template, {"name": name, "link": link}, **said)


def pages_of(pdf):
    """The pages as a program independent of ours reads them."""
    return PdfReader(io.BytesIO(pdf)).pages


def text_of(pdf):
    return "\n".join(page.extract_text() for page in pages_of(pdf))


def placed(page):
    """Each text of a page with the left end of its baseline, in mm from the left and from the top."""
    found = []

    def note(text, current, matrix, *_):
        if text.strip():
            left, up = mult(matrix, current)[4:6]
            found.append((text.strip(), float(left) / MM, (float(page.mediabox.height) - float(up)) / MM))

    page.extract_text(visitor_text=note)
    return found


def test_the_document_is_tagged_for_reading_aloud_and_says_its_language_and_title():
    pdf = letters_pdf([letter()], "Letters of mod-ing")
    document = PdfReader(io.BytesIO(pdf))
    root = document.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("en-GB", True)
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert document.metadata.title == "Letters of mod-ing"
    assert b"pdfuaid:part" in _inflated(pdf)
    assert {"/H1", "/P"} <= set(_kinds(root["/StructTreeRoot"]))


def test_each_letter_is_on_pages_of_its_own_and_each_counts_its_own():
    long = letter("Word. " * 1500)
    pages = pages_of(letters_pdf([letter(), long, letter()], "x"))
    assert len(pages) == 2 + len(pages_of(letters_pdf([long], "x")))
    counted = [page.extract_text().split()[-3:] for page in pages]
    assert counted[0] == counted[-1] == ["1", "/", "1"]
    assert counted[1] == ["1", "/", str(len(pages) - 2)]


def test_the_address_stands_in_the_window_however_the_page_lies_in_its_envelope():
    (page,) = pages_of(letters_pdf([letter()], "x"))
    stand = [(left, top) for text, left, top in placed(page) if text in HOME]
    assert len(stand) == len(HOME)
    for left, baseline in stand:
        assert 20 <= left <= 30
        assert 57 <= baseline <= 79


def test_paper_shows_where_a_link_leads_and_what_a_field_holds_is_only_text():
    text = text_of(letters_pdf([letter(name='<img src="http://127.0.0.1:9/x">')], "x"))
    assert "Start the survey: https://trial.example.org/survey/abcdefgh" in text
    assert 'Dear <img src="http://127.0.0.1:9/x">,' in text


def test_an_address_of_one_column_is_broken_at_its_commas():
    assert address_lines("12 High Street, Northmoor , NM1 2AB") == ("12 High Street", "Northmoor", "NM1 2AB")
    assert address_lines("A\nFlat 2, Old Mill\nNorthmoor") == ("A", "Flat 2, Old Mill", "Northmoor")
    assert address_lines("") == ()


@pytest.fixture
def by_post(add_example, alice, tmp_path, at):
    """The third example with addresses, its invitation a letter; six people, the last without an address."""

    def change(folder):
        path = folder / "protocol.yaml"
        text = path.read_text("utf-8")
        identifier = "    staff_ref:  {type: text, role: identifier, label: Reference given by the partner}\n"
        home = "    home: {type: text, role: contact, required: false, label: Address}\n"
        text = text.replace(identifier, identifier + home)
        text = text.replace("invite: {channel: email,", "invite: {channel: letter,")
        path.write_text(text, "utf-8")

    study = add_example("mod-ing", change)
    path = tmp_path / "defence.csv"
    rows = [
        f'P{each},"{each} High Street, Northmoor, NM1 2AB",civilian,support,2020-09-0{each}'
        for each in range(1, 6)
    ]
    path.write_text(
        "\n".join(
            ["staff_ref,home,staff_type,directorate,started_on", *rows, "P6,,civilian,support,2020-09-06"]
        ),
        "utf-8",
    )
    confirm_import(alice, study, path, partner="defence")
    study = move_study(alice, study, "live")
    at(BEFORE)
    set_out(study, "after.invite", carrier="post", channel="letter")
    return study


@pytest.mark.django_db
def test_letters_of_a_study_go_to_addresses_of_its_roster_some_at_a_time(
    by_post, alice, tmp_path, monkeypatch
):
    monkeypatch.setattr(making, "MOST_LETTERS", 4)
    keys, seen = set(Participant.objects.values_list("key", flat=True)), ""
    for number in (4, 1):
        path = make_file(alice, by_post, "after.invite", 1, folder=tmp_path)
        assert path.name == "mod-ing-after-invite-1.pdf"
        text = text_of(path.read_bytes())
        assert text.count("NM1 2AB") == number
        assert "13 April 2021" in text
        assert sum(key in text for key in keys) == number
        seen += text
        path.unlink()
    assert sorted(re.findall(r"(\d) High Street", seen)) == ["1", "2", "3", "4", "5"]
    assert set(Dispatch.objects.values_list("state", flat=True)) == {"sending", "planned"}
    with pytest.raises(InputError, match="of 1 something that the message needs is missing"):
        make_file(alice, by_post, "after.invite", 1, folder=tmp_path)
    assert [row.counts["people"] for row in PartnerFile.objects.order_by("pk")] == [4, 1]


def _kinds(node):
    """The kinds of elements in the tree of tags."""
    if isinstance(node, dict) and "/S" in node:
        yield node["/S"]
    below = node.get("/K", []) if isinstance(node, dict) else []
    for one in below if isinstance(below, list) else [below]:
        yield from _kinds(one.get_object() if hasattr(one, "get_object") else one)


def _inflated(pdf):
    """What a PDF holds, its packed parts unpacked."""
    whole = [pdf]
    for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S):
        try:
            whole.append(zlib.decompress(part))
        except zlib.error:
            continue
    return b"\n".join(whole)
