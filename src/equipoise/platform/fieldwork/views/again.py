"""Send me my link again; and the privacy notice. The answer is the same whether or not somebody is known."""

import time

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.platform.fieldwork.requests import ask_for_link
from equipoise.platform.fieldwork.throttle import wanted_links
from equipoise.platform.fieldwork.views.frames import chosen_language, frame, notice_page
from equipoise.platform.pages.words import words_for
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.privacy import privacy_notice

__all__ = ["link_again", "notice"]

_LONGEST = 254
# Noting a request takes a few milliseconds longer than finding that there is nobody; both take this long.
_ANSWERED_AFTER_SECONDS = 0.04


@require_http_methods(["GET", "HEAD", "POST"])
def link_again(request: HttpRequest, name: str) -> HttpResponse:
    """A form for an e-mail address; the worker sends what is due, so that no answer tells by its time."""
    study = _public_study(name)
    language = chosen_language(request, study)
    words = words_for(language)["survey"]
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        if wanted_links.exhausted(request):
            return notice_page(request, "too_many", language=language, study=study, status=429)
        address = request.POST.get("email", "").strip()[:_LONGEST]
        if "@" in address:
            wanted_links.count(request)
            until = time.monotonic() + _ANSWERED_AFTER_SECONDS
            ask_for_link(study, address)
            time.sleep(max(0.0, until - time.monotonic()))
            return notice_page(request, "asked_for", language=language, study=study)
        problems = [{"id": "email", "text": words["email_wanted"]}]
    page = frame(
        study,
        language,
        page_title=words["again_title"],
        problems=problems,
        typed=request.POST.get("email", ""),
        can_send=settings.WORKSPACE.settings.mail is not None,
    )
    return render(request, "fieldwork/again.html", page, status=422 if problems else 200)


@require_safe
def notice(request: HttpRequest, name: str) -> HttpResponse:
    """The study's privacy notice, generated from its protocol."""
    study = _public_study(name)
    folder = folder_of(study)
    language = folder.protocol.study.language
    words = words_for(language)
    page = frame(study, language, page_title=words["privacy"], sections=privacy_notice(folder))
    return render(request, "fieldwork/privacy.html", page)


def _public_study(name: str) -> Study:
    study = Study.objects.filter(name=name).exclude(state="locked").first()
    if study is None:
        raise Http404
    return study
