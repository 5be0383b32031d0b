"""What a lock records."""

from typing import Any, Literal

from equipoise.record import Record

__all__ = ["Registration"]


class Registration(Record):
    """`lock.json`: the hashes of the study and its parts, when it was locked, the seed's commitment.

    `clock` is `rehearsal` where a simulated clock gave the time: such a study is never taken for a registered
    one. `spelled_out` is the protocol as locked, so that a later change can be told in words.
    """

    equipoise: Literal[1]
    study: str
    time: str
    clock: Literal["real", "rehearsal"] = "real"
    protocol_hash: str
    parts: dict[str, str]
    seed_commitment: str | None
    version: str
    spelled_out: dict[str, Any]
