"""One planted workspace for all tests of this folder: made once, stored, and gone when they are done."""

import pytest
from django.core.management import call_command
from tests.platform.security.planted.forms import forms_of, undone
from tests.platform.security.planted.world import HARM, build, walk

from equipoise.platform.delivery.engine.rules import _rules
from equipoise.platform.fieldwork.prepared import _prepared
from equipoise.platform.registry import queries

REFLECTED = (
    "lang",
    "sort",
    "state",
    "partner",
    "answered",
    "page",
    "q",
    "next",
    "over",
    "format",
    "kind",
    "wave",
)


@pytest.fixture(scope="package")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    _forget_folders()
    with django_db_blocker.unblock():
        made = build(tmp_path_factory.mktemp("planted"))
        yield made
        call_command("flush", verbosity=0, interactive=False)
    _forget_folders()


@pytest.fixture(scope="package")
def pages(world):
    """Every page that staff and participants reach, by its address."""
    start = [world.links["waiting"], world.links["waiting"].replace("columns", "preview"), "/office/"]
    start += [
        f"/office/studies/swing/people/{world.people[number].key}/{place}"
        for number in (0, 2, 3)
        for place in ("", "report")
    ]
    found, _ = walk(world.desk("lead"), start)
    theirs, _ = walk(world.desk("administrator"), ["/office/", "/office/add-study"])
    return {**theirs, **found, **_outside(world), **world.met}


@pytest.fixture(scope="package")
def answers(world, pages):
    """What every page says to an address with harm in it, and to a form with harm in every field; undone at once."""
    desk, found = world.desk("lead"), {}
    asked = "&".join(f"{name}={HARM.replace('&', '%26').replace('#', '%23')}" for name in REFLECTED)
    for path, page in pages.items():
        if path.startswith("/office/") and "?" not in path:
            found[f"{path}?{asked}"] = desk.client.get(f"{path}?{asked}", secure=True)
        for number, form in enumerate(forms_of(path, page)):
            sent = f"{path} sent to {form.action} ({number})"
            with undone(desk):
                found[sent] = desk.post(form.action, form.filled(HARM))
                if found[sent].status_code == 303:
                    found[f"{path} onward from {form.action} ({number})"] = desk.follow()
    return found


def _forget_folders():
    """Tests put other folders in the same place; a workspace never does."""
    for kept in (queries._loaded, queries._times, _prepared, _rules):
        kept.cache_clear()


def _outside(world):
    """Pages that need no signing in, and those of errors."""
    desk, found = world.desk("Nobody"), {}
    paths = [world.links[name] for name in ("before", "after", "stop", "open")]
    for path in (*paths, "/link/swing", "/privacy/swing", "/nowhere", "/office/studies/swing/"):
        found[f"{path} from outside"] = desk.client.get(path, secure=True)
    return found
