"""Sealing rows that are only added: a Merkle root over the new ones enters the study's chain.

A chain that took each row as an entry would make every writer wait for the one before. So rows are only
added, and sealed together afterwards; what is not yet sealed is what the last minute brought. Which rows
there are of a kind, and what of them is sealed, their own app says.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Max, OuterRef

from equipoise.platform.audit.actions import hold, seal
from equipoise.platform.audit.merkle import merkle_root
from equipoise.platform.audit.models import Seal
from equipoise.platform.audit.queries import entries, seals
from equipoise.platform.database import writing

__all__ = ["SealedKind", "rows_unsealed", "seal_rows", "sealing_faults"]

_AT_ONCE = 1_000


@dataclass(frozen=True)
class SealedKind:
    """A kind of rows that are sealed.

    Attributes:
        kind: its name in the chain, such as `submissions`.
        one: a row of it, in a sentence.
        rows: the model of the rows.
        covers: the model that says which seal covers a row; with `seal`, `place`, `digest` and `erased`.
        number: the field of it that holds the row's number.
        study: the way from a row to the study's name.
        erased: the verb of entries that say how many sealed rows were erased.
        digest: of a row, in hexadecimal.
        window: how many numbers behind the newest sealed row a row can come in late; None for any number.
    """

    kind: str
    one: str
    rows: Any
    covers: Any
    number: str
    study: str
    erased: str
    digest: Callable[[Any], str]
    window: int | None = None


def rows_unsealed(kind: SealedKind, study: str) -> Any:
    """The rows of a study that no seal covers yet, as a query."""
    covered = kind.covers.objects.filter(**{kind.number: OuterRef("pk")})
    return kind.rows.objects.filter(~Exists(covered), **{kind.study: study}).order_by("pk")


def seal_rows(kind: SealedKind, study: str) -> int:
    """Seal the rows of a study that no seal covers; how many.

    Rows are found by having no seal, not by their number: on PostgreSQL a lower number can be committed
    later. Digests are computed before anybody has to wait for the lock.
    """
    sealed = 0
    while found := [(row.pk, kind.digest(row)) for row in _new_rows(kind, study)[:_AT_ONCE]]:
        sealed += _seal(kind, study, found)
        if len(found) < _AT_ONCE:
            break
    return sealed


def _new_rows(kind: SealedKind, study: str) -> Any:
    rows = rows_unsealed(kind, study)
    last = seals(study, kind.kind).last() if kind.window is not None else None
    if last is None or kind.window is None:
        return rows
    newest = kind.covers.objects.filter(seal=last).aggregate(newest=Max(kind.number))["newest"]
    return rows.filter(pk__gt=(newest or 0) - kind.window)


def _seal(kind: SealedKind, study: str, found: Sequence[tuple[int, str]]) -> int:
    """Seal those that are still there, and that no other worker has sealed meanwhile."""
    with writing():
        hold(study)
        numbers = [number for number, _ in found]
        waiting = set(rows_unsealed(kind, study).filter(pk__in=numbers).values_list("pk", flat=True))
        rows = [(number, digest) for number, digest in found if number in waiting]
        if rows:
            made = seal(study, kind.kind, [bytes.fromhex(digest) for _, digest in rows])
            kind.covers.objects.bulk_create(
                kind.covers(**{kind.number: number}, seal=made, place=place, digest=digest)
                for place, (number, digest) in enumerate(rows)
            )
    return len(rows)


def sealing_faults(kind: SealedKind, study: str) -> Iterator[str]:
    """What does not fit between the seals and the rows; each named by its number, never its content."""
    entered = dict(entries(study).filter(verb=f"{kind.kind}.seal").values_list("number", "details"))
    for each in list(seals(study, kind.kind)):
        said = json.loads(entered.pop(each.entry.number, "{}"))
        if said != {"rows": each.rows, "root": each.root}:
            yield f"{study}: seal {each.pk} is not the one in the chain"
        yield from _rows_faults(kind, study, each)
    for number in sorted(entered):
        yield f"{study}: the seal of entry {number} is gone"
    yield from _erasure_faults(kind, study)


def _rows_faults(kind: SealedKind, study: str, made: Seal) -> Iterator[str]:
    covered = kind.covers.objects.filter(seal=made).order_by("place")
    leaves = list(covered.values_list(kind.number, "digest", "erased"))
    if merkle_root([bytes.fromhex(digest) for _, digest, _ in leaves]) != made.root:
        yield f"{study}: seal {made.pk} does not have the root of what it covers"
    held = {row.pk: row for row in kind.rows.objects.filter(pk__in=[number for number, _, _ in leaves])}
    for number, digest, erased in leaves:
        if number not in held and not erased:
            yield f"{study}: {kind.one} {number} is gone, and nobody had it erased"
        elif number in held and kind.digest(held[number]) != digest:
            yield f"{study}: {kind.one} {number} was changed after it was sealed"


def _erasure_faults(kind: SealedKind, study: str) -> Iterator[str]:
    """Every row that is marked as erased is in an entry of the chain."""
    marked = kind.covers.objects.filter(seal__chain_id=study, erased=True).count()
    told = entries(study).filter(verb=kind.erased).values_list("details", flat=True)
    entered = sum(json.loads(details)["sealed"] for details in told)
    if marked != entered:
        yield f"{study}: {marked} sealed {kind.kind} are marked as erased, and the chain says {entered}"
