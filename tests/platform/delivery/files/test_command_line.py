"""Files, receipts and letters from the command line."""

import pytest
from tests.platform.commands.conftest import run  # noqa: F401 - a fixture

from equipoise.platform.clock import set_clock
from equipoise.platform.delivery.models import Dispatch, PartnerFile

from .conftest import AFTER, DUE, set_out

pytestmark = pytest.mark.django_db


def test_a_file_is_made_its_receipts_are_looked_at_and_taken(run, modding, tmp_path):  # noqa: F811
    assert run("messages", "list", "mod-ing").out == "Nothing waits for a file.\n"
    set_out(modding)
    listed = run("messages", "list", "mod-ing", "--json").said["files"]
    assert [(each["send"], each["partner"], each["planned"]) for each in listed] == [
        ("weekly-email", "defence", 6)
    ]
    made = run("messages", "file", "mod-ing", "weekly-email", "1", "--out", tmp_path, "--form", "csv")
    assert (made.code, made.out.startswith("mod-ing: weekly-email 1 is in ")) == (0, True), made.err
    assert (tmp_path / "mod-ing-weekly-email-1-defence.csv").read_text("utf-8-sig").count(
        "Why this work"
    ) == 6

    set_clock(AFTER)
    back = tmp_path / "back.csv"
    back.write_text("Ref;Nr;Tag;Was\nP1;1;14.04.2021;sent\nP2;1;;returned\n", "utf-8")
    refused = run("messages", "receipts", "mod-ing", back, "--send", "weekly-email")
    assert (refused.code, "no column for it was found" in refused.err) == (2, True)
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("columns: {reference: Ref, occasion: Nr, sent_on: Tag, status: Was}\n", "utf-8")
    how = ("--send", "weekly-email", "--mapping", mapping)
    looked = run("messages", "receipts", "mod-ing", back, *how, "--look")
    assert looked.out == "back.csv: would be: 1 sent, 1 failed.\n"
    assert not Dispatch.objects.filter(state="sent").exists()
    assert run("messages", "receipts", "mod-ing", back, *how).out == "back.csv: 1 sent, 1 failed.\n"
    assert Dispatch.objects.filter(state__in=("sent", "failed")).count() == 2
    again = run("messages", "receipts", "mod-ing", back, *how)
    assert (again.code, "this very file was taken on" in again.err) == (2, True)


def test_what_cannot_be_made_is_told_without_a_traceback(run, modding, tmp_path):  # noqa: F811
    set_out(modding)
    missing = run("messages", "file", "mod-ing", "weekly-email", "1", "--out", tmp_path / "none")
    assert (missing.code, "there is no such folder" in missing.err) == (2, True)
    other = run("messages", "file", "mod-ing", "weekly-mail", "1", "--out", tmp_path)
    assert (other.code, 'Did you mean "weekly-email"?' in other.err) == (2, True)
    assert not list(tmp_path.glob("mod-ing*"))


def test_letters_are_noted_as_posted(run, modding):  # noqa: F811
    set_out(modding, "after.invite", carrier="post", channel="letter")
    assert run("messages", "posted", "mod-ing", "after.invite", "1", "--on", "2021-04-14").code == 2
    Dispatch.objects.update(state="sending")
    PartnerFile.objects.create(
        study=modding, carrier="post", kind="made", contact="after.invite", occasion=1, counts={}, at=DUE
    )
    set_clock(AFTER)
    done = run("messages", "posted", "mod-ing", "after.invite", "1", "--on", "2021-04-15")
    assert done.out == "mod-ing: 6 letters of after.invite 1 are noted as posted on 2021-04-15.\n"
    twice = run("messages", "posted", "mod-ing", "after.invite", "1", "--on", "2021-04-15")
    assert (twice.code, "every letter that was made is said to be posted" in twice.err) == (2, True)
