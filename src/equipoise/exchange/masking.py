"""What is kept from people who may not know yet which arm is which.

Hiding the names of the arms is not enough: whatever differs between arms for another reason than the outcome
tells them apart. See docs/explanation/masks.md.
"""

from equipoise.protocol.recorded import FIELDWORK_EVENTS
from equipoise.protocol.study import Study

__all__ = ["ARMS_MASKED", "withheld"]

ARMS_MASKED = "the arms are shown under other names until unmasking"
_DOSE = "how much of the intervention arrived differs by arm; withheld until unmasking"
_SENT = "what was sent differs by arm; withheld until unmasking"
_EVENT = "happens after allocation and can differ by arm; withheld until unmasking"
_CHANCE = "names the arms beside their shares; withheld until unmasking"
_SOURCE = "recorded after allocation and can differ by arm; withheld until unmasking"


def withheld(study: Study, table: str, column: str) -> str | None:
    """Why a column is withheld while results are masked, or None where it is shown.

    Args:
        study: as loaded.
        table: `participants`, `answers_WAVE`, a task, or a source.
        column: of that table.
    """
    protocol = study.protocol
    if table in protocol.sources:
        roster = protocol.participants.roster if protocol.participants else {}
        known_before = column in roster
        return None if known_before or not protocol.allocation else _SOURCE
    if table != "participants":
        return None
    if column.startswith("dose_"):
        return _DOSE
    if column.startswith("sent_"):
        return _SENT
    if column.startswith("probability_"):
        return _CHANCE
    event = column.removesuffix("_why")
    known = (*protocol.events, *protocol.harms, *FIELDWORK_EVENTS)
    return _EVENT if event in known and protocol.allocation else None
