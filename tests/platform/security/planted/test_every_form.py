"""Every form there is: sent with more than it asks for, it does what it shows; sent twice, it does it once."""

import re

import pytest
from django.apps import apps
from django.db import models
from django.urls import resolve
from tests.platform.security.planted.forms import forms_of, undone

pytestmark = pytest.mark.django_db

# What somebody may hope to change by a field that the form does not have.
MORE = {
    **dict.fromkeys(("is_staff", "is_superuser", "is_active", "revealed", "force", "sure", "confirmed"), "1"),
    **dict.fromkeys(("role", "roles"), "administrator"),
    **dict.fromkeys(("study", "study_id", "name_of_study"), "diversity-in-hiring"),
    **dict.fromkeys(("state", "stage_state", "session_state"), "published"),
    **dict.fromkeys(("actor", "entered_by", "by", "who", "member", "member_id", "user"), "staff:1"),
    **dict.fromkeys(("pk", "id", "partner_id", "programme_id", "participant_id", "version", "number"), "1"),
    "arm": "messages",
    "stratum": "x",
    "secret": "00" * 32,
    "seed": "1",
    "results": "unmasked",
    "masked": "no",
    "participant": "x",
    "source": "roster",
    "at": "2020-01-01T00:00:00Z",
    "launched_at": "2020-01-01T00:00:00Z",
    "token_hash": "0" * 64,
    "hash": "0" * 64,
    "email_of_member": "evil@example.org",
    "last_code": "0",
}
# Forms that do the same again when they are sent again, each with the reason why that is right.
AGAIN = {
    "person": "each look at contact details is an act of its own",
    "person-report": "each report is an act of its own",
    "person-link": "a link is shown once, so there is a new one each time; earlier ones go on working",
    "survey-links": "as for one person",
    "exports": "the data of another moment",
    "import": "each upload is looked at on its own, and importing it twice is refused",
    "staff-entry": "each time that answers are entered is recorded",
    "account_change_password": "a password is hashed anew",
}
# Columns that differ between two times that the very same was sent.
VOLATILE = re.compile(r"(^|_)(at|begins|hash|head|previous|code|key|sealed|password|root|details|order)$")
# Forms that are known to have done something, so that doing nothing is no success.
ACTS = {"person", "person-leave", "person-link", "study-move", "open-links", "survey-links", "staff-entry"}
PLAIN = {
    "reason": "They asked for it",
    "label": "A newsletter of May",
    "wave": "session",
    "choice": "messages",
}


def ready(form, path):
    """A form filled in as somebody would who means it."""
    said = form.filled("")
    thing = re.search(r"/people/([a-z2-9]{16})/", path)
    said |= {name: PLAIN[name] for name in said if name in PLAIN and not said[name]}
    if "name" in said:
        said["name"] = thing[1] if thing else path.split("/")[3]
    return said


def stored():
    """Every row of every table but those of sessions, by table: its values by column."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if "session" not in model._meta.db_table or model._meta.app_label == "fieldwork":
            fields = [
                each.attname for each in model._meta.concrete_fields if not isinstance(each, models.AutoField)
            ]
            found[model._meta.label] = sorted(
                (
                    tuple(zip(fields, map(str, row), strict=True))
                    for row in model._base_manager.values_list(*fields)
                ),
                key=str,
            )
    return found


def changes(before, after):
    """The rows that are new or changed, each as its columns and values."""
    return {(name, row) for name, rows in after.items() for row in set(rows) - set(before[name])}


def settled(rows):
    """Rows without what time and chance make different, whatever was sent."""
    return {(name, tuple(pair for pair in row if not VOLATILE.search(pair[0]))) for name, row in rows}


@pytest.fixture(scope="module")
def forms(world, pages):
    """One form of each kind, with the page it stands on, as the lead meets it."""
    found = {}
    for path, page in pages.items():
        if " " not in path:
            for form in forms_of(path, page):
                found.setdefault((resolve(form.action).url_name, *sorted(form.values)), (path, form))
    return found


def sent(desk, form, said):
    """What came of sending it: the status and what changed."""
    with undone(desk):
        before = stored()
        page = desk.post(form.action, said)
        return page.status_code, changes(before, stored())


def test_a_field_that_a_form_does_not_have_changes_nothing(world, forms):
    desk, acted = world.desk("lead"), set()
    for (name, *_), (path, form) in forms.items():
        said = ready(form, path)
        more = {key: value for key, value in MORE.items() if key not in said}
        plainly, greedily = sent(desk, form, said), sent(desk, form, {**more, **said})
        assert greedily[0] == plainly[0], name
        assert settled(greedily[1]) == settled(plainly[1]), name
        acted |= {name} if plainly[1] else set()
    assert acted >= ACTS


def test_a_form_that_is_sent_twice_acts_once(world, forms):
    desk, twice = world.desk("lead"), {}
    for (name, *_), (path, form) in forms.items():
        said = ready(form, path)
        with undone(desk):
            first = desk.post(form.action, said)
            between = stored()
            second = desk.post(form.action, said)
            more = {label for label, _ in changes(between, stored())}
        assert second.status_code == first.status_code or second.status_code < 500, name
        if more and first.status_code < 400:
            twice[name] = more
    assert set(twice) - set(AGAIN) == set(), twice
