"""What the data hold, described and never tested: flow, response, the arms before, outcomes by arm, harms.

Counts by arm are of everybody randomised. A study without arms has the same findings without arms.
"""

from collections.abc import Iterator

from equipoise.findings.describe.arms import Arms
from equipoise.findings.describe.attrition import attrition
from equipoise.findings.describe.balance import balance
from equipoise.findings.describe.baseline import baseline
from equipoise.findings.describe.events import events
from equipoise.findings.describe.flow import flow, harms, response
from equipoise.findings.describe.outcomes import answers, outcomes, ratings
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.protocol.study import Study

__all__ = ["descriptions"]


def descriptions(study: Study, data: StudyData) -> Iterator[Finding]:
    """Every description, in the order in which a report tells them."""
    arms = Arms(study.protocol, data)
    yield from flow(study, data, arms)
    yield from response(study, data, arms)
    yield from attrition(study, data)
    yield from baseline(study, data)
    yield from balance(study, data)
    yield from outcomes(study, data, arms)
    yield from ratings(study, data)
    yield from answers(study, data, arms)
    yield from events(study, data, arms)
    yield from harms(study, data, arms)
