"""A browser without a window: opens a link from a message, presses buttons, and fills in what a page asks.

It knows nothing of surveys but what the HTML says. A page that the server refuses is a failure, told with
where it was.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from lxml import html
from lxml.html import FormElement

from equipoise.platform.rehearsal.cast.forms import filled

__all__ = ["Browser", "Film", "Page", "PageError", "Sitting"]

_SECONDS = 60  # a server that takes longer for a page has failed
_LANDINGS = ("s", "m", "stop")


class PageError(Exception):
    """A page that nobody should have met; the message says which, without the token of a link."""


@dataclass(frozen=True)
class Page:
    """A page as it came."""

    url: str
    status: int
    document: html.HtmlElement

    @property
    def path(self) -> str:
        """The address below the origin."""
        return urlsplit(self.url).path

    @property
    def names(self) -> set[str]:
        """The names of its fields; an answer may bring a page again with more to ask."""
        return set(self.document.xpath("//main//form//*[@name]/@name"))

    @property
    def form(self) -> FormElement | None:
        """The form that leads on, if the page has one."""
        found = self.document.xpath("//main//form[@method='post'][not(ancestor::header)]")
        return found[0] if found else None


@dataclass
class Sitting:
    """What somebody answered in one go: the columns that were acknowledged, and whether it was to the end."""

    answers: dict[str, str] = field(default_factory=dict)
    pages: int = 0
    finished: bool = False
    shut: bool = False  # the link led to no survey that can be answered


@dataclass(frozen=True)
class Film:
    """The player on a message's page, and what it is given to tell how much was played."""

    page: str
    source: str
    tells: str
    key: str
    token: str

    @property
    def name(self) -> str:
        """Its file, as the study's media name it."""
        return urlsplit(self.source).path.partition("/media/")[2]


class Browser:
    """One person's browser, with cookies of its own."""

    def __init__(self, certificates: Path) -> None:
        """A fresh one; `certificates` are those it trusts."""
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(certificates)

    def open(self, url: str) -> Page:
        """Open an address."""
        return self._read(self._session.get(url, timeout=_SECONDS))

    def close(self) -> None:
        """Close it."""
        self._session.close()

    def send(
        self, page: Page, form: FormElement, fields: Mapping[str, list[str]], *, twice: bool = False
    ) -> Page:
        """Send a form with its hidden fields; `twice` presses the button twice, at the same moment."""
        hidden = {
            str(each.name): [str(each.value or "")]
            for each in form.xpath(".//input[@type='hidden']")
            if each.name is not None
        }
        url = urljoin(page.url, form.get("action") or page.url)
        sent = {**hidden, **fields}
        if twice:
            impatient = threading.Thread(target=self._post, args=(url, sent, page.url, False))
            impatient.start()
            found = self._post(url, sent, page.url, True)
            impatient.join()
            return self._read(found)
        return self._read(self._post(url, sent, page.url, True))

    def one_click(self, url: str) -> int:
        """What a mail program does for "unsubscribe": a post without a page. Gives the status."""
        said = {"List-Unsubscribe": "One-Click"}
        return requests.post(url, data=said, verify=self._session.verify, timeout=_SECONDS).status_code

    def answer(
        self, link: str, answers: Mapping[str, str], *, pages: int | None = None, twice: bool = False
    ) -> Sitting:
        """From the link of a message through the survey.

        Args:
            link: as it stands in the message.
            answers: by column, what this person answers where it is asked.
            pages: after how many pages of questions they stop; None for the end.
            twice: whether every button is pressed twice.
        Raises:
            PageError: a page that was refused, or that leads nowhere.
        """
        page, sitting = self.open(link), Sitting()
        if page.form is None:
            sitting.shut = True
            return sitting
        page = self.send(page, page.form, {})
        while not page.path.endswith("/thanks"):
            form = page.form
            if form is None:
                sitting.shut = True
                return sitting
            fields, said = filled(form, answers)
            asked = "/page/" in page.path
            before, page = page, self.send(page, form, fields, twice=twice)
            if page.path == before.path and page.names == before.names:
                raise PageError(f"{_hidden(page.path)} came again after it was answered")
            if asked:
                sitting.answers |= said
                sitting.pages += 1
                if pages is not None and sitting.pages >= pages and not page.path.endswith("/thanks"):
                    return sitting
        sitting.finished = True
        return sitting

    def open_message(self, link: str) -> Page | None:
        """Open the page that a message leads to, by its button; None for whoever has left.

        Raises:
            PageError: a page that was refused.
        """
        page = self.open(link)
        return None if page.form is None else self.send(page, page.form, {})

    def film_on(self, page: Page) -> Film | None:
        """The film on a message's page, of which the browser begins to load a part; None where there is none.

        Raises:
            PageError: a part of it cannot be had.
        """
        for player in page.document.xpath("//main//*[@data-watched]"):
            source = urljoin(page.url, player.xpath("string(source/@src)"))
            answer = self._session.get(source, headers={"Range": "bytes=0-1023"}, timeout=_SECONDS)
            if answer.status_code != 206:
                raise PageError(f"the film of a message answered {answer.status_code} when asked for a part")
            tells = urljoin(page.url, player.get("data-watched"))
            return Film(page.url, source, tells, player.get("data-key"), player.get("data-token"))
        return None

    def tell(self, film: Film, ranges: Sequence[tuple[float, float]], length: float) -> None:
        """What the player of a film tells: the stretches that were played, and how long it is, in seconds.

        Raises:
            PageError: it is refused.
        """
        said = {"csrfmiddlewaretoken": film.token, "key": film.key, "length": str(length)}
        fields = {name: [value] for name, value in said.items()} | {"ranges": [json.dumps(list(ranges))]}
        status = self._post(film.tells, fields, film.page, True).status_code
        if status != 204:
            raise PageError(f"what a player told was answered by {status}")

    def stop(self, link: str, choice: str) -> None:
        """Stop messages, leave, or have everything erased, by the link in a message.

        Raises:
            PageError: the page does not offer it, or refuses it.
        """
        page = self.open(link)
        for fields in ({"choice": [choice]}, {}):
            forms = page.document.xpath("//main//form[@method='post']")
            fitting = [form for form in forms if not fields or form.xpath(f".//input[@value='{choice}']")]
            if not fitting:
                if fields:
                    raise PageError(f"{_hidden(page.path)} does not offer to choose {choice}")
                return
            page = self.send(page, fitting[0], fields)

    def _post(self, url: str, sent: Mapping[str, list[str]], referer: str, shared: bool) -> requests.Response:
        """Send a form; the second of two presses has a connection of its own."""
        headers = {"Referer": referer, "Origin": "{0.scheme}://{0.netloc}".format(urlsplit(url))}
        if shared:
            return self._session.post(url, data=sent, headers=headers, timeout=_SECONDS)
        with requests.Session() as other:
            other.trust_env, other.verify = False, self._session.verify
            other.cookies.update(self._session.cookies)
            return other.post(url, data=sent, headers=headers, timeout=_SECONDS)

    def _read(self, response: requests.Response) -> Page:
        page = Page(response.url, response.status_code, html.fromstring(response.text or "<html></html>"))
        if response.status_code >= 400 and response.status_code != 410:
            title = " ".join(page.document.xpath("string(//h1)").split())
            raise PageError(f"{_hidden(page.path)} answered {response.status_code}: {title}")
        return page


def _hidden(path: str) -> str:
    """A path without the token that it may hold."""
    first, _, rest = path.strip("/").partition("/")
    return f"/{first}/..." if first in _LANDINGS and rest else path
