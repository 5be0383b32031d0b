"""Every address as every role, of the whole study, of one partner and of none, held against the table of verbs.

Addresses are read from the resolver, verbs from the views, roles from `permissions`: a new page is tried without
being listed here, and one that asks for no verb has to be named below, with the reason.
"""

import itertools
from types import SimpleNamespace

import pytest
from django.urls import get_resolver, resolve

from equipoise.platform.api.addresses import OPEN as OPEN_TO_PROGRAMS
from equipoise.platform.api.addresses import TABLE as FOR_PROGRAMS
from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.office.access import SIGNED_IN
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.permissions import MASKED_ROLES, PERMISSIONS, REVEALING, ROLES
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import CommandLine, Place, add_member, grant

from ..office.conftest import Desk, roster  # noqa: F401 - a fixture
from ..security.planted.addresses import addresses

pytestmark = pytest.mark.django_db

# Addresses that ask for no verb, and why that is right.
NO_VERB = {
    "survey-link open-link stop-link message-page unsubscribe": "whoever has the link; its token is the key",
    "message message-media": "whoever holds the ticket that a message's page gave",
    "message-watched": "the player of such a page, by a key that stood in it",
    "survey survey-consent survey-thanks survey-later survey-choices survey-media survey-page": "whoever holds "
    "the ticket that a link gave",
    "link-again privacy-notice": "everybody: nothing of anybody is said",
    "health health-messages ready metrics": "the machine that watches; numbers alone, and from loopback",
    "account_login account_logout account_inactive account_reauthenticate account_change_password": "one's own",
    "account_reset_password account_reset_password_done account_reset_password_from_key": "one's own",
    "account_reset_password_from_key_done mfa_index mfa_authenticate mfa_reauthenticate": "one's own",
    "mfa_activate_totp totp-picture mfa_deactivate_totp mfa_view_recovery_codes": "one's own",
    "mfa_generate_recovery_codes mfa_download_recovery_codes staff-sessions": "one's own",
    "mfa_list_webauthn mfa_add_webauthn mfa_remove_webauthn": "one's own",
    "notify-receipt notify-text": "GOV.UK Notify, by a token of its own",
    "sign-on sign-on-done": "whoever signs in by the provider",
}
# Pages whose act asks for another verb than the page: it follows from the address.
INNER = {"study-move": "study.pause"}
NOWHERE = "/office/studies/none-such/"


def listed():
    return {name for names in NO_VERB for name in names.split()}


def views():
    """Each view by the name of its address."""

    def walk(patterns):
        for each in patterns:
            if hasattr(each, "url_patterns"):
                yield from walk(each.url_patterns)
            else:
                yield each.name or str(each.pattern), each.callback

    return dict(walk(get_resolver().url_patterns))


@pytest.fixture
def world(swing, members, roster):  # noqa: F811
    """The study with people, and a member of staff for each role and reach."""
    people = list(confirm_import(CommandLine(), swing, roster(6)).participants.order_by("pk"))
    link = make_links(CommandLine(), swing, "before", people[:1])[0]
    partner = swing.partners.get()
    holders = {
        **{role: [(role, Place(swing))] for role in ROLES if role != "administrator"},
        "administrator": [("administrator", Place())],
        "lead everywhere": [("lead", Place())],
        "coordinator of a partner": [("coordinator", Place(swing, partner))],
        "lead and analyst": [("lead", Place(swing)), ("analyst", Place(swing))],
        "nobody": [],
    }
    desks = {}
    for number, (name, held) in enumerate(holders.items()):
        member = add_member(CommandLine(), f"role.{number}@example.org", f"{name} (synthetic)")
        for role, place in held:
            grant(CommandLine(), member, role, place)
        desks[name] = Desk().sign_in(member)
    code = "c" * 10
    Session.objects.create(
        participant=people[0],
        study=swing,
        partner=partner,
        wave="before",
        code=code,
        language="en-GB",
        version=1,
        order={},
        started_at=people[0].enrolled_at,
    )
    links = dict.fromkeys(("after", "open"), link.link) | {
        "stop": link.stop_link,
        "session": f"/survey/{code}/",
    }
    return SimpleNamespace(study=swing, people=people, links=links, desks=desks, holders=holders)


def allowed(held, verb, by_partner, *, masked=True, of_study=True):
    """By the table alone: whether roles held so let somebody in; what is of no study, by roles of no study."""
    if verb == SIGNED_IN:
        return True
    if masked and verb in REVEALING and any(role in MASKED_ROLES for role, _ in held):
        return False
    fits = [place for role, place in held if role in PERMISSIONS[verb] and (of_study or place.study is None)]
    return any(by_partner or place.partner is None for place in fits)


def test_every_address_asks_for_a_verb_or_is_listed_with_the_reason():
    known = {name for name, view in views().items() if hasattr(view, "verb")}
    unlisted = set(views()) - known - listed() - set(FOR_PROGRAMS) - OPEN_TO_PROGRAMS
    assert not unlisted, "give the page a verb (study_page, office_page), or list it with the reason"
    assert {view.verb for view in views().values() if hasattr(view, "verb")} <= {*PERMISSIONS, SIGNED_IN}
    assert {address.verb for address in FOR_PROGRAMS.values()} <= set(PERMISSIONS)


def test_nothing_is_listed_that_is_not_there():
    assert listed() <= set(views())


def test_every_role_is_let_in_where_the_table_says_so_and_nowhere_else(world):
    pages = {name: path for name, path in addresses(world).items() if path.startswith("/office/")}
    assert len(pages) > 60
    for (name, path), (who, held) in itertools.product(pages.items(), world.holders.items()):
        view, desk = views()[name], world.desks[who]
        verb = INNER.get(name, view.verb)
        path = path.replace("diversity-in-hiring", "swing")
        of_study = path.startswith("/office/studies/")
        lets_in = allowed(held, verb, view.by_partner, of_study=of_study)
        status = desk.get(path).status_code
        if not held and of_study:
            assert status in (404, 405), (name, who)
        elif lets_in:
            assert status != 403, (name, who)
        else:
            assert status in (403, 405), (name, who)
        if not lets_in:
            assert desk.post(path, {}).status_code in (403, 404, 405), (name, who)


def test_a_study_in_which_one_has_no_role_answers_as_one_that_is_not_there(world):
    desk = world.desks["nobody"]
    for name, path in addresses(world).items():
        if path.startswith("/office/studies/swing/"):
            there, nowhere = desk.get(path), desk.get(path.replace("/swing/", "/none-such/", 1))
            assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content), name


def test_a_masked_role_denies_until_the_results_are_unmasked(world):
    pages = {
        name: path
        for name, path in addresses(world).items()
        if getattr(views()[name], "verb", "") in REVEALING
    }
    desk, held = world.desks["lead and analyst"], world.holders["lead and analyst"]
    assert pages
    for name, path in pages.items():
        assert desk.get(path).status_code in (403, 405), name
    Study.objects.update(results="unmasked")
    for name, path in pages.items():
        assert allowed(held, views()[name].verb, False, masked=False)
        assert desk.get(path).status_code != 403, name


def test_an_address_with_a_verb_is_what_it_seems(world):
    for name, path in addresses(world).items():
        if hasattr(views()[name], "verb"):
            assert resolve(path).url_name == name
