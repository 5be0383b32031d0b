"""What there is of each kind of data: the rows that a deletion removes, by the name that a certificate says.

Every table that holds anything of participants stands here, under the kind with which it goes or under what
stays; a test holds the list to that.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from equipoise.platform.delivery.erasing import receipts_of
from equipoise.platform.delivery.models import (
    ClosedAddress,
    Dispatch,
    DispatchEvent,
    MessageLink,
    Watch,
)
from equipoise.platform.extracts.models import ExtractValue
from equipoise.platform.fieldwork.models import Link, LinkRequest, QuotaPlace, Session, Submission
from equipoise.platform.incidents.models import StatementText
from equipoise.platform.people.models import Consent, ContactDetails, Lookup, PendingImport, RosterFacts
from equipoise.platform.registry.models import Study
from equipoise.platform.review.models import Exclusion, ExclusionWithdrawal

__all__ = ["STAYS", "TABLES", "exports_of", "rows_of"]

Rows = Callable[[Study], "QuerySet[Any]"]

# In the order in which they are deleted: what refers to others goes before them.
TABLES: Mapping[str, Mapping[str, Rows]] = {
    "contacts": {
        "contact details": lambda study: ContactDetails.objects.filter(participant__study=study),
        "digests to find somebody by": lambda study: Lookup.objects.filter(study=study),
        "addresses that were closed": lambda study: ClosedAddress.objects.filter(participant__study=study),
        "requests for a link": lambda study: LinkRequest.objects.filter(participant__study=study),
        "uploaded rosters": lambda study: PendingImport.objects.filter(study=study),
    },
    "answers": {
        "exclusions taken back": lambda study: ExclusionWithdrawal.objects.filter(exclusion__study=study),
        "exclusions": lambda study: Exclusion.objects.filter(study=study),
        "what employers told": lambda study: ExtractValue.objects.filter(extract__study=study),
        "accounts of incidents": lambda study: StatementText.objects.filter(statement__incident__study=study),
        "places in quotas": lambda study: QuotaPlace.objects.filter(study=study),
        "pages sent": lambda study: Submission.objects.filter(session__participant__study=study),
        "sessions": lambda study: Session.objects.filter(participant__study=study),
        "what providers told of messages": lambda study: receipts_of(Dispatch.objects.filter(study=study)),
        "what was watched": lambda study: Watch.objects.filter(dispatch__study=study),
        "links in messages": lambda study: MessageLink.objects.filter(dispatch__study=study),
        "what became of messages": lambda study: DispatchEvent.objects.filter(dispatch__study=study),
        "messages": lambda study: Dispatch.objects.filter(study=study),
        "what the roster says": lambda study: RosterFacts.objects.filter(participant__study=study),
        "consents": lambda study: Consent.objects.filter(participant__study=study),
        "links": lambda study: Link.objects.filter(participant__study=study),
    },
}

STAYS = {
    "people.Participant": "the code and the state of each participant, so that totals reconcile",
    "people.Withdrawal": "that somebody left, and when",
    "people.Committed": "who was to be drawn, by code, stratum and what was balanced",
    "people.Allocation": "arms, by code, with what they were drawn by",
    "incidents.Statement": "what kind of incident there was, without to whom and what was written",
}


def rows_of(study: Study, kind: str) -> "dict[str, QuerySet[Any]]":
    """The rows of a kind, by what they are called, in the order in which they are deleted."""
    return {name: rows(study) for name, rows in TABLES[kind].items()}


def exports_of(study: Study) -> Path:
    """The folder of the data that staff had made and that lie in the workspace."""
    return Path(settings.WORKSPACE.folder) / "exports" / study.name
