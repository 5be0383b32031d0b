"""Days lost to sickness against the days that a contract makes available."""

import numpy as np

from equipoise.errors import ScoringError
from equipoise.instruments.scoring import Floats

__all__ = ["absence_rate", "capped_days"]

_WEEK = 7


def capped_days(days: Floats, contracted_days: Floats, window_days: int) -> Floats:
    """Days lost, no more than the days contracted in the window.

    Args:
        days: reported days lost, shape (n,).
        contracted_days: days of work a week by contract, shape (n,), above 0 and up to 7; NaN where unknown.
        window_days: length of the window that was asked about.
    Returns:
        Shape (n,); where the contract is unknown, the cap is the window itself.
    Raises:
        ScoringError: a contract of no days or of more than seven.
    """
    available = np.nan_to_num(_available(contracted_days, window_days), nan=float(window_days))
    return np.asarray(np.where(np.isnan(days), np.nan, np.minimum(days, available)), dtype=np.float64)


def absence_rate(days: Floats, contracted_days: Floats, window_days: int) -> Floats:
    """Days lost as per cent of the days available; NaN where either is unknown. As for `capped_days`."""
    available = _available(contracted_days, window_days)
    return np.asarray(100 * capped_days(days, contracted_days, window_days) / available, dtype=np.float64)


def _available(contracted_days: Floats, window_days: int) -> Floats:
    faulty = (contracted_days <= 0) | (contracted_days > _WEEK)
    if faulty.any():
        row = int(np.flatnonzero(faulty)[0])
        raise ScoringError(
            f"contracted days: row {row + 1}: found {contracted_days[row]:g}; allowed: above 0, up to 7"
        )
    return contracted_days * window_days / _WEEK
