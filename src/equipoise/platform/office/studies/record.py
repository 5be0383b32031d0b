"""The record of a study: every act, newest first, with its verdict and the head to publish."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from equipoise.platform.audit.models import Chain, Entry
from equipoise.platform.audit.queries import chain_faults, entries
from equipoise.platform.office.access import study_page
from equipoise.platform.office.downloads import attachment, csv_file
from equipoise.platform.office.listing import leaf_of
from equipoise.platform.registry.models import Study
from equipoise.platform.services.queries import services
from equipoise.platform.staff.models import StaffMember

__all__ = ["urlpatterns"]

_HASH, _SHORT = 64, 12  # characters of a hash, and of what is shown of it
_FIELDS = ("number", "at", "actor", "verb", "details", "previous", "hash")


@require_safe
@study_page("audit.see")
def study_record(request: HttpRequest, study: Study) -> HttpResponse:
    """A page of the chain; on request the whole of it computed anew."""
    form = request.GET.get("format")
    if form == "jsonl":
        response = StreamingHttpResponse(_lines(study.name), content_type="application/jsonl; charset=utf-8")
        return attachment(response, f"{study.name}-record.jsonl")
    if form == "csv":
        rows = Entry.objects.filter(chain_id=study.name).order_by("number").values_list(*_FIELDS)
        return csv_file(f"{study.name}-record", _FIELDS, rows.iterator(2_000))
    chain = Chain.objects.get(name=study.name)
    leaf = leaf_of(request, chain.number)
    shown = list(entries(study.name)[leaf.rows])
    names = _names(shown)
    page = {
        "page_title": "Record",
        "chain": chain,
        "checked": "check" in request.GET,
        "faults": list(chain_faults(chain)) if "check" in request.GET else [],
        "rows": [
            {
                "number": f"{entry.number:,}",
                "at": f"{entry.at[:10]} {entry.at[11:19]}",
                "actor": names.get(entry.actor, entry.actor),
                "verb": entry.verb,
                "details": _said(entry.details),
            }
            for entry in shown
        ],
        **leaf.values({}),
    }
    return render(request, "office/record.html", page)


def _said(details: str) -> str:
    """What an entry says, to be read; the files have it as it is hashed."""
    return "; ".join(_told(json.loads(details))) or "–"


def _told(said: Any, name: str = "") -> Iterator[str]:
    if isinstance(said, dict):
        for key, value in said.items():
            yield from _told(value, f"{name} {key}".strip())
    elif isinstance(said, list):
        yield f"{name}: {', '.join(map(str, said)) or 'none'}"
    elif said not in ("", None):
        text = str(said)
        yield f"{name}: {text[:_SHORT]}…" if len(text) == _HASH and text.isalnum() else f"{name}: {text}"


def _names(shown: list[Entry]) -> dict[str, str]:
    """Who acted, by how the record names them: members of staff and services, in two queries."""
    kinds: dict[str, set[str]] = {"staff": set(), "service": set()}
    for entry in shown:
        kind, _, number = entry.actor.partition(":")
        if kind in kinds:
            kinds[kind].add(number)
    staff = {each.actor: each.name for each in StaffMember.objects.filter(pk__in=kinds["staff"])}
    programs = {each.actor: f"Service: {each.name}" for each in services().filter(pk__in=kinds["service"])}
    return {**staff, **programs}


def _lines(chain: str) -> Iterator[bytes]:
    rows = Entry.objects.filter(chain_id=chain).order_by("number").values(*_FIELDS)
    for row in rows.iterator(2_000):
        yield json.dumps({"chain": chain, **row}, ensure_ascii=False).encode() + b"\n"


urlpatterns = [path("studies/<slug:name>/record/", study_record, name="study-record")]
