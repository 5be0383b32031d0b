"""What a good statistician would say beside an effect: one function for each caution."""

from collections.abc import Callable, Iterator

import numpy as np

from equipoise.findings.measured import Measured

__all__ = ["cautions"]


def cautions(measured: Measured) -> tuple[str, ...]:
    """Every caution that applies, in the order in which a reader needs them."""
    return tuple(text for each in _CAUTIONS for text in each(measured))


def _alone_in_stratum(measured: Measured) -> Iterator[str]:
    """Strata in which one person answered carry no information: counted and named."""
    if measured.strata is None:
        return
    labels, counts = np.unique(measured.strata.astype(str), return_counts=True)
    alone = [str(label) for label in labels[counts == 1]]
    if alone:
        people = "1 person is" if len(alone) == 1 else f"{len(alone)} people are"
        yield f"{people} alone in their stratum ({', '.join(alone[:5])}) and carry no information"


_CAUTIONS: tuple[Callable[[Measured], Iterator[str]], ...] = (_alone_in_stratum,)
