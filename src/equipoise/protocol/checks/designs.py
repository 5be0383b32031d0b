"""The other designs of a diagnosis: each is a design that could be run in place of the protocol's own."""

from collections.abc import Callable, Iterator, Sequence

from equipoise.errors import Problem, ProtocolError
from equipoise.protocol.checks.places import at, unknown
from equipoise.protocol.models.variations import Variation
from equipoise.protocol.study import Study
from equipoise.protocol.variations import varied

__all__ = ["check_designs"]

Check = Callable[[Study], Iterator[Problem]]


def check_designs(study: Study, checks: Sequence[Check]) -> Iterator[Problem]:
    """What is wrong with a design and not with the protocol itself; the problem says where in the protocol.

    Args:
        study: with its designs.
        checks: of a whole study.
    """
    own = {problem.message for check in checks for problem in check(study)}
    for name, variation in study.protocol.diagnosis.designs.items():
        path = ("diagnosis", "designs", name)
        names = [*_names(study, path, variation)]
        yield from names
        if names:
            continue
        try:
            other = varied(study, variation)
        except ProtocolError:
            return  # what is written cannot be read, which is told already
        for problem in (problem for check in checks for problem in check(other)):
            if problem.message not in own:
                yield at(study, *path, message=f"as this design, {problem.where}: {problem.message}")


def _names(study: Study, path: tuple[str, ...], variation: Variation) -> Iterator[Problem]:
    protocol = study.protocol
    for wave, share in variation.response.items():
        if wave not in protocol.waves:
            where = (*path, "response", wave)
            yield unknown(study, where, wave, "a wave of this study", protocol.waves, "Waves")
        elif not 0 <= share <= 1:
            message = f"the response of {wave} is a share between 0 and 1, found {share:g}"
            yield at(study, *path, "response", wave, message=message)
    for outcome in variation.outcomes or ():
        if outcome not in protocol.outcomes:
            where = (*path, "outcomes")
            yield unknown(study, where, outcome, "an outcome of this study", protocol.outcomes, "Outcomes")
    if variation.outcomes == ():
        yield at(study, *path, "outcomes", message="a design without outcomes; name one or more")
