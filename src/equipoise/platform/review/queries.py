"""What was decided of the data, as it goes with them: exclusions, the seal, looks by arm."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl
from django.db.models import QuerySet

from equipoise.findings.reading.hashing import seal_of
from equipoise.platform.audit.models import Entry
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.models import Exclusion, Look
from equipoise.roster import identifier_of

__all__ = ["exclusions", "exclusions_frame", "looks", "looks_said", "seal_said"]

_AT_ONCE = 10_000


def exclusions(study: Study) -> "QuerySet[Exclusion]":
    """Every exclusion, those taken back included, newest first, as a query."""
    return (
        Exclusion.objects.filter(study=study)
        .select_related("participant", "withdrawn")
        .order_by("-at", "-pk")
    )


def exclusions_frame(study: Study, people: Iterable[str]) -> pl.DataFrame:
    """The exclusions that hold, as the analysis reads them: key, of what, why, and when it was decided.

    Args:
        study: of this workspace.
        people: the keys of those who have a row in the participants' table.
    """
    held = Exclusion.objects.filter(study=study, withdrawn=None).order_by("participant__key", "pk")
    rows = [
        (key, "; ".join(of), reason, at)
        for key, of, reason, at in held.values_list("participant__key", "of", "reason", "at").iterator(
            _AT_ONCE
        )
    ]
    identifier = identifier_of(folder_of(study))
    schema = {identifier: pl.String(), "of": pl.String(), "reason": pl.String()}
    frame = pl.DataFrame(rows, schema={**schema, "decided_at": pl.Datetime("us", "UTC")}, orient="row")
    return frame.filter(pl.col(identifier).is_in(list(people)))


def looks(study: Study) -> "QuerySet[Look]":
    """Every look at results by arm, in the order in which they are known of."""
    return Look.objects.filter(study=study).order_by("at", "pk")


def looks_said(study: Study) -> list[dict[str, Any]]:
    """The looks, as they go with the data; what somebody said that was seen stays in the workspace."""
    return [
        {
            "on": look.on.isoformat(),
            "kind": look.kind,
            "answered": look.answered,
            "asked": look.asked,
            "declared": look.declared,
            "sealed": look.sealed,
        }
        for look in looks(study)
    ]


def seal_said(study: Study) -> dict[str, Any] | None:
    """How the data were sealed, and how many people have had theirs erased since; None where they are not."""
    sealed = _entry(study, "results.seal")
    if sealed is None:
        return None
    said = json.loads(sealed.details)
    parts = {name: said.get(name, "") for name in ("data_hash", "exclusions_hash", "protocol_hash")}
    unmasked = _entry(study, "results.unmask")
    gone = Participant.objects.filter(study=study, withdrawals__choice="erase")
    return {
        "hash": seal_of(**parts),
        **parts,
        "sealed_at": _second(sealed.at),
        "unmasked_at": None if unmasked is None else _second(unmasked.at),
        "erased_since": gone.filter(withdrawals__at__gt=datetime.fromisoformat(sealed.at)).count(),
    }


def _entry(study: Study, verb: str) -> Entry | None:
    """The act of this verb in the study's record; the results move each way once."""
    return Entry.objects.filter(chain_id=study.name, verb=verb).order_by("-number").first()


def _second(at: str) -> str:
    return at[:19] + "Z"
