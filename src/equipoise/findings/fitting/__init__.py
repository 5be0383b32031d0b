"""From an outcome measured in a sample to its estimate: one file for each way of fitting.

`by_model` finds the way by the name that the analysis gives its model.
"""

from equipoise.findings.fitting.by_model import fit
from equipoise.findings.fitting.fitted import Fitted

__all__ = ["Fitted", "fit"]
