"""What every page for participants has around it, and the pages that say why there is nothing to answer."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from equipoise.platform.fieldwork.models import Session
from equipoise.platform.fieldwork.standing import Standing
from equipoise.platform.fieldwork.throttle import refused_tokens
from equipoise.platform.pages.filters import moment
from equipoise.platform.pages.words import LANGUAGES, words_for
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, wave_times

__all__ = ["chosen_language", "frame", "notice_page", "standing_page", "wrong_link"]

_GONE = {"closed": 410, "left": 410}


def frame(study: Study, language: str, session: Session | None = None, **values: Any) -> dict[str, Any]:
    """The values that the participants' layout needs, and those of the page."""
    said = folder_of(study).protocol
    contact = said.study.contact
    return {
        "lang": language,
        "site_title": said.study.title,
        "contact": contact or "",
        "contact_email": contact if contact and "@" in contact and " " not in contact else "",
        "privacy_url": reverse("privacy-notice", args=[study.name]),
        "choices_url": reverse("survey-choices", args=[session.code]) if session else "",
        **values,
    }


def standing_page(
    request: HttpRequest,
    study: Study,
    language: str,
    found: Standing,
    *,
    session: Session | None = None,
    message: str = "",
    status: int | None = None,
) -> HttpResponse:
    """The page for somebody who cannot answer now: what has happened, and what they can do."""
    words = words_for(language)["survey"]
    zone = folder_of(study).protocol.study.timezone
    times = {
        "opens": moment(found.opens, zone, lang=language),
        "closes": moment(found.closes, zone, lang=language),
    }
    said = words["standing"][found.name]
    text = [each.format(**times) for each in said["text"]]
    page = frame(
        study,
        language,
        session,
        page_title=said["title"],
        text=[message, *text] if message else text,
        support=_support(study) if found.name in ("complete", "screened-out", "quota-full") else (),
        onward=_onward(session, language) if found.name == "complete" else "",
    )
    return render(request, "fieldwork/standing.html", page, status=status or _GONE.get(found.name, 200))


def notice_page(
    request: HttpRequest, name: str, *, language: str = "en-GB", study: Study | None = None, status: int = 200
) -> HttpResponse:
    """A page of one message by its name in the words: a link that does not work, a page that timed out."""
    said = words_for(language)["survey"][name]
    around: Mapping[str, Any] = frame(study, language) if study else {"lang": language}
    page = {**around, "page_title": said["title"], "text": said["text"], "support": (), "onward": ""}
    return render(request, "fieldwork/standing.html", page, status=status)


def wrong_link(request: HttpRequest) -> HttpResponse:
    """The page for a link that does not work, the same for every reason; whoever tries many has to wait.

    Links that work are never slowed down: a whole organisation can share one address.
    """
    if refused_tokens.exhausted(request):
        return notice_page(request, "too_many", status=429)
    refused_tokens.count(request)
    return notice_page(request, "wrong_link", status=404)


def chosen_language(request: HttpRequest, study: Study) -> str:
    """The language that the address asks for, where the platform speaks it; else the study's own."""
    own = folder_of(study).protocol.study.language
    wanted = request.GET.get("lang", "")
    return wanted if wanted in LANGUAGES else own


def _support(study: Study) -> Sequence[Any]:
    support = folder_of(study).protocol.support
    return support.contacts if support is not None else ()


def _onward(session: Session | None, language: str) -> str:
    """When this participant is asked next, in words; nothing where they are not."""
    if session is None:
        return ""
    study, participant = session.participant.study, session.participant
    return _next_wave(study, participant, session.wave, language)


def _next_wave(study: Study, participant: Participant, wave: str, language: str) -> str:
    protocol = folder_of(study).protocol
    times = wave_times(study)
    later = [each for each in times.values() if each.opens > times[wave].opens and each.state != "closed"]
    if not later or protocol.waves[later[0].wave].among is not None:
        return ""
    opens = min(each.opens for each in later)
    words = words_for(language)["survey"]
    day = opens.astimezone(ZoneInfo(protocol.study.timezone))
    month = words_for(language)["months"][day.month - 1]
    return str(words["asked_again"].format(day=day.day, month=month, year=day.year))
