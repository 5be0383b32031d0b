"""Which column of an uploaded extract is which, and where the names of its columns stand."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from equipoise.platform.extracts.reading import columns_of
from equipoise.platform.extracts.scopes import Scope
from equipoise.platform.office.access import study_page
from equipoise.platform.office.extracts.words import scope_words
from equipoise.platform.office.matching import Sought, matching
from equipoise.platform.people.models import PendingImport
from equipoise.platform.people.pending import the_pending
from equipoise.platform.people.reading import RosterSource
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.roster import propose_mapping
from equipoise.roster.headers import header_line

__all__ = ["columns", "pending_of", "scope_of", "trail_of"]


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("extracts.import")
def columns(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Say which column is which."""
    pending = pending_of(request, study, number)
    declared = columns_of(folder_of(study), pending.choices["source"])

    def header(source: RosterSource, chosen: Mapping[str, Any]) -> int | None:
        return header_line(source.path, declared, mapping=source.mapping, encoding=chosen.get("encoding"))

    sought = Sought(
        what=scope_words(study, scope_of(pending)),
        declared=declared,
        header=header,
        propose=lambda table: propose_mapping(table, declared).mapping.columns,
        kind="extract",
        onward="See what would be kept",
        trail=trail_of(study, pending)[:1],
    )
    return matching(request, study, pending, sought)


def pending_of(request: HttpRequest, study: Study, number: int) -> PendingImport:
    """The uploaded extract of an address.

    Raises:
        Http404: there is none any more, or it is somebody else's.
    """
    found = the_pending(request.user, study, number, kinds=("extract",))
    if found is None:
        raise Http404
    return found


def scope_of(pending: PendingImport) -> Scope:
    """What an uploaded file was said to be."""
    chosen = pending.choices
    return Scope(chosen["source"], chosen["window"], chosen["partner"])


def trail_of(study: Study, pending: PendingImport) -> list[dict[str, str]]:
    """The way up from the pages of a file."""
    return [
        {"text": "HR extracts", "href": reverse("extracts", args=[study.name])},
        {"text": "Columns", "href": reverse("extract-columns", args=[study.name, pending.pk])},
        {"text": "What would be kept", "href": reverse("extract-preview", args=[study.name, pending.pk])},
    ]
