"""A browser without scripts on the pages of an import."""

import re

from django.core.files.uploadedfile import SimpleUploadedFile

from equipoise.platform.people.models import PendingImport

__all__ = ["ROOT", "Browser", "columns_of", "confirm", "look", "text_of"]

ROOT = "/office/studies/swing/people/import/"


class Browser:
    """Sends what a form would."""

    def __init__(self, client):
        self.client = client

    def get(self, path):
        return self.client.get(path, secure=True)

    def post(self, path, data=None):
        return self.client.post(path, data or {}, secure=True)

    def upload(self, content, name="cohort-2020.csv", **data):
        file = SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())
        return self.post(ROOT, {"file": file, **data, "end": "yes"})


def text_of(response):
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def columns_of(**changed):
    """The form of the columns of a roster of `swing`, filled in."""
    chosen = {
        "column-staff_ref": "Trainee ID",
        "column-email": "Email",
        "column-mobile": "Mobile",
        "column-region": "Region",
        "column-started_on": "Start date",
        "same-cohort": "2020",
    }
    return {**chosen, **changed}


def look(browser, content, **data):
    """Upload, take the columns as they are, and give the address of the preview with its page."""
    sent = browser.upload(content, **data)
    assert sent.status_code == 303, text_of(sent)
    number = PendingImport.objects.latest("pk").pk
    chosen = browser.post(f"{ROOT}{number}/columns", columns_of())
    assert chosen.status_code == 303, text_of(chosen)
    return f"{ROOT}{number}/preview", browser.get(f"{ROOT}{number}/preview")


def _expected_in(page):
    return re.search(r'name="expected" value="([^"]*)"', page.content.decode())[1]


def confirm(browser, address, page):
    """Press the button of a preview."""
    return browser.post(address, {"expected": _expected_in(page)})
