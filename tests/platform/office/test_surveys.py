"""Surveys in the office: what participants see, who has answered, links made once."""

import shutil
from pathlib import Path

import pytest

from equipoise.allocation import commitment
from equipoise.platform.fieldwork.actions import start_session
from equipoise.platform.fieldwork.models import Link, OpenLink, Session, Submission
from equipoise.platform.people.allocation import commit_stage, hand_in_secret
from equipoise.platform.registry.actions import add_study
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import CommandLine, Place, grant
from equipoise.protocol import load_study, lock
from equipoise.protocol.registration import lock_text

from ..conftest import SECRET

pytestmark = pytest.mark.django_db

PLACE = "/office/studies/swing/surveys/"
KINDS = Path(__file__).parents[2] / "unit" / "protocol" / "kinds"
FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(5000)
OPEN = "/office/studies/diversity-in-hiring/surveys/open-links"


@pytest.fixture
def recruiting(add_example, alice):
    """A live study that recruits by open links."""
    study = add_example("diversity-in-hiring")
    hand_in_secret(alice, study.stages.get(), SECRET.hex())
    commit_stage(alice, study.stages.get())
    Study.objects.filter(pk=study.pk).update(state="live")
    return Study.objects.get(pk=study.pk)


@pytest.fixture
def every_kind(tmp_path, members):
    """A study with every kind of question, a film among them, which Alice leads."""
    folder = tmp_path / "kinds"
    shutil.copytree(KINDS, folder)
    (folder / "media" / "plan.mp4").write_bytes(FILM)
    seal = commitment(SECRET)
    lock_of = lock(
        load_study(folder), time="2026-01-05T09:00:00Z", seed_commitment=seal, version="t", clock="rehearsal"
    )
    (folder / "lock.json").write_text(lock_text(lock_of), "utf-8")
    study = add_study(CommandLine(), folder)
    grant(CommandLine(), members["Alice"], "lead", Place(study))
    return study


@pytest.fixture
def answered(people):
    """Three have begun, and two of them have finished."""
    for person in people[:3]:
        start_session(person, "before", language=None)
    done = Session.objects.filter(participant__in=people[:2])
    done.update(state="complete", ended_at=Session.objects.first().started_at)


def test_the_response_is_counted_by_wave_and_partner(desk, answered):
    desk.get(PLACE)
    assert "2 of 12" in desk.text
    desk.get(PLACE, format="csv")
    assert "Before the texts,All,12,3,2,16.7" in desk.html


def test_the_response_is_counted_by_day(desk, answered):
    desk.get(f"{PLACE}before/days")
    assert "10 February 2021" in desk.text
    desk.get(f"{PLACE}before/days", format="csv")
    assert desk.html.lstrip("\ufeff").splitlines() == [
        "Day,Complete",
        "2021-02-08,0",
        "2021-02-09,0",
        "2021-02-10,2",
    ]


def test_a_preview_shows_every_page_and_keeps_nothing(desk, people):
    seen = 0
    for number in range(1, 20):
        if desk.get(f"{PLACE}before/preview/{number}").status_code == 404:
            break
        seen += 1
        assert "This is a preview" in desk.text
        assert "<form" not in desk.html
    assert f"Page 1 of {seen}" in desk.get(f"{PLACE}before/preview/1").content.decode()
    assert not Session.objects.exists()
    assert not Submission.objects.exists()


def test_a_preview_plays_the_films_of_the_study_and_no_other_file(desk, every_kind):
    root = f"/office/studies/{every_kind.name}/surveys/"
    pages = []
    for number in range(1, 30):
        if desk.get(f"{root}before/preview/{number}").status_code == 404:
            break
        pages.append(desk.html)
    assert f"{root}media/plan.mp4" in "".join(pages)
    page = desk.client.get(f"{root}media/plan.mp4", secure=True, headers={"Range": "bytes=4-7"})
    assert (page.status_code, b"".join(page.streaming_content)) == (206, FILM[4:8])
    for path in ("other.mp4", "../protocol.yaml", "%2e%2e/lock.json"):
        assert desk.get(f"{root}media/{path}").status_code == 404


def test_a_wave_that_there_is_not_is_not_found(desk, people):
    for place in ("days", "links", "preview/1"):
        assert desk.get(f"{PLACE}never/{place}").status_code == 404


def test_links_for_a_wave_are_a_file_that_can_be_had_once(desk, answered, people):
    desk.get(f"{PLACE}before/links")
    assert "each of the 10 participants" in desk.text
    desk.post(f"{PLACE}before/links")
    lines = desk.html.lstrip("\ufeff").splitlines()
    assert lines[0] == "Code,Link,Link to stop messages or leave"
    assert len(lines) == 11
    assert {line.partition(",")[0] for line in lines[1:]} == {person.key for person in people[2:]}
    assert "attachment" in desk.page["Content-Disposition"]
    assert Link.objects.count() == 20


def test_links_are_refused_once_the_study_is_closed(desk, people):
    Study.objects.update(state="closed")
    desk.act(f"{PLACE}before/links")
    assert desk.page.status_code == 422
    assert "is closed" in desk.text
    assert not Link.objects.exists()


def test_an_open_link_is_made_shown_once_and_closed(desk, recruiting):
    desk.act(OPEN, wave="session", label="Poster in the canteen")
    assert "/open/" in desk.text
    address = desk.text.partition("/open/")[2].split()[0]
    desk.get(OPEN)
    assert "Poster in the canteen" in desk.text
    assert address not in desk.html
    desk.get(OPEN, format="csv")
    assert "Poster in the canteen,session,2021-02-10T12:00:00+00:00,0," in desk.html
    link = OpenLink.objects.get()
    desk.act(f"{OPEN}/{link.pk}/close", name="Poster in the canteen")
    link.refresh_from_db()
    assert link.closed_at is not None


def test_an_open_link_without_a_place_is_refused_and_keeps_the_wave(desk, recruiting):
    desk.act(OPEN, wave="session", label="")
    assert desk.page.status_code == 422
    assert "Is empty; say where the link will be put up" in desk.text
    assert "checked" in desk.html


def test_a_study_with_a_roster_has_no_open_links(desk, people):
    desk.act(f"{PLACE}open-links", wave="before", label="Poster")
    assert desk.page.status_code == 422
    assert "people come in by a roster" in desk.text


def test_a_link_of_another_study_cannot_be_closed(desk, recruiting, people):
    desk.act(OPEN, wave="session", label="Poster")
    path = f"{PLACE}open-links/{OpenLink.objects.get().pk}/close"
    assert desk.get(path).status_code == 404
