"""The files of a workspace by which its processes tell each other how things stand."""

from pathlib import Path

__all__ = ["HEARTBEAT", "HELD", "RECENT_SECONDS", "heartbeat_age", "held_text"]

HELD = "SENDING-IS-HELD.txt"
HEARTBEAT = ".worker"  # touched by the worker every second or so, and while it runs locked
RECENT_SECONDS = 180  # the worker shows itself every second, but for while it is at a long duty


def heartbeat_age(folder: Path, seconds_now: float) -> float | None:
    """How long ago the worker showed that it is alive, in seconds; None where none ever did.

    Args:
        folder: of the workspace.
        seconds_now: the real time, in seconds since 1970; a rehearsal's clock says nothing about processes.
    """
    try:
        return max(0.0, seconds_now - (folder / HEARTBEAT).stat().st_mtime)
    except FileNotFoundError:
        return None


def held_text(backup: str, made_at: str) -> str:
    """What the file that holds sending says to whoever finds it."""
    return (
        f"This workspace was restored from {backup}, made at {made_at}.\n"
        "It sends nothing: what was due then may have been sent since by the workspace itself.\n"
        "To let it send:  equipoise release WORKSPACE --reason WHY\n"
        "Do not delete this file: then nothing in the record would say who let it send, or why.\n"
    )
