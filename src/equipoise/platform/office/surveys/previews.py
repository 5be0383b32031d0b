"""What participants are shown, looked at by staff; nothing is stored."""

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from equipoise.platform.fieldwork.prepared import prepared
from equipoise.platform.fieldwork.views.frames import frame
from equipoise.platform.fieldwork.views.media import media_file
from equipoise.platform.fieldwork.views.questions import BlockHtml
from equipoise.platform.office.access import study_page
from equipoise.platform.office.surveys.responses import wave_label
from equipoise.platform.pages.questions import question_html
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.asked import Asked

__all__ = ["urlpatterns"]


@require_safe
@study_page("surveys.preview")
def preview(request: HttpRequest, study: Study, wave: str, number: int) -> HttpResponse:
    """A page of a survey as participants see it, in the order of the protocol; nothing is stored."""
    wave_label(study, wave)
    asked = prepared(study, wave, request.GET.get("lang", "")[:20] or None).questionnaire
    if not 1 <= number <= len(asked.pages):
        raise Http404
    shown = asked.pages[number - 1]
    here = [study.name, wave]
    values: dict[str, Any] = {
        "page_title": shown.title or asked.title,
        "page": shown,
        "blocks": [
            BlockHtml(
                block,
                tuple(question_html(_placed(study, one), language=asked.language) for one in block.asked),
            )
            for block in shown.blocks
        ],
        "back_url": reverse("survey-preview", args=[*here, number - 1]) if number > 1 else "",
        "next_url": reverse("survey-preview", args=[*here, number + 1]) if number < len(asked.pages) else "",
        "end_url": reverse("surveys", args=[study.name]),
        "progress": {"page": number, "pages": len(asked.pages)},
        "demonstration": any(block.demonstration for block in shown.blocks),
        "others": [each for each in asked.languages if each != asked.language],
        "problems": [],
    }
    return render(request, "office/preview.html", frame(study, asked.language, **values))


@require_safe
@study_page("surveys.preview")
def preview_media(request: HttpRequest, study: Study, path: str) -> HttpResponse:
    """A file that a page of a survey plays."""
    return media_file(request, folder_of(study), path)


def _placed(study: Study, asked: Asked) -> Asked:
    """A video with the addresses of its files in the office."""
    if asked.kind != "video":
        return asked
    places = {
        name: reverse("survey-preview-media", args=[study.name, path.removeprefix("media/")])
        for name in ("media", "captions", "transcript")
        if (path := getattr(asked, name)) is not None
    }
    return replace(asked, **places)


urlpatterns = [
    path("studies/<slug:name>/surveys/media/<path:path>", preview_media, name="survey-preview-media"),
    path("studies/<slug:name>/surveys/<str:wave>/preview/<int:number>", preview, name="survey-preview"),
]
