"""What a rehearsal ends with: what was held against the protocol, and what came of it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

__all__ = ["Check", "Verdict"]

_SHOWN = 10


@dataclass(frozen=True)
class Check:
    """One thing that a rehearsal shows.

    Attributes:
        name: for programs.
        title: what holds when it is met, as a sentence.
        counted: how many were looked at.
        faults: where it does not hold, in words.
        notes: what a person should look at although nothing is broken.
    """

    name: str
    title: str
    counted: int
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return not self.faults


@dataclass(frozen=True)
class Verdict:
    """The verdict on one study.

    Attributes:
        study: its id.
        people: how many were invented.
        seed: of all that is invented.
        checks: in the order in which a trial goes.
    """

    study: str
    people: int
    seed: int
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is broken."""
        return all(check.ok for check in self.checks)

    def to_json(self) -> str:
        """For programs: `ok`, and every check with what it counted and found."""
        said = {"study": self.study, "people": self.people, "seed": self.seed, "ok": self.ok}
        checks = [{**asdict(check), "ok": check.ok} for check in self.checks]
        return json.dumps({**said, "checks": checks}, indent=1, ensure_ascii=False) + "\n"

    def lines(self) -> Iterator[str]:
        """For people: a line a check, what is broken below it, and last what to look at."""
        for check in self.checks:
            yield f"{'yes' if check.ok else 'NO ':<4}{check.title} ({check.counted:,})"
            yield from _some(check.faults)
        notes = [note for check in self.checks for note in check.notes]
        if notes:
            yield "To look at:"
            yield from _some(tuple(notes))
        kept = "it can go ahead" if self.ok else "it is not ready"
        yield f"{self.study}, rehearsed with {self.people:,} people (seed {self.seed}): {kept}."


def _some(texts: tuple[str, ...]) -> Iterator[str]:
    yield from (f"      {text}" for text in texts[:_SHOWN])
    if len(texts) > _SHOWN:
        yield f"      and {len(texts) - _SHOWN:,} more, in verdict.json"
