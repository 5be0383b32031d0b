"""Response counts: whole to the study's own services, in tens to a partner's, and of nobody else's people."""

from datetime import UTC, datetime, timedelta

import pytest

from equipoise.platform.clock import now
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Partner

from .conftest import Program
from .rosters import ROOT

pytestmark = pytest.mark.django_db
COUNTS = f"{ROOT}counts"
FIRST = datetime(2021, 2, 8, 12, tzinfo=UTC)


@pytest.fixture
def partner(swing):
    """A function that adds a partner with people, of whom so many have finished, one a day."""

    def add(name, people, complete):
        made = Partner.objects.create(study=swing, name=name, title=f"{name.title()} (synthetic)")
        those = Participant.objects.bulk_create(
            Participant(study=swing, partner=made, enrolled_at=now()) for _ in range(people)
        )
        Session.objects.bulk_create(
            Session(
                participant=person,
                study=swing,
                partner=made,
                wave="before",
                code=person.key[:10],
                state="complete",
                language="en-GB",
                version=1,
                wording="w",
                order={},
                started_at=FIRST,
                ended_at=FIRST + timedelta(days=at),
            )
            for at, person in enumerate(those[:complete])
        )
        return made

    return add


def before(told):
    (found,) = (wave for wave in told["waves"] if wave["wave"] == "before")
    return found


def test_the_study_is_told_whole_numbers_by_partner_and_day(partner, program):
    partner("northmoor", 40, 13)
    partner("southwell", 30, 2)
    told = program.get(COUNTS).said
    wave = before(told)
    assert (told["in_tens"], wave["asked"], wave["complete"]) == (False, 70, 15)
    by_partner = [(each["partner"], each["asked"], each["complete"]) for each in wave["partners"]]
    assert by_partner == [("Northmoor (synthetic)", 40, 13), ("Southwell (synthetic)", 30, 2)]
    assert wave["days"][0] == {"day": "2021-02-08", "complete": 2, "so_far": 2}
    assert wave["days"][-1] == {"day": "2021-02-20", "complete": 1, "so_far": 15}


def test_a_partner_is_told_tens_of_its_own_people_and_nothing_that_hangs_on_one(partner, made):
    own, other = partner("northmoor", 40, 13), partner("southwell", 30, 25)
    ours = Program(made("counts:read", partner=own).token)
    wave = before(ours.get(COUNTS).said)
    assert (wave["asked"], wave["complete"], wave["started"]) == (40, 10, 10)
    assert [each["partner"] for each in wave["partners"]] == ["Northmoor (synthetic)"]
    assert wave["days"] == [
        {"day": f"2021-02-{day}", "complete": None, "so_far": 10} for day in (17, 18, 19, 20)
    ]

    answer = ours.get(COUNTS).said
    Session.objects.filter(partner=own, ended_at__gt=FIRST + timedelta(days=11)).delete()  # one person fewer
    Session.objects.filter(partner=other).delete()
    assert before(ours.get(COUNTS).said)["complete"] == before(answer)["complete"]


def test_a_partner_with_too_few_or_nobody_is_told_nothing_of_them(partner, made):
    few, nobody, all_of_them = partner("few", 40, 9), partner("nobody", 0, 0), partner("everyone", 20, 20)
    for one, asked, complete in ((few, 40, 0), (nobody, 0, 0), (all_of_them, 20, 10)):
        wave = before(Program(made("counts:read", partner=one).token).get(COUNTS).said)
        assert (wave["asked"], wave["complete"]) == (asked, complete), one.name
        assert {each["so_far"] for each in wave["days"]} <= {complete} - {0}
