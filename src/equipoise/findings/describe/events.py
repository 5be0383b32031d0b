"""What happened to people after the allocation, by arm: not answering, and apart from it the events that the
estimand deals with."""

from collections.abc import Iterator

from equipoise.findings.describe.arms import Arms, counts_by_arm
from equipoise.findings.describe.flow import answered_by
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["events"]


def events(study: Study, data: StudyData, arms: Arms) -> Iterator[Finding]:
    """People who did not answer a wave after the allocation, then those to whom an event happened.

    Of the latter also how many answered all the same.
    """
    protocol = study.protocol
    if not protocol.allocation:
        return
    before = waves_before(protocol, protocol.main_stage)
    answered = {
        wave: rows
        for wave in protocol.waves
        if wave not in before and (rows := answered_by(study, data, wave)) is not None
    }
    for wave, rows in answered.items():
        yield from counts_by_arm(f"events.unanswered_{wave}", "events", f"unanswered_{wave}", ~rows, arms)
    for event in protocol.events:
        if not data.has(event):
            continue
        met = data.happened(event)
        yield from counts_by_arm(f"events.{event}", "events", event, met, arms)
        for wave, rows in answered.items():
            stem = f"events.{event}.answered_{wave}"
            yield from counts_by_arm(stem, "events", f"{event}.answered_{wave}", met & rows, arms)
