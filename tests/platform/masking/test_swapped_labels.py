"""Whoever analyses blinded gets the same bytes whichever arm is which.

The labels of a trial in the workspace are swapped, and nothing else: the same people, keys, clock and answers.
Chance is made to repeat itself by seeding `secrets`, because a page has a fresh token in its forms each time.
"""

import os
import random
import secrets
from copy import deepcopy
from types import SimpleNamespace

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from equipoise.platform.people.models import Allocation, Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.review.actions import Wanted, exclude
from equipoise.platform.review.jobs import make_export
from equipoise.platform.review.models import Export
from equipoise.platform.review.sealing import seal_results

# Data are read in a snapshot, which is a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)
EVERYTHING = ("parquet", "csv", "spreadsheet", "spss", "stata")
DATA = "/office/studies/swing/data/"
SWAPPED = {"control": "messages", "messages": "control"}
BY_KIND = {"int": "1", "slug": "swing", "str": "main", "path": "x.mp4", "uuid": "0" * 32}


@pytest.fixture
def repeatable(monkeypatch):
    """A function after which chance begins anew; the server's clock stands still."""
    drawn = random.Random()
    monkeypatch.setattr(secrets, "choice", drawn.choice)
    monkeypatch.setattr(secrets, "randbelow", drawn.randrange)
    monkeypatch.setattr(secrets, "token_bytes", lambda n=32: drawn.randbytes(n))
    monkeypatch.setattr(secrets, "token_hex", lambda n=32: drawn.randbytes(n).hex())
    monkeypatch.setattr(os, "urandom", drawn.randbytes)  # of the challenge for a new passkey
    monkeypatch.setattr("django.utils.cache.time", SimpleNamespace(time=lambda: 1.6e9))  # of `Expires`
    stands = SimpleNamespace(time=lambda: 1.6e9)  # since the worker of another test was last alive
    monkeypatch.setattr("equipoise.platform.operations.measures.time", stands)
    return lambda: drawn.seed(7)


def patterns(resolver, before=""):
    """Every address of the site, with its pattern."""
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one, route)
        elif isinstance(one, URLPattern):
            yield route, one


def addresses(filled):
    """Every address that has no regular expression in it, with something sensible in its places."""
    for route, one in patterns(get_resolver()):
        if any(mark in route for mark in "^$(?") or route.startswith("static"):
            continue
        for name, converter in one.pattern.converters.items():
            kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
            route = route.replace(f"<{kind}:{name}>", filled.get(name, BY_KIND[kind]))
            route = route.replace(f"<{name}>", filled.get(name, "main"))
        yield "/" + route.lstrip("/")


def told(page):
    body = b"".join(page.streaming_content) if page.streaming else page.content
    return page.status_code, sorted(page.headers.items()), body


@pytest.fixture
def everything(franks_desk, repeatable, caplog):
    """A function that makes all formats and fetches whatever the analyst can, refusals too."""

    kept = deepcopy(franks_desk.client.cookies)

    def fetch(under="/"):
        franks_desk.client.cookies = deepcopy(kept)
        repeatable()
        caplog.clear()
        Export.objects.all().delete()
        found = {"asked": told(franks_desk.act(DATA, formats=list(EVERYTHING)))}
        assert make_export() == 1
        export = Export.objects.get()
        assert export.state == "ready", export.problem
        filled = {
            "name": "swing", "wave": "after", "stage": "main", "export": export.name, "to": "closed",
            "key": Participant.objects.order_by("key").first().key,
        }  # fmt: skip
        for path in (one for one in addresses(filled) if one.startswith(under)):
            found[path] = told(franks_desk.get(path))
            if found[path][0] == 200:
                found[f"{path}?format=csv"] = told(franks_desk.get(path, format="csv"))
        return {**found, "log": [record.getMessage() for record in caplog.records]}

    return fetch


def swap():
    """The other name for each arm, and nothing else."""
    for row in Allocation.objects.all():
        Allocation.objects.filter(pk=row.pk).update(arm=SWAPPED[row.arm])


def differing(first, second):
    assert set(first) == set(second)
    return [place for place in first if first[place] != second[place]]


def test_every_byte_that_an_analyst_can_fetch_is_the_same_with_swapped_labels_until_they_are_unmasked(
    closed, frank, alice, everything
):
    exclude(frank, closed.study, [Wanted(sorted(closed.people)[3], ("wellbeing",), "Gave one answer to all")])
    masked = everything()
    archive = next(place for place in masked if place.startswith(f"{DATA}2") and place.endswith(".zip"))
    assert (masked[archive][0], len(masked[archive][2]) > 50_000) == (200, True)
    opened = [place for place in masked if place != "log" and masked[place][0] == 200]
    for page in ("", "protocol/", "data/", "data/review/", "surveys/", "surveys/after/days"):
        assert f"/office/studies/swing/{page}" in opened
    swap()
    assert differing(masked, everything()) == []
    seal_results(alice, closed.study, "Looked through without the arms")
    sealed = everything(DATA)
    swap()
    assert differing(sealed, everything(DATA)) == []
    Study.objects.update(results="unmasked")  # the test can fail: now the labels show
    named = everything(DATA)
    swap()
    assert archive in differing(named, everything(DATA))
