"""What the primary results estimate, attribute by attribute."""

from equipoise.findings.wording.attributes import estimand_of
from equipoise.protocol.study import Study
from equipoise.report.content import Facts
from equipoise.report.names import Names
from equipoise.report.results import Results

__all__ = ["estimands"]


def estimands(study: Study, results: Results, names: Names) -> list[Facts]:
    """The estimand of each primary result that the protocol plans, in the attributes of ICH E9(R1)."""
    told = []
    for one in results.primary:
        analysis = study.protocol.analyses.get(one.analysis)
        if analysis is None or one.outcome not in study.protocol.outcomes or one.contrast is None:
            continue
        found = estimand_of(study, analysis, one.outcome, one.at, one.contrast)
        told.append(Facts(f"What is estimated: {names.outcome(one.outcome)}", found.rows()))
    return told
