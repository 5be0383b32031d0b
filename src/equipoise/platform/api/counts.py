"""`GET studies/STUDY/counts`: how many answered, by wave, partner and day."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from equipoise.platform.fieldwork.queries import Response, responses, responses_by_day
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import wave_times

__all__ = ["router"]

router = Router(tags=["Response counts"])


class Counted(Schema):
    """How many of whom: those asked, those who began, those who finished."""

    asked: int
    started: int
    complete: int


class PartnerCounted(Counted):
    """The same of one partner's people."""

    partner: str


class DayCounted(Schema):
    """How many finished on a day, in the study's time zone."""

    day: date
    complete: int


class WaveCounted(Counted):
    """A wave, by partner, and by day from the first day on which somebody finished to the last."""

    wave: str
    partners: list[PartnerCounted]
    days: list[DayCounted]


class CountsSaid(Schema):
    """Every wave of the study."""

    waves: list[WaveCounted]


@router.get("studies/{slug:study}/counts", response=CountsSaid, url_name="api-counts", operation_id="counts")
def counts(request: HttpRequest, study: str) -> dict[str, Any]:
    """How many were asked, began and finished. Nothing is told by arm."""
    return {"waves": list(_waves(request.auth.study))}


def _waves(study: Study) -> Iterator[dict[str, Any]]:
    found = responses(study)
    for wave in wave_times(study):
        rows = [row for row in found if row.wave == wave]
        yield {
            "wave": wave,
            **next(_told(row) for row in rows if row.partner is None),
            "partners": [{"partner": row.partner, **_told(row)} for row in rows if row.partner is not None],
            "days": [{"day": day, "complete": number} for day, number in responses_by_day(study, wave)],
        }


def _told(row: Response) -> dict[str, int]:
    return {"asked": row.asked, "started": row.started, "complete": row.complete}
