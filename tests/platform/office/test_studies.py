"""Studies in the office: which are there, one taken in as a zip file, and moved from state to state."""

import io
import zipfile

import pytest

from equipoise.platform.audit.models import Entry
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.models import Role

pytestmark = pytest.mark.django_db

MOVE = "/office/studies/swing/move/"


@pytest.fixture
def zipped(locked_folder):
    """A function that packs a locked example as its author would."""

    def make(name="swing", change=None):
        folder = locked_folder(name, change)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.write(file, f"{name}/{file.relative_to(folder).as_posix()}")
        packed.seek(0)
        packed.name = "study.zip"
        return packed

    return make


def packed(**files):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    written.seek(0)
    written.name = "study.zip"
    return written


def test_an_empty_workspace_says_what_to_do_first(carols_desk):
    carols_desk.get("/office/")
    assert "There is no study here yet" in carols_desk.text
    assert 'href="/office/add-study"' in carols_desk.html


def test_somebody_without_a_study_learns_whom_to_ask(bobs_desk, swing):
    bobs_desk.get("/office/")
    assert "You have no study yet" in bobs_desk.text
    assert swing.title not in bobs_desk.text


def test_the_list_says_what_needs_somebody(desk, add_example, alice):
    add_example("swing")
    desk.get("/office/")
    assert "Locked" in desk.text
    assert "Set it up and launch it" in desk.text


def test_a_zip_of_a_locked_folder_becomes_a_study_with_its_lead(carols_desk, zipped, alice):
    carols_desk.act("/office/add-study", folder=zipped(), lead=str(alice.pk), programme="")
    assert carols_desk.page["Location"] == "/office/studies/swing/"
    study = Study.objects.get()
    assert Role.objects.get(study_id=study.pk).member == alice
    carols_desk.follow()
    assert "is here" in carols_desk.text
    assert "The protocol is locked" in carols_desk.text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (None, "Choose the zip file"),
        (packed(**{"readme.txt": "x"}), "there is no protocol.yaml in it"),
        (packed(**{"protocol.yaml": "equipoise: 1\nstudy: {id: x}\n"}), "protocol.yaml:2"),
        (packed(**{"protocol.yaml": "x", "../evil.txt": "x"}), "evil.txt"),
    ],
)
def test_a_zip_that_is_no_study_is_refused_and_leaves_nothing(carols_desk, alice, settings, sent, said):
    if sent is not None:
        sent.seek(0)
    carols_desk.act("/office/add-study", {"folder": sent} if sent else {}, lead=str(alice.pk))
    assert carols_desk.page.status_code == 422
    assert said in carols_desk.text
    assert not Study.objects.exists()
    assert not list((settings.WORKSPACE.folder / "uploads").glob("*"))


def test_what_is_no_zip_file_is_refused(carols_desk, alice):
    text = io.BytesIO(b"not a zip file")
    text.name = "study.zip"
    carols_desk.act("/office/add-study", folder=text, lead=str(alice.pk))
    assert carols_desk.page.status_code == 422
    assert "zip" in carols_desk.text


def test_a_folder_that_is_not_locked_is_refused_by_its_file(carols_desk, alice, zipped):
    with zipfile.ZipFile(zipped()) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("lock.json")}
    carols_desk.act("/office/add-study", folder=packed(**files), lead=str(alice.pk))
    assert "lock.json: this study is not locked" in carols_desk.text


def test_a_study_needs_somebody_who_leads_it(carols_desk, zipped):
    carols_desk.act("/office/add-study", folder=zipped(), lead="999")
    assert "Choose who leads the study" in carols_desk.text
    assert not Study.objects.exists()


def test_a_member_who_only_leads_a_study_adds_none(desk, swing):
    assert desk.get("/office/add-study").status_code == 403


def test_a_launch_asks_for_the_name_and_then_happens(desk, add_example):
    add_example("swing")
    desk.get("/office/studies/swing/")
    assert f'href="{MOVE}live"' in desk.html
    desk.act(f"{MOVE}live", name="swng", reason="")
    assert desk.page.status_code == 422
    assert "Type swing exactly" in desk.text
    desk.post(f"{MOVE}live", name="swing", reason="")
    assert Study.objects.get().state == "live"
    desk.follow()
    assert "The study is live." in desk.text


