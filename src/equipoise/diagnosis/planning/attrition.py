"""How much attrition a reviewer takes as low: the boundary of the What Works Clearinghouse.

For each overall rate of attrition the highest difference between the arms at which the bias is expected to
stay below 0.05 SD. *Cautious* is for interventions that may themselves move who answers, *optimistic* for
others.

What Works Clearinghouse (2020), Standards Handbook, Version 4.1, table II.1; the model behind it is in Deke &
Chiang (2017), Evaluation Review 41:130.
"""

from dataclasses import dataclass

__all__ = ["SOURCE", "Boundary", "boundary_at"]

SOURCE = "What Works Clearinghouse, Standards Handbook 4.1, table II.1"

# By overall attrition from 0 to 65 per cent, in percentage points; further up none is low.
_CAUTIOUS = (
    5.7, 5.8, 5.9, 5.9, 6.0, 6.1, 6.2, 6.3, 6.3, 6.3, 6.3, 6.2, 6.2, 6.1, 6.0, 5.9, 5.9, 5.8, 5.7, 5.5,
    5.4, 5.3, 5.2, 5.1, 4.9, 4.8, 4.7, 4.5, 4.4, 4.3, 4.1, 4.0, 3.8, 3.6, 3.5, 3.3, 3.2, 3.1, 2.9, 2.8,
    2.6, 2.5, 2.3, 2.1, 2.0, 1.8, 1.6, 1.5, 1.3, 1.2, 1.0, 0.9, 0.7, 0.6, 0.4, 0.3, 0.2, 0.0,
)  # fmt: skip
_OPTIMISTIC = (
    10.0, 10.1, 10.2, 10.3, 10.4, 10.5, 10.7, 10.8, 10.9, 10.9, 10.9, 10.9, 10.9, 10.8, 10.8, 10.7, 10.6,
    10.5, 10.3, 10.2, 10.0, 9.9, 9.7, 9.5, 9.4, 9.2, 9.0, 8.8, 8.6, 8.4, 8.2, 8.0, 7.8, 7.6, 7.4, 7.2, 7.0,
    6.7, 6.5, 6.3, 6.0, 5.8, 5.6, 5.3, 5.1, 4.9, 4.6, 4.4, 4.2, 3.9, 3.7, 3.5, 3.2, 3.0, 2.8, 2.6, 2.3, 2.1,
    1.9, 1.6, 1.4, 1.1, 0.9, 0.7, 0.5, 0.3,
)  # fmt: skip


@dataclass(frozen=True)
class Boundary:
    """The highest differences between arms, as shares, that count as low; None where none does."""

    cautious: float | None
    optimistic: float | None


def boundary_at(overall: float) -> Boundary:
    """The boundary at an overall attrition.

    Args:
        overall: the share of those randomised who are not analysed, 0 to 1; taken to whole per cents, as the
            table has them.
    """
    place = round(100 * overall)
    cautious, optimistic = (
        table[place] / 100 if place < len(table) else None for table in (_CAUTIOUS, _OPTIMISTIC)
    )
    return Boundary(cautious, optimistic)
