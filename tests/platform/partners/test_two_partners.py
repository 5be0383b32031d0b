"""Two partners with twin people: whoever looks after one's learns nothing of the other's, nor who has answered."""

import re

import pytest

from equipoise.platform.fieldwork.actions import leave_study, start_session
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.people.models import Participant, RosterImport
from equipoise.platform.registry.actions import move_study
from equipoise.platform.staff.actions import CommandLine, Place, add_member, grant

from ..office.conftest import Desk

pytestmark = pytest.mark.django_db

ROOT = "/office/studies/symbolic-awards/"
HEADER = "Staff reference,Work e-mail,Local authority,Team,Date of starting in post"
MINE, OTHER = "northmoor", "eastvale"
TOKEN = re.compile(r'value="\w{64}"')  # against forged forms, another on each page


@pytest.fixture
def roster(tmp_path):
    """A function that writes so many people of one partner; twins have the same numbers in both."""

    def write(partner, number, first=0, mail=""):
        path = tmp_path / f"{partner}-{number}-{first}{mail}.csv"
        lines = [
            f"{partner[0].upper()}{each:04d},person.{each}{mail}@{partner}.example.org,{partner},Assessment,05/01/2015"
            for each in range(first, first + number)
        ]
        path.write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
        return path

    return write


@pytest.fixture
def awards(add_example, alice, roster):
    """The study, live, with 45 people of each of the two partners."""
    study = move_study(alice, add_example("symbolic-awards"), "live")
    for partner in (MINE, OTHER):
        confirm_import(alice, study, roster(partner, 45), partner=partner)
    return study


@pytest.fixture
def desk(alice):
    """Alice, who leads the study, at hers."""
    return Desk().sign_in(alice)


@pytest.fixture
def near(awards, members):
    """Dora, who looks after the people of the first partner, at her desk."""
    dora = add_member(CommandLine(), "dora@example.org", "Dora (synthetic)")
    grant(CommandLine(), dora, "coordinator", Place(awards, awards.partners.get(name=MINE)))
    return Desk().sign_in(dora)


def people_of(partner):
    return list(Participant.objects.filter(partner__name=partner).select_related("study").order_by("pk"))


def answer(people, wave="before"):
    for person in people:
        start_session(person, wave, language=None)
    rows = Session.objects.filter(participant__in=people)
    for row in rows[:1]:
        rows.update(state="complete", ended_at=row.started_at)


def test_every_list_has_the_people_of_one_partner_alone(near, awards):
    for place in ("people/", "people/?format=csv", "people/?sort=-enrolled"):
        near.get(ROOT + place)
        assert all(person.key in near.html for person in people_of(MINE)[:1]) or "page=" in near.html
        assert not [person.key for person in people_of(OTHER) if person.key in near.html], place
        assert "astvale" not in near.html, place


def test_a_filter_for_the_other_partner_is_no_filter(near, awards):
    near.get(f"{ROOT}people/?partner={OTHER}&format=csv")
    assert len(near.html.splitlines()) == 1 + 45
    assert "astvale" not in near.html


def test_a_person_of_the_other_partner_is_as_one_who_is_not_there(near, awards):
    for place in ("", "leave", "link", "report", "enter/before"):
        there = near.get(f"{ROOT}people/{people_of(OTHER)[0].key}/{place}")
        nobody = near.get(f"{ROOT}people/{'a' * 16}/{place}")
        assert there.status_code == nobody.status_code, place
        assert there.status_code in (403, 404), place
        assert there.content == nobody.content, place


def test_the_other_partners_people_are_not_found_by_anything(near, awards):
    person = people_of(OTHER)[0]
    for sought in (person.key, "E0000", f"person.0@{OTHER}.example.org"):
        near.get(f"{ROOT}people/")
        near.post(f"{ROOT}people/find", sought=sought)
        assert near.page.status_code == 422, sought
        assert person.key not in near.html.replace(f'value="{sought}"', ""), sought


