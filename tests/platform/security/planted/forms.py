"""The forms of a page, as a browser would send them."""

import copy
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

__all__ = ["Form", "forms_of", "undone"]

TYPED = {"text", "email", "tel", "search", "password", "number", "url", "date", "textarea"}


@dataclass
class Form:
    """Where a form is sent, and its fields: what stands in them, of what kind they are, and the named buttons."""

    action: str
    values: dict = field(default_factory=dict)
    kinds: dict = field(default_factory=dict)
    buttons: list = field(default_factory=list)

    def filled(self, text):
        """Everything as it stands, the first of each choice, and a text in each field in which one can type."""
        said = {name: text if self.kinds[name] in TYPED else value for name, value in self.values.items()}
        files = {
            name: SimpleUploadedFile("sent.csv", text.encode()) for name in said if self.kinds[name] == "file"
        }
        return {**said, **files}

    def by_button(self):
        """The form once for each of its named buttons; as it is, where there is none."""
        if not self.buttons:
            return [self]
        return [
            Form(self.action, {**self.values, name: value}, {**self.kinds, name: "button"})
            for name, value in self.buttons
        ]


def forms_of(path, page):
    """The forms of a page that are posted, with an address of our own."""
    if not page.get("Content-Type", "").startswith("text/html"):
        return []
    reader = _Reader(path)
    reader.feed(page.content.decode())
    return [each for form in reader.found if form.action.startswith("/") for each in form.by_button()]


@contextmanager
def undone(desk):
    """Whatever is done here is taken back, and the browser is signed in as before."""
    cookies = copy.deepcopy(desk.client.cookies)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    desk.client.cookies = cookies


class _Reader(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.found, self.form, self.select, self.path = (
            [],
            None,
            None,
            path.partition(" ")[0].partition("?")[0],
        )

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "form":
            posted = (said.get("method") or "").lower() == "post"
            self.form = Form(said.get("action") or self.path) if posted else None
            self.found += [self.form] if posted else []
        elif self.form is not None:
            self._field(tag, said)

    def _field(self, tag, said):
        if tag == "option" and self.select:
            self.form.values.setdefault(self.select, said.get("value") or "")
        name = said.get("name")
        if not name or name == "csrfmiddlewaretoken":
            return
        if tag == "select":
            self.select, self.form.kinds[name] = name, tag
        elif tag == "button":
            self.form.buttons.append((name, said.get("value") or ""))
        elif tag in ("input", "textarea"):
            self.form.kinds[name] = said.get("type", "text") if tag == "input" else tag
            self.form.values.setdefault(name, said.get("value") or "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None
        if tag == "select":
            self.select = None
