"""What goes with everything else when a participant has all of it erased.

Apps above this one say what they keep of somebody by `erases`, so that no way to erase leaves any of it.
"""

from collections.abc import Callable

from equipoise.platform.people.models import Participant

__all__ = ["erase_the_rest", "erases"]

Erase = Callable[[Participant], object]
_further: list[Erase] = []


def erases(kept: Erase) -> Erase:
    """Add to what an erasure destroys, inside its transaction."""
    _further.append(kept)
    return kept


def erase_the_rest(participant: Participant) -> None:
    """Destroy what the apps above keep of somebody."""
    for kept in _further:
        kept(participant)
