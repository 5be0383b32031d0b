"""Who works here and as what: accounts, links, roles, and what nobody can take away by mistake."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipoise.platform.audit.models import Entry
from equipoise.platform.permissions import Grant
from equipoise.platform.registry.actions import set_programme
from equipoise.platform.registry.queries import partners
from equipoise.platform.staff.actions import CommandLine, Place, add_member, grant
from equipoise.platform.staff.models import Role, StaffMember
from equipoise.platform.workspace import Mail

from .conftest import Desk

pytestmark = pytest.mark.django_db

STAFF = "/office/studies/swing/staff/"
WORKSPACE = "/office/staff/"


def number(member, **place):
    return Role.objects.get(member=member, **place).pk


def rows(page):
    """The cells of each row of the page's table."""
    body = re.search(r"<tbody.*?</tbody>", page, re.S)[0]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in body.split("</tr>")[:-1]]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells]


def test_a_lead_sees_who_holds_what_where_and_takes_the_table_along(desk, swing, members, people):
    set_programme(CommandLine(), swing, "hhp2", "Happier professionals (synthetic)")
    swing.refresh_from_db()
    grant(CommandLine(), members["Bob"], "coordinator", Place(swing, partners(swing)[0]))
    grant(CommandLine(), members["Bob"], "auditor", Place(programme=swing.programme))
    desk.get(STAFF)
    assert [row[2] for row in rows(desk.html)] == ["Lead", "Auditor", "Coordinator", "Administrator"]
    assert rows(desk.html)[1][3:] == ["The programme Happier professionals (synthetic)", "Not from here"]
    assert rows(desk.html)[2][3].startswith("This study, for ")
    assert "whoever holds it sees no arm, whatever other role they hold" in desk.text
    desk.get(f"{STAFF}?sort=-role")
    assert rows(desk.html)[0][2] == "Auditor"
    desk.get(f"{STAFF}?format=csv")
    table = desk.html
    assert table.count("\r\n") == 5
    assert table.count("bob@example.org") == 2


def test_a_lead_gives_a_role_for_one_partner_and_takes_it_away_and_it_works_with_the_next_page(
    desk, swing, members, people
):
    bob = members["Bob"]
    bobs = Desk().sign_in(bob)
    assert bobs.get("/office/studies/swing/people/").status_code == 404
    north = partners(swing)[0]
    fields = {"email": "Bob@example.org", "role": "coordinator", "partner": north.name}
    assert desk.act(STAFF, fields).status_code == 303
    assert "is coordinator for" in desk.follow().content.decode()
    assert bob.grants_in(swing) == {Grant("coordinator", north.pk)}
    assert bobs.get("/office/studies/swing/people/").status_code != 404
    take = f"{STAFF}{number(bob)}/take"
    assert "no longer coordinator" in desk.get(take).content.decode()
    assert bob.grants_in(swing)  # a look takes nothing away
    assert desk.post(take)["Location"] == STAFF
    assert bobs.get("/office/studies/swing/people/").status_code == 404
    verbs = list(Entry.objects.filter(chain_id="swing").order_by("number").values_list("verb", flat=True))
    assert verbs[-2:] == ["staff.grant", "staff.revoke"]


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"email": "nobody@example.org", "role": "lead"}, "email", "Nobody has an account"),
        ({"email": "bob@example.org"}, "role", "Choose which role"),
        ({"email": "bob@example.org", "role": "owner"}, "role", "is not a role"),
        ({"email": "bob@example.org", "role": "administrator"}, "role", "held in the workspace"),
        (
            {"email": "bob@example.org", "role": "lead", "partner": "training-provider"},
            "partner",
            "whole study",
        ),
        ({"email": "bob@example.org", "role": "coordinator", "partner": "x"}, "partner", "not a partner"),
    ],
)
def test_what_cannot_be_given_is_refused_beside_its_field(desk, people, members, fields, field, told):
    page = desk.act(STAFF, fields)
    assert page.status_code == 422
    assert told in desk.text
    assert f'href="#{field}"' in desk.html
    assert not members["Bob"].roles.exists()


