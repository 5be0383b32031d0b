"""How many allocations can be listed."""

from equipoise.errors import DesignError

__all__ = ["MOST_ALLOCATIONS", "listable"]

MOST_ALLOCATIONS = 1_000_000


def listable(count: int) -> None:
    """Refuse to list more than can be.

    Raises:
        DesignError: too many.
    """
    if count > MOST_ALLOCATIONS:
        raise DesignError(
            f"{count:.3g} allocations in a stratum: at most {MOST_ALLOCATIONS:,} can be listed; draw instead."
        )