def test_whoever_answered_or_left_cannot_be_told_from_the_rest(near, awards):
    mine = people_of(MINE)
    one = f"{ROOT}people/{mine[0].key}/"
    near.get(one)
    before = TOKEN.sub("", near.html)
    answer(mine[:1])
    near.get(one)
    assert TOKEN.sub("", near.html) == before
    leave_study(mine[1], "everything", channel="web", actor=f"participant:{mine[1].key}")
    near.get(f"{ROOT}people/")
    assert "answered" not in near.text.lower().replace("who has answered", "")
    assert mine[1].key not in near.html
    assert near.get(f"{ROOT}people/{mine[1].key}/").status_code == 404


def test_the_response_is_told_in_tens_and_never_as_nobody_or_everybody(near, awards):
    so_far = 0
    for answered, told in ((0, 0), (9, 0), (10, 10), (29, 20), (36, 30), (45, 30)):
        for partner in (MINE, OTHER):
            answer(people_of(partner)[so_far:answered])
        so_far = answered
        near.get(f"{ROOT}surveys/?format=csv")
        lines = near.html.lstrip("\ufeff").splitlines()
        shown = [line.split(",")[-3:] for line in lines[1:] if line.startswith("Before")]
        assert shown == [["45", str(told), str(told)]]
        assert "astvale" not in near.html
        near.get(f"{ROOT}surveys/before/days?format=csv")
        assert near.html.splitlines()[-1].endswith(f",{told}")
        for place in ("", "surveys/", "surveys/before/days", "surveys/before/days?partner=eastvale"):
            near.get(ROOT + place)
            assert (f"At least {told}" if told else "Too few to show") in near.text, place
            assert not re.search(rf"\b{answered}\b of 45", near.text), place


def test_a_roster_is_taken_for_ones_own_people_alone(near, awards, roster):
    def bring(path):
        with path.open("rb") as file:
            near.act(f"{ROOT}people/import/", {"file": file}, kind="import", end="yes")
        columns = near.page["Location"]
        near.act(columns, _columns(near, columns))
        return columns.removesuffix("columns")

    place = bring(roster(MINE, 3, first=45))
    near.get(f"{place}preview")
    near.post(f"{place}preview", expected=re.search(r'name="expected" value="([^"]*)"', near.html)[1])
    assert RosterImport.objects.order_by("-pk")[0].counts["new"] == 3
    done = near.page["Location"]
    assert near.get(done).status_code == 200
    assert near.get(f"{done}undo").status_code == 403
    place = bring(roster(OTHER, 3, first=60))
    near.get(f"{place}preview")
    assert "but the file was said to be that of northmoor" in near.text
    assert Participant.objects.filter(partner__name=OTHER).count() == 45
    for other in RosterImport.objects.filter(partner__name=OTHER):
        assert near.get(f"{ROOT}people/imports/{other.pk}/").status_code == 404


def _columns(browser, path):
    browser.get(path)
    chosen = re.findall(r'<select[^>]*name="(column-[^"]+)".*?</select>', browser.html, re.S)
    found = {}
    for name in chosen:
        options = re.search(rf'name="{name}".*?</select>', browser.html, re.S)[0]
        picked = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = picked[1] if picked else ""
    return {**found, "partner": OTHER}


def test_what_needs_somebody_today_is_only_what_they_may_do(near, awards):
    near.get("/office/")
    assert "Draw stage" not in near.text
    for link in re.findall(r'href="(/office/studies/[^"]+)"', near.html):
        assert near.get(link).status_code == 200, link
    near.get(ROOT)
    for link in re.findall(r'href="(/office/studies/[^"?]+)"', near.html):
        assert near.get(link).status_code == 200, link


def test_the_lead_orders_partners_by_share_with_everybody_first(desk, awards):
    answer(people_of(MINE)[:20])
    answer(people_of(OTHER)[:5])
    orders = {}
    for sort in ("partner", "lowest", "highest", "nonsense"):
        desk.get(f"{ROOT}surveys/", sort=sort)
        orders[sort] = re.findall(r'<th scope="row"[^>]*>(All|Northmoor|Eastvale)', desk.html)[:3]
    assert orders["lowest"][0] == orders["highest"][0] == "All"
    assert orders["highest"][1] == "Northmoor"
    assert orders["nonsense"] == orders["partner"]
