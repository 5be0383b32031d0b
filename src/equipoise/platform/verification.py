"""Verifying a workspace: everything that its record claims, computed again from what it holds."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.errors import CheckFailedError, InputError, Problem
from equipoise.platform.audit.queries import Head, anchor_faults, heads, verdicts
from equipoise.platform.database import snapshot
from equipoise.platform.delivery.engine.sealing import event_faults, unsealed_events
from equipoise.platform.delivery.models import SealedDispatchEvent
from equipoise.platform.fieldwork.models import SealedSubmission
from equipoise.platform.fieldwork.sealing import seal_faults, unsealed
from equipoise.platform.incidents.verification import incident_faults
from equipoise.platform.operations.retention.certificates import certificate_faults
from equipoise.platform.people.allocation import verify_stage
from equipoise.platform.registry.models import Study
from equipoise.platform.startup import unsafe_database

__all__ = ["Verdict", "read_anchor", "verify_workspace"]

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes:
        heads: of each chain; kept elsewhere, they later show that nothing was cut off or rewritten.
        checks: what was computed again, in words.
        faults: what does not fit.
        waiting: submissions and events of messages that the next seals will cover.
    """

    heads: dict[str, Head]
    checks: tuple[str, ...]
    faults: tuple[str, ...]
    waiting: int


def verify_workspace(anchor: Mapping[str, Head] | None = None) -> Verdict:
    """Compute everything again, as of one moment, while the workspace goes on.

    Args:
        anchor: heads that were kept elsewhere.
    """
    faults = [str(problem) for problem in unsafe_database()]
    with snapshot():
        chains = verdicts()
        faults += [fault for chain in chains for fault in chain.faults]
        faults += anchor_faults(anchor or {})
        there = list(Study.objects.order_by("name"))
        faults += _chains_missing(there, {chain.chain for chain in chains})
        faults += [fault for study in there for fault in seal_faults(study)]
        faults += [fault for study in there for fault in event_faults(study)]
        faults += [fault for study in there for fault in certificate_faults(study)]
        faults += [fault for study in there for fault in incident_faults(study)]
        drawn, wrong = _stages(there)
        checks = (
            f"{len(chains)} chains, {sum(chain.entries for chain in chains):,} entries",
            f"{_sealed(SealedSubmission, there):,} sealed submissions",
            f"{_sealed(SealedDispatchEvent, there):,} sealed events of messages",
            f"{drawn} stages of allocation",
        )
        waiting = sum(unsealed(study).count() + unsealed_events(study).count() for study in there)
        return Verdict(heads(), checks, tuple(faults + wrong), waiting)


def read_anchor(text: str, place: str) -> dict[str, Head]:
    """Heads that were kept: what `verify --json` said, or a line of JSON a chain.

    Raises:
        InputError: it is neither.
    """
    message = (
        "expected what `equipoise verify WORKSPACE --json` says, or lines like "
        '{"chain": "swing", "number": 57, "head": "64 hexadecimal digits"}'
    )
    try:
        found = {name: Head(number, head) for name, number, head in _kept(text)}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(Problem(place, "", message)) from None
    if not text.strip() or not all(_is_head(head) for head in found.values()):
        raise InputError(Problem(place, "", message))
    return found


def _kept(text: str) -> Iterator[tuple[str, int, str]]:
    try:
        whole = json.loads(text)
    except ValueError:
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        yield from ((line["chain"], line["number"], line["head"]) for line in lines)
        return
    if "chain" in whole:
        yield whole["chain"], whole["number"], whole["head"]
        return
    for name, said in whole.get("heads", whole).items():
        yield name, said["number"], said["head"]


def _is_head(found: Head) -> bool:
    well_formed = isinstance(found.head, str) and _HASH.fullmatch(found.head) is not None
    return well_formed and isinstance(found.number, int) and found.number >= 0


def _chains_missing(there: Sequence[Study], chains: set[str]) -> list[str]:
    return [f"{study.name}: the chain is gone" for study in there if study.name not in chains]


def _sealed(covers: Any, there: list[Study]) -> int:
    return covers.objects.filter(seal__chain_id__in=[study.name for study in there]).count()


def _stages(there: list[Study]) -> tuple[int, list[str]]:
    """Draw every stage again whose secret is here; how many, and what does not agree."""
    number, wrong = 0, []
    for study in there:
        for stage in study.stages.exclude(state="planned").order_by("pk"):
            number += 1
            try:
                verify_stage(stage)
            except (CheckFailedError, InputError) as error:
                wrong.append(str(error))
    return number, wrong
