"""Drawing lots for the people of a study. Each step is taken once, and by the method half's own draw.

    planned      who will be drawn is still open
    committed    who is drawn, in which strata, at which ratio and by which folder is fixed; where the
                 protocol asks for a public round, the rule now says which one, before its value is known
    drawn        everybody committed has an arm

People are drawn under their random keys, so anybody can draw again. With rolling enrolment nobody is there
yet when a stage is committed: people are allocated as they come, and the draw is recorded at the end.
"""

from equipoise.platform.people.allocation.arrivals import (
    allocate_arrival,
    allocation_ready,
    close_enrolment,
    hand_in_round,
)
from equipoise.platform.people.allocation.commitment import commit_stage, expected_round
from equipoise.platform.people.allocation.concealed import hand_in_secret, rewrap_secrets
from equipoise.platform.people.allocation.drawing import draw_stage
from equipoise.platform.people.allocation.drawn import (
    allocation_record,
    balance,
    public_arms,
    strata_counts,
    verify_stage,
)

__all__ = [
    "allocate_arrival",
    "allocation_ready",
    "allocation_record",
    "balance",
    "close_enrolment",
    "commit_stage",
    "draw_stage",
    "expected_round",
    "hand_in_round",
    "hand_in_secret",
    "public_arms",
    "rewrap_secrets",
    "strata_counts",
    "verify_stage",
]