def test_a_study_is_never_left_without_a_lead(desk, carols_desk, swing, members):
    alice, bob, carol = members["Alice"], members["Bob"], members["Carol"]
    only = f"{STAFF}{number(alice)}/take"
    assert desk.act(only).status_code == 422
    assert "leads swing alone; give somebody else the role of lead there first" in desk.text
    assert carols_desk.act(f"{WORKSPACE}{alice.pk}/end", name="alice@example.org").status_code == 422
    assert "leads swing alone" in carols_desk.text
    alice.refresh_from_db()
    assert alice.is_active
    set_programme(CommandLine(), swing, "hhp2", "Happier professionals (synthetic)")
    swing.refresh_from_db()
    grant(CommandLine(), bob, "lead", Place(programme=swing.programme))
    assert desk.act(only)["Location"] == "/office/"
    through = f"{WORKSPACE}{bob.pk}/roles/{number(bob)}/take"
    assert carols_desk.act(through).status_code == 422
    grant(CommandLine(), carol, "lead")
    assert carols_desk.act(through).status_code == 303
    assert (
        carols_desk.act(f"{WORKSPACE}{carol.pk}/roles/{number(carol, role='lead')}/take").status_code == 422
    )


def test_a_role_of_another_study_is_not_taken_away_from_this_one(desk, swing, add_example, members):
    add_example("symbolic-awards")
    elsewhere = Role.objects.exclude(study_id=swing.pk).filter(study_id__isnull=False).get()
    desk.get(STAFF)
    for role in (elsewhere.pk, number(members["Carol"]), 999_999):
        assert desk.post(f"{STAFF}{role}/take").status_code == 404
    assert Role.objects.filter(pk=elsewhere.pk).exists()


def test_somebody_is_invited_sets_a_password_and_works_with_the_role_that_they_are_given(carols_desk, swing):
    page = carols_desk.act(f"{WORKSPACE}new", email="erin@example.org", name="Erin (synthetic)")
    assert page.status_code == 200
    link = re.search(r"http[^<\s]+/password/set/[^<\s]+", carols_desk.html)[0]
    assert link.startswith(settings.WORKSPACE.settings.origin)
    erin = StaffMember.objects.get(email="erin@example.org")
    carols_desk.get(f"{WORKSPACE}{erin.pk}/")
    assert link not in carols_desk.html  # it was shown once
    assert carols_desk.act(f"{WORKSPACE}{erin.pk}/", role="analyst").status_code == 303
    assert erin.grants_in(swing) == {Grant("analyst")}
    again = carols_desk.act(f"{WORKSPACE}new", email="ERIN@example.org", name="Erin")
    assert again.status_code == 422
    assert "Has an account already" in carols_desk.text
    assert mail.outbox == []


def test_where_the_workspace_sends_mail_the_link_goes_to_its_owner_as_well(carols_desk, monkeypatch):
    sender = Mail(host="smtp.example.org", sender="study@example.org")
    told = settings.WORKSPACE.settings.model_copy(update={"mail": sender})
    monkeypatch.setattr(settings.WORKSPACE, "settings", told)
    carols_desk.act(f"{WORKSPACE}new", email="erin@example.org", name="Erin (synthetic)")
    assert [message.to for message in mail.outbox] == [["erin@example.org"]]
    link = re.search(r"http\S+", mail.outbox[0].body)[0]
    assert link in carols_desk.html
    erin = StaffMember.objects.get(email="erin@example.org")
    carols_desk.act(f"{WORKSPACE}{erin.pk}/link")
    assert len(mail.outbox) == 2
    assert re.search(r"http\S+", mail.outbox[1].body)[0] in carols_desk.html


def test_an_ended_account_is_out_at_once_and_comes_back_with_nothing(carols_desk, swing, members):
    bob = members["Bob"]
    grant(CommandLine(), bob, "data-manager", Place(swing))
    bobs = Desk().sign_in(bob)
    assert bobs.get("/office/studies/swing/").status_code == 200
    address = f"{WORKSPACE}{bob.pk}/end"
    assert carols_desk.act(address, name="bob").status_code == 422
    assert carols_desk.act(address, name="bob@example.org").status_code == 303
    assert not bob.sessions.exists()
    assert "/staff/sign-in" in bobs.get("/office/")["Location"]
    assert not Role.objects.filter(member=bob).exists()
    last = Entry.objects.filter(chain_id="swing").order_by("number").last()
    assert (last.verb, last.actor) == ("staff.revoke", members["Carol"].actor)
    assert "Nobody can sign in" in carols_desk.follow().content.decode()
    again = add_member(CommandLine(), "bob@example.org", "Bob (synthetic)")
    assert again.pk == bob.pk
    assert again.is_active
    assert not again.has_usable_password()
    assert again.grants_in(swing) == frozenset()
    assert not Authenticator.objects.filter(user=again).exists()


