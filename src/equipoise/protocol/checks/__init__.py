"""Whole-study checks: what no single file can see. Each module takes one part of the protocol.

A check is a function from a study to problems; it never stops at the first.
"""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.allocation import check_allocation
from equipoise.protocol.checks.analyses import check_analyses
from equipoise.protocol.checks.assumptions import check_assumptions
from equipoise.protocol.checks.chance import check_chance
from equipoise.protocol.checks.claims import check_claims
from equipoise.protocol.checks.conduct import check_conduct
from equipoise.protocol.checks.designs import check_designs
from equipoise.protocol.checks.extracts import check_extracts
from equipoise.protocol.checks.fieldwork import check_fieldwork
from equipoise.protocol.checks.media import check_media
from equipoise.protocol.checks.messages import check_messages
from equipoise.protocol.checks.outcomes import check_outcomes
from equipoise.protocol.checks.people import check_people
from equipoise.protocol.checks.schedule import check_schedule
from equipoise.protocol.checks.surveys import check_surveys
from equipoise.protocol.checks.translations import check_translations
from equipoise.protocol.checks.vignettes import check_vignettes
from equipoise.protocol.checks.wording import check_wording
from equipoise.protocol.study import Study

__all__ = ["check_study"]

CHECKS = (
    check_people,
    check_allocation,
    check_fieldwork,
    check_media,
    check_messages,
    check_schedule,
    check_surveys,
    check_translations,
    check_wording,
    check_vignettes,
    check_outcomes,
    check_analyses,
    check_assumptions,
    check_chance,
    check_claims,
    check_conduct,
    check_extracts,
)


def check_study(study: Study) -> Iterator[Problem]:
    """Every problem that lies between the parts of a study."""
    for check in CHECKS:
        yield from check(study)
    if study.protocol.diagnosis.designs:
        yield from check_designs(study, CHECKS)
