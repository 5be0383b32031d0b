"""Sealing what participants sent: every minute a Merkle root over the new submissions enters the study's
chain."""

import hashlib
from collections.abc import Iterator
from typing import Any

from equipoise.platform.audit.canonical import canonical
from equipoise.platform.audit.sealing import SealedKind, rows_unsealed, seal_rows, sealing_faults
from equipoise.platform.fieldwork.actions import ERASED
from equipoise.platform.fieldwork.models import SealedSubmission, Submission
from equipoise.platform.registry.models import Study

__all__ = ["KIND", "seal_everything", "seal_faults", "seal_submissions", "unsealed"]


def seal_everything() -> int:
    """Seal what is new in every study; how many submissions that were."""
    return sum(seal_submissions(study) for study in Study.objects.order_by("pk"))


def seal_submissions(study: Study) -> int:
    """Seal the study's submissions that no seal covers; how many."""
    return seal_rows(_SUBMISSIONS, study.name)


def unsealed(study: Study) -> Any:
    """The submissions that no seal covers yet, as a query."""
    return rows_unsealed(_SUBMISSIONS, study.name)


def seal_faults(study: Study) -> Iterator[str]:
    """What does not fit between the seals and the submissions; each named by its number, never its
    content."""
    return sealing_faults(_SUBMISSIONS, study.name)


def _digest(row: Submission) -> str:
    said = {
        "number": row.pk,
        "session": row.session_id,
        "key": row.key,
        "page": row.page,
        "answers": row.answers,
        "shown": row.shown,
        "channel": row.channel,
        "at": row.at.isoformat(),
    }
    return hashlib.sha256(canonical(said)).hexdigest()


KIND = "submissions"
_SUBMISSIONS = SealedKind(
    kind=KIND,
    one="submission",
    rows=Submission,
    covers=SealedSubmission,
    number="submission_id",
    study="session__participant__study__name",
    erased=ERASED,
    digest=_digest,
)
