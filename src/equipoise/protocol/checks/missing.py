"""What an analysis does about missing answers, and the auxiliaries that predict them."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at, unknown
from equipoise.protocol.doses import dose_columns, sent_columns
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.study import Study

__all__ = ["check_missing"]

Path = tuple[str | int, ...]
PREDICTING = ("imputation", "response-weights")
"""What predicts who answers, or what they would have said."""
FILLED_IN = ("difference-in-means", "linear", "lin-interacted", "logistic", "poisson")
"""Models of one answer a person, which can be fitted to answers filled in or weighted."""


def check_missing(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    """Imputation has auxiliaries, weights have something to predict response by, auxiliaries exist."""
    asked = [word for word in analysis.missing or () if word in PREDICTING]
    if "imputation" in asked and not analysis.auxiliaries:
        message = (
            "imputation needs `auxiliaries:`, what predicts a missing answer beyond the analysis's own "
            "covariates: other waves, other outcomes, effort to get an answer. Without any it says no more "
            "than the analysis itself"
        )
        yield at(study, *path, "missing", message=message)
    if "response-weights" in asked and not analysis.auxiliaries and not analysis.adjust:
        message = "response-weights need `adjust:` or `auxiliaries:`, by which response is predicted"
        yield at(study, *path, "missing", message=message)
    if asked and analysis.model not in FILLED_IN:
        message = f"{asked[0]} goes with the models {', '.join(FILLED_IN)}; found {analysis.model}"
        yield at(study, *path, "missing", message=message)
    if analysis.auxiliaries and not asked:
        message = f"nothing uses them; auxiliaries are for `missing: {' or '.join(PREDICTING)}`"
        yield at(study, *path, "auxiliaries", message=message)
    yield from _names(study, path, analysis)


def _names(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    protocol = study.protocol
    allowed = _allowed(protocol)
    for place, name in enumerate(analysis.auxiliaries or ()):
        where = (*path, "auxiliaries", place)
        if name in (analysis.adjust or ()):
            yield at(study, *where, message=f'"{name}" is adjusted for, so it predicts already; leave it out')
        elif analysis.outcomes == (name,):
            message = f'"{name}" is the outcome itself; name a wave for its score at another time'
            yield at(study, *where, message=message)
        elif name in protocol.waves and name in (analysis.at or ()):
            yield at(study, *where, message=f'"{name}" is when the outcome itself is looked at')
        elif name not in allowed:
            yield unknown(study, where, name, "known of participants", allowed, "Allowed")


def _allowed(protocol: Protocol) -> list[str]:
    participants = protocol.participants
    roster = participants.roster if participants else {}
    attributes = [name for name, column in roster.items() if column.role == "attribute"]
    return [
        *protocol.waves,
        *(name for name, outcome in protocol.outcomes.items() if outcome.task is None),
        *attributes,
        *(participants.derived if participants else ()),
        *sent_columns(protocol),
        *(dose.name for dose in dose_columns(protocol)),
        *dict.fromkeys((*protocol.events, *protocol.harms)),
    ]
