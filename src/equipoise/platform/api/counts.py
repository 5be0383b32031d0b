"""`GET studies/STUDY/counts`: how many answered, by wave, partner and day."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from equipoise.platform.api.tokens import Admitted
from equipoise.platform.fieldwork.queries import Response, responses, responses_by_day
from equipoise.platform.office.disclosed import reached, so_far
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
    """How many finished on a day, in the study's time zone, and by its end. A partner is told the latter."""

    day: date
    complete: int | None
    so_far: int


class WaveCounted(Counted):
    """A wave, by partner, and by day from the first day on which somebody finished to the last."""

    wave: str
    partners: list[PartnerCounted]
    days: list[DayCounted]


class CountsSaid(Schema):
    """Every wave of the study.

    The service of a partner is told of its own people, and `in_tens`: who began and who finished is rounded
    down to ten, and told once ten have and as long as ten have not, so that nobody learns of one person.
    """

    in_tens: bool
    waves: list[WaveCounted]


@router.get("studies/{slug:study}/counts", response=CountsSaid, url_name="api-counts", operation_id="counts")
def counts(request: HttpRequest, study: str) -> dict[str, Any]:
    """How many were asked, began and finished. Nothing is told by arm."""
    admitted: Admitted = request.auth
    found = reached(responses(admitted.study), admitted.reach)
    waves = [
        _wave(admitted, wave, [row for row in found if row.wave == wave])
        for wave in wave_times(admitted.study)
    ]
    return {"in_tens": not admitted.reach.everybody, "waves": waves}


def _wave(admitted: Admitted, wave: str, rows: list[Response]) -> dict[str, Any]:
    """A wave; of a partner with nobody yet there is no row."""
    own = [row for row in rows if row.partner is not None]
    together = [row for row in rows if row.partner is None] if admitted.reach.everybody else own
    whole = _told(together[0]) if together else {"asked": 0, "started": 0, "complete": 0}
    return {
        "wave": wave,
        **whole,
        "partners": [{"partner": row.partner, **_told(row)} for row in own],
        "days": list(_days(admitted, wave, whole["asked"])),
    }


def _told(row: Response) -> dict[str, int]:
    return {"asked": row.asked, "started": row.started, "complete": row.complete}


def _days(admitted: Admitted, wave: str, asked: int) -> Iterator[dict[str, Any]]:
    """Day by day; a partner's begin with the first ten, since before them a day tells that somebody has."""
    days = responses_by_day(admitted.study, wave, admitted.service.partner)
    if not admitted.reach.everybody:
        told = ({"day": day, "complete": None, "so_far": number} for day, number in so_far(days, asked))
        yield from (each for each in told if each["so_far"])
        return
    whole = 0
    for day, number in days:
        whole += number
        yield {"day": day, "complete": number, "so_far": whole}