def test_nobody_ends_themselves_and_the_last_administrator_stays(carols_desk, members):
    carol = members["Carol"]
    assert carols_desk.act(f"{WORKSPACE}{carol.pk}/end", name="carol@example.org").status_code == 422
    assert "obody ends their own account" in carols_desk.text
    only = f"{WORKSPACE}{carol.pk}/roles/{number(carol)}/take"
    assert carols_desk.act(only).status_code == 422
    assert "is the only administrator" in carols_desk.text
    grant(CommandLine(), members["Bob"], "administrator")
    assert carols_desk.act(only).status_code == 303
    assert carols_desk.get(WORKSPACE).status_code == 403


def test_whoever_keeps_the_workspace_signs_somebody_out_and_forgets_their_factor(carols_desk, members):
    bob = members["Bob"]
    bobs = Desk().sign_in(bob)
    bobs.get("/office/")
    carols_desk.get(f"{WORKSPACE}{bob.pk}/")
    assert "In one browser" in carols_desk.text
    assert carols_desk.act(f"{WORKSPACE}{bob.pk}/sign-out").status_code == 303
    assert "/staff/sign-in" in bobs.get("/office/")["Location"]
    bobs.sign_in(bob, factor=False)
    assert carols_desk.act(f"{WORKSPACE}{bob.pk}/factor").status_code == 303
    assert bobs.get("/office/")["Location"] == "/staff/device"
    carols_desk.act(f"{WORKSPACE}{bob.pk}/sign-out")
    assert not Authenticator.objects.filter(user=bob).exists()
    carols_desk.follow()
    assert "Nowhere" in carols_desk.text
    assert "Not set up" in carols_desk.text


def test_whoever_signs_themselves_out_everywhere_is_out_here_too(carols_desk, members):
    page = carols_desk.act(f"{WORKSPACE}{members['Carol'].pk}/sign-out")
    assert page["Location"] == "/office/"
    assert "/staff/sign-in" in carols_desk.follow()["Location"]
    assert not members["Carol"].sessions.exists()


def test_the_list_of_accounts_sorts_and_filters_and_asks_no_more_when_it_is_longer(carols_desk, members):
    def asked(**choice):
        with CaptureQueriesContext(connection) as found:
            assert carols_desk.get(WORKSPACE, **choice).status_code == 200
        return len(found)

    asked()  # the first page of a session notes that it has begun
    few = asked()
    StaffMember.objects.bulk_create(
        StaffMember(email=f"s{each:03d}@example.org", name=f"Synthetic {each:03d}", created_at=each_at)
        for each, each_at in ((number, members["Bob"].created_at) for number in range(60))
    )
    assert asked() == few
    assert len(rows(carols_desk.html)) == 50
    assert asked(sort="-name", page="2") == few
    assert rows(carols_desk.html)[-1][0] == "Alice (synthetic)"
    StaffMember.objects.filter(email__startswith="s00").update(is_active=False)
    carols_desk.get(WORKSPACE, state="ended")
    assert len(rows(carols_desk.html)) == 10
    carols_desk.get(WORKSPACE, state="ended", format="csv")
    assert carols_desk.html.count("Ended") == 10


def test_the_pages_of_the_workspaces_staff_are_for_whoever_keeps_it(desk, bobs_desk, members):
    one = f"{WORKSPACE}{members['Bob'].pk}/"
    for place in (
        WORKSPACE,
        f"{WORKSPACE}new",
        one,
        f"{one}link",
        f"{one}factor",
        f"{one}sign-out",
        f"{one}end",
    ):
        for somebody in (desk, bobs_desk):
            assert somebody.get(place).status_code == 403, place
            assert somebody.post(place, name="bob@example.org", role="administrator").status_code == 403
    assert not members["Bob"].roles.exists()
