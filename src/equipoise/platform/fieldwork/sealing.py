"""Sealing what participants sent: every minute a Merkle root over the new submissions enters the study's
chain.

A chain that took each submission as an entry would make every participant wait for the one before. So rows
are only added, and sealed together afterwards; what is not yet sealed is what the last minute brought.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Exists, OuterRef

from equipoise.platform.audit.actions import hold, seal
from equipoise.platform.audit.canonical import canonical
from equipoise.platform.audit.merkle import merkle_root
from equipoise.platform.audit.models import Seal
from equipoise.platform.audit.queries import entries, seals
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.actions import ERASED
from equipoise.platform.fieldwork.models import SealedSubmission, Submission
from equipoise.platform.registry.models import Study

__all__ = ["KIND", "seal_everything", "seal_faults", "seal_submissions", "unsealed"]

KIND = "submissions"
_AT_ONCE = 1_000


def seal_everything() -> int:
    """Seal what is new in every study; how many submissions that were."""
    return sum(seal_submissions(study) for study in Study.objects.order_by("pk"))


def seal_submissions(study: Study) -> int:
    """Seal the study's submissions that no seal covers; how many.

    Rows are found by having no seal, not by their number: on PostgreSQL a lower number can be committed
    later. Digests are computed before anybody has to wait for the lock.
    """
    sealed = 0
    while found := [(row.pk, _digest(row)) for row in unsealed(study)[:_AT_ONCE]]:
        sealed += _seal(study, found)
        if len(found) < _AT_ONCE:
            break
    return sealed


def _seal(study: Study, found: Sequence[tuple[int, str]]) -> int:
    """Seal those that are still there, and that no other worker has sealed meanwhile."""
    with writing():
        hold(study.name)
        numbers = [number for number, _ in found]
        waiting = set(unsealed(study).filter(pk__in=numbers).values_list("pk", flat=True))
        rows = [(number, digest) for number, digest in found if number in waiting]
        if rows:
            made = seal(study.name, KIND, [bytes.fromhex(digest) for _, digest in rows])
            SealedSubmission.objects.bulk_create(
                SealedSubmission(submission_id=number, seal=made, place=place, digest=digest)
                for place, (number, digest) in enumerate(rows)
            )
    return len(rows)


def unsealed(study: Study) -> Any:
    """The submissions that no seal covers yet, as a query."""
    covered = SealedSubmission.objects.filter(submission_id=OuterRef("pk"))
    return Submission.objects.filter(~Exists(covered), session__participant__study=study).order_by("pk")


def seal_faults(study: Study) -> Iterator[str]:
    """What does not fit between the seals and the submissions; each named by its number, never its
    content."""
    made = list(seals(study.name, KIND))
    entered = dict(entries(study.name).filter(verb=f"{KIND}.seal").values_list("number", "details"))
    for each in made:
        said = json.loads(entered.pop(each.entry.number, "{}"))
        if said != {"rows": each.rows, "root": each.root}:
            yield f"{study.name}: seal {each.pk} is not the one in the chain"
        yield from _rows_faults(study, each)
    for number in sorted(entered):
        yield f"{study.name}: the seal of entry {number} is gone"
    yield from _erasure_faults(study)


def _rows_faults(study: Study, made: Seal) -> Iterator[str]:
    leaves = list(made.submissions.order_by("place").values_list("submission_id", "digest", "erased"))
    if merkle_root([bytes.fromhex(digest) for _, digest, _ in leaves]) != made.root:
        yield f"{study.name}: seal {made.pk} does not have the root of what it covers"
    held = {row.pk: row for row in Submission.objects.filter(pk__in=[number for number, _, _ in leaves])}
    for number, digest, erased in leaves:
        if number not in held and not erased:
            yield f"{study.name}: submission {number} is gone, and nobody had it erased"
        elif number in held and _digest(held[number]) != digest:
            yield f"{study.name}: submission {number} was changed after it was sealed"


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


def _erasure_faults(study: Study) -> Iterator[str]:
    """Every row that is marked as erased is in an entry of the chain."""
    marked = SealedSubmission.objects.filter(seal__chain_id=study.name, erased=True).count()
    told = entries(study.name).filter(verb=ERASED).values_list("details", flat=True)
    entered = sum(json.loads(details)["sealed"] for details in told)
    if marked != entered:
        yield f"{study.name}: {marked} sealed submissions are marked as erased, and the chain says {entered}"
