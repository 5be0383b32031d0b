"""Participants who are enrolled, their links, and a browser that follows them."""

import re
from html import unescape

import pytest
from django.test import Client

from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.people.models import Participant, RosterFacts
from equipoise.platform.staff.actions import CommandLine

ORIGIN = "http://localhost:8000"


def enrolled(study, number=1, **facts):
    """So many people in a study, with what the roster says of each."""
    from equipoise.platform.clock import now

    people = [
        Participant.objects.create(study=study, enrolled_at=now(), partner=study.partners.first())
        for _ in range(number)
    ]
    said = {"cohort": "2021", "region": "north", "started_on": "2021-01-11", **facts}
    RosterFacts.objects.bulk_create(RosterFacts(participant=person, values=said) for person in people)
    return people


class Browser:
    """What a person does with a page: opens it, fills in its form, sends it. No script runs."""

    def __init__(self, csrf=True):
        self.client = Client(enforce_csrf_checks=csrf, HTTP_ORIGIN="https://testserver")
        self.response = None

    def open(self, address):
        path = address.removeprefix(ORIGIN)
        self.response = self.client.get(path, follow=True, secure=True)
        self._note(path)
        return self

    def _note(self, path):
        chain = getattr(self.response, "redirect_chain", [])
        self.path = chain[-1][0] if chain else path

    @property
    def html(self):
        return self.response.content.decode()

    @property
    def heading(self):
        return unescape(re.search(r"<h1[^>]*>(.*?)</h1>", self.html, re.S)[1]).strip()

    @property
    def text(self):
        return unescape(re.sub(r"<[^>]+>", " ", self.html))

    def hidden(self):
        found = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", self.html)
        pairs = [
            (re.search(r'name="([^"]*)"', one)[1], re.search(r'value="([^"]*)"', one)[1]) for one in found
        ]
        return {name: unescape(value) for name, value in pairs}

    def send(self, fields=None, **more):
        """Send the page's form with these fields."""
        action = re.search(r'<form method="post" action="([^"]*)"', self.html)[1]
        data = {**self.hidden(), **(fields or {}), **more}
        self.response = self.client.post(action, data, follow=True, secure=True)
        self._note(action)
        return self


@pytest.fixture
def browser():
    return Browser()


@pytest.fixture
def people(swing):
    """A function that enrols people in `swing`."""
    return lambda number=1, **facts: enrolled(swing, number, **facts)


@pytest.fixture
def link(swing, people):
    """A function that gives a new participant's link to a wave."""

    def make(wave="before", participant=None):
        person = participant or people()[0]
        return make_links(CommandLine(), swing, wave, [person])[0].link

    return make


def items(study, survey, page):
    """A whole page answered, as its fields: the second choice everywhere."""
    from equipoise.platform.registry.queries import folder_of
    from equipoise.protocol.questionnaire import questionnaire

    found = {}
    for asked in questionnaire(folder_of(study), survey).page(page).asked:
        if asked.kind == "choice":
            found[asked.key] = asked.choices[1].code
        elif asked.kind == "number":
            found[asked.key] = "3"
    return found
