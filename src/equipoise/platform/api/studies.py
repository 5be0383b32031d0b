"""`GET studies/STUDY`: where a study stands."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from equipoise.platform.registry.queries import WaveTimes, folder_of, partners, wave_times

__all__ = ["router"]

router = Router(tags=["The study"])


class PartnerSaid(Schema):
    """An organisation whose people take part."""

    name: str
    title: str


class WaveSaid(Schema):
    """A wave, its times in UTC, and whether it is planned, open or closed now."""

    name: str
    title: str
    opens: datetime
    closes: datetime
    state: str


class VersionSaid(Schema):
    """A folder that was in force: the lock is the first, each amendment the next."""

    number: int
    protocol_hash: str
    entered_at: datetime


class ServiceSaid(Schema):
    """The service that asks. `partner` is empty where it is for the whole study."""

    name: str
    scopes: list[str]
    partner: str
    expires_at: datetime


class StudySaid(Schema):
    """A study. Partners are those whose people the service reaches."""

    name: str
    title: str
    state: str
    results: str
    timezone: str
    version: int
    partners: list[PartnerSaid]
    waves: list[WaveSaid]
    versions: list[VersionSaid]
    service: ServiceSaid


@router.get("studies/{slug:study}", response=StudySaid, url_name="api-study", operation_id="study")
def study(request: HttpRequest, study: str) -> dict[str, Any]:
    """The state of the study, its waves and the versions of its protocol."""
    found, service = request.auth.study, request.auth.service
    return {
        "name": found.name,
        "title": found.title,
        "state": found.state,
        "results": found.results,
        "timezone": folder_of(found).protocol.study.timezone,
        "version": found.version,
        "partners": [each for each in partners(found) if request.auth.reach.covers(each.pk)],
        "waves": [_wave(each) for each in wave_times(found).values()],
        "versions": list(found.versions.order_by("number")),
        "service": {
            "name": service.name,
            "scopes": service.scopes,
            "partner": service.partner.name if service.partner else "",
            "expires_at": service.expires_at,
        },
    }


def _wave(wave: WaveTimes) -> dict[str, Any]:
    return {
        "name": wave.wave,
        "title": wave.label,
        "opens": wave.opens,
        "closes": wave.closes,
        "state": wave.state,
    }