def test_a_launch_is_refused_with_everything_that_is_missing(desk, add_example):
    def blank(folder):
        place = folder / "protocol.yaml"
        text = place.read_text("utf-8").replace("  contact: swing@example.org\n", "")
        place.write_text("\n".join(_without(text.splitlines(), ("privacy:", "support:"))) + "\n", "utf-8")

    add_example("swing", blank)
    desk.get("/office/studies/swing/")
    assert "Missing" in desk.text
    assert f'href="{MOVE}live"' not in desk.html
    desk.act(f"{MOVE}live", name="swing", reason="")
    assert desk.page.status_code == 422
    for said in ("controller", "nobody is named whom a participant can turn to", "every page names whom"):
        assert said in desk.text, said
    assert Study.objects.get().state == "locked"


def _without(lines, sections):
    """The lines of a file without some of its top-level sections."""
    kept, leaving = [], False
    for line in lines:
        if line and not line[0].isspace() and not line.startswith("#"):
            leaving = line.startswith(sections)
        if not leaving:
            kept.append(line)
    return kept


def test_a_pause_needs_a_reason_which_is_kept(desk, swing):
    desk.act(f"{MOVE}paused", name="swing", reason=" ")
    assert "say why" in desk.text.lower()
    desk.post(f"{MOVE}paused", name="swing", reason="A question was misprinted")
    assert Study.objects.get().state == "paused"
    assert "A question was misprinted" in Entry.objects.filter(verb="study.pause").get().details


def test_only_legal_moves_are_offered_and_taken(desk, swing):
    page = desk.get(f"{MOVE}published")
    assert page["Location"] == "/office/studies/swing/"
    desk.act(f"{MOVE}closed", name="swing", reason="The last wave is over")
    desk.get("/office/studies/swing/")
    assert "Publish the study" in desk.text
    assert "Pause the study" not in desk.text


def test_whoever_keeps_the_workspace_cannot_pause_a_study(carols_desk, swing):
    assert carols_desk.get(f"{MOVE}paused").status_code == 403
    carols_desk.get("/office/studies/swing/")
    assert "Pause the study" not in carols_desk.text


def test_the_overview_gives_times_in_the_studys_zone_and_as_a_table(desk, people):
    desk.get("/office/studies/swing/")
    assert "Monday 8 February 2021, 09:00 (London time)" in desk.text
    desk.get("/office/studies/swing/", format="csv")
    lines = desk.html.lstrip("\ufeff").splitlines()
    assert lines[0].startswith("Wave,Opens (UTC),Closes (UTC),State,Asked")
    assert lines[1].startswith("Before the texts,2021-02-08T09:00:00+00:00")
    assert ",open,12,0,0,0.0" in lines[1]


def test_the_protocol_is_told_in_words_and_its_folder_can_be_downloaded(desk, swing):
    desk.get("/office/studies/swing/protocol/")
    for said in (
        "Weekly text messages",
        "Monday 4 January 2021, 09:00 (London time)",
        "None: the study is run",
    ):
        assert said in desk.text, said
    page = desk.get("/office/studies/swing/protocol/versions/1.zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(page.streaming_content))) as archive:
        assert {"swing/protocol.yaml", "swing/lock.json"} <= set(archive.namelist())
    assert desk.get("/office/studies/swing/protocol/versions/2.zip").status_code == 404


def test_an_amendment_without_anything_new_is_refused(desk, swing, zipped, tmp_path):
    with zipfile.ZipFile(zipped_again(tmp_path)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    desk.act("/office/studies/swing/protocol/amend", folder=packed(**files))
    assert desk.page.status_code == 422
    assert "there is no new amendment" in desk.text
    assert Study.objects.get().version == 1


def zipped_again(tmp_path):
    """The folder that is in force already."""
    folder = tmp_path / "folders" / "swing"
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(file, f"swing/{file.relative_to(folder).as_posix()}")
    written.seek(0)
    return written
