"""Sealing what participants sent: every minute a Merkle root over the new submissions enters the study's
chain.

A chain that took each submission as an entry would make every participant wait for the one before. So rows
are only added, and sealed together afterwards; what is not yet sealed is what the last minute brought.
"""

import hashlib
import json
from collections.abc import Iterator

import rfc8785

from equipoise.platform.audit.actions import seal
from equipoise.platform.audit.merkle import merkle_root
from equipoise.platform.audit.queries import entries, seals
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.actions import ERASED
from equipoise.platform.fieldwork.models import SealedSubmission, Submission
from equipoise.platform.registry.models import Study

__all__ = ["KIND", "seal_everything", "seal_faults", "seal_submissions", "unsealed"]

KIND = "submissions"
_AT_ONCE = 5_000


def seal_everything() -> int:
    """Seal what is new in every study; how many submissions that were."""
    return sum(seal_submissions(study) for study in Study.objects.order_by("pk"))


def seal_submissions(study: Study) -> int:
    """Seal the study's submissions that no seal covers; how many.

    Rows are found by having no seal, not by their number: on PostgreSQL a lower number can be committed
    later.
    """
    sealed = 0
    while True:
        with writing():
            rows = list(unsealed(study)[:_AT_ONCE])
            if rows:
                digests = [_digest(row) for row in rows]
                made = seal(study.name, KIND, [bytes.fromhex(digest) for digest in digests])
                SealedSubmission.objects.bulk_create(
                    SealedSubmission(submission_id=row.pk, seal=made, place=place, digest=digest)
                    for place, (row, digest) in enumerate(zip(rows, digests, strict=True))
                )
        sealed += len(rows)
        if len(rows) < _AT_ONCE:
            return sealed


def unsealed(study: Study) -> "list[Submission]":
    """The submissions that no seal covers yet, as a query."""
    covered = SealedSubmission.objects.values("submission_id")
    return Submission.objects.filter(session__participant__study=study).exclude(pk__in=covered).order_by("pk")


def seal_faults(study: Study) -> Iterator[str]:
    """What does not fit between the seals and the submissions; each named by its number, never its
    content."""
    for made in seals(study.name, KIND):
        leaves = list(made.submissions.order_by("place").values_list("submission_id", "digest"))
        if merkle_root([bytes.fromhex(digest) for _, digest in leaves]) != made.root:
            yield f"{study.name}: seal {made.pk} does not have the root of what it covers"
        if made.root not in made.entry.details:
            yield f"{study.name}: seal {made.pk} is not the one in the chain"
        held = {row.pk: row for row in Submission.objects.filter(pk__in=[number for number, _ in leaves])}
        for number, digest in leaves:
            if number in held and _digest(held[number]) != digest:
                yield f"{study.name}: submission {number} was changed after it was sealed"
        erased = made.submissions.filter(erased=True).count()
        if len(leaves) - len(held) != erased:
            yield f"{study.name}: submissions under seal {made.pk} are gone, and nobody had them erased"
    yield from _erasure_faults(study)


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
    return hashlib.sha256(rfc8785.dumps(said)).hexdigest()


def _erasure_faults(study: Study) -> Iterator[str]:
    """Every row that is marked as erased is in an entry of the chain."""
    marked = SealedSubmission.objects.filter(seal__chain_id=study.name, erased=True).count()
    entered = sum(json.loads(entry.details)["sealed"] for entry in entries(study.name).filter(verb=ERASED))
    if marked != entered:
        yield f"{study.name}: {marked} sealed submissions are marked as erased, and the chain says {entered}"
