"""What was found: `analyse` walks the plan, calls estimation and wraps the result with its provenance."""

from equipoise.findings.analyse import analyse
from equipoise.findings.data import StudyData, read_data
from equipoise.findings.results import Finding, Findings

__all__ = ["Finding", "Findings", "StudyData", "analyse", "read_data"]
