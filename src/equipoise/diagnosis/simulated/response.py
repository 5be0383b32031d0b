"""Who answers a wave, and when: exactly the assumed share, leaning as assumed, in a burst after each ask."""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

__all__ = ["answer_seconds", "answer_times", "answered"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_DAYS_TO_ANSWER = 4.0  # mean time from an invitation or a reminder to the answers that it brings
_FIRST_ASK = 0.5  # share of the answers that the invitation brings; reminders share the rest


def answered(
    rates: Floats, leaning: Floats, groups: npt.NDArray[np.int64], rng: np.random.Generator
) -> Bools:
    """Who answers.

    Args:
        rates: shape (groups,), the share that answers in each group.
        leaning: shape (n,), log-odds by which a person is likelier to answer than others of the group.
        groups: shape (n,), each person's group.
        rng: where the chance comes from.
    Returns:
        Shape (n,). In each group exactly the rounded share answers: those with the highest of leaning plus
        logistic noise, which is a logistic model of response with the intercept that gives that share.
    """
    wish = leaning + rng.logistic(size=len(leaning))
    found = np.zeros(len(leaning), dtype=bool)
    for group, rate in enumerate(rates):
        members = np.flatnonzero(groups == group)
        count = round(rate * len(members))
        found[members[np.argsort(-wish[members], kind="stable")[:count]]] = True
    return found


def answer_times(
    opens: datetime, closes: datetime, reminders: list[timedelta], n: int, rng: np.random.Generator
) -> list[datetime]:
    """When n people answer, between opening and closing, most of them soon after they were asked."""
    seconds = answer_seconds(closes - opens, reminders, n, rng)
    return [opens + timedelta(seconds=int(after)) for after in seconds]


def answer_seconds(length: timedelta, reminders: list[timedelta], n: int, rng: np.random.Generator) -> Floats:
    """The same in seconds since the opening of a wave that is open for so long, shape (n,)."""
    whole = length.total_seconds()
    asks = np.array([0.0, *(after.total_seconds() for after in reminders)])
    asks = asks[asks < whole]
    shares = np.full(len(asks), (1 - _FIRST_ASK) / max(len(asks) - 1, 1))
    shares[0] = _FIRST_ASK if len(asks) > 1 else 1.0
    start = asks[rng.choice(len(asks), size=n, p=shares)]
    wait = rng.exponential(_DAYS_TO_ANSWER * 86_400.0, size=n)
    return np.asarray(start + np.minimum(wait, (whole - start) * rng.random(n)))
