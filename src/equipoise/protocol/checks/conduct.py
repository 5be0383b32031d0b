"""Progression, interviews, sources, figures and the logic model."""

import re
from collections.abc import Iterator
from datetime import date

from equipoise.errors import EquipoiseError, Problem, nearest
from equipoise.protocol.checks.places import at, expression_problems, time_problems, unknown
from equipoise.protocol.facts import everything_known
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import moment_of
from equipoise.protocol.times import parse_duration

__all__ = ["check_conduct"]

_THRESHOLD = re.compile(r"^\s*(>=|>|<=|<)\s*-?[0-9]+(\.[0-9]+)?\s*$")


def check_conduct(study: Study) -> Iterator[Problem]:
    """What is left: rules for going on, interviews, data from elsewhere, figures, the logic model's links."""
    yield from _progression(study)
    yield from _interviews(study)
    yield from _sources(study)
    yield from _report(study)
    yield from _logic_model(study)
    yield from _harms(study)
    yield from _amendments(study)
    yield from _privacy(study)


def _progression(study: Study) -> Iterator[Problem]:
    schema = everything_known(study.protocol, study.surveys)
    for name, rule in study.protocol.progression.items():
        path = ("progression", name)
        for key, expects in (("share", "bool"), ("mean", "double")):
            text = getattr(rule.measure, key)
            yield from expression_problems(study, (*path, "measure", key), text, schema, expects=expects)
        populations = ["participants", *dict.fromkeys(("licences", *study.protocol.sources))]
        if rule.measure.of not in populations:
            where = (*path, "measure", "of")
            yield unknown(study, where, rule.measure.of, "a set of people", populations, "Sets of people")
        for key in ("green", "amber"):
            text = getattr(rule, key)
            if text is not None and not _THRESHOLD.match(text):
                yield at(
                    study, *path, key, message=f'"{text}" is not a threshold; write one such as ">= 0.5"'
                )


def _interviews(study: Study) -> Iterator[Problem]:
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    for name, plan in study.protocol.interviews.items():
        path = ("interviews", name)
        if plan.guide not in study.guides and plan.guide not in study.documents:
            yield at(study, *path, "guide", message=f'there is no file "{plan.guide}". Guides: '
                     f"{nearest(plan.guide, list(study.guides))}")  # fmt: skip
        for column in (*plan.spread, *plan.quotas):
            if column not in roster:
                yield unknown(study, (*path, "spread"), column, "a roster column", roster, "Columns")
        arm = plan.from_.get("arm")
        if arm is not None and arm not in study.protocol.arms:
            yield unknown(
                study, (*path, "from", "arm"), arm, "an arm of this study", study.protocol.arms, "Arms"
            )
        yield from _partners(study, (*path, "partners"), plan.partners)
        for column, quota in plan.quotas.items():
            if sum(quota.values()) > plan.people:
                message = f"the quotas ask for {sum(quota.values())} people, the plan for {plan.people}"
                yield at(study, *path, "quotas", column, message=message)


def _sources(study: Study) -> Iterator[Problem]:
    for name, source in study.protocol.sources.items():
        yield from _partners(study, ("sources", name, "partners"), source.partners)


def _partners(study: Study, path: tuple[str | int, ...], partners: tuple[str, ...]) -> Iterator[Problem]:
    known = study.protocol.partners
    for partner in partners:
        if partner not in known:
            yield unknown(study, path, partner, "a partner of this study", known, "Partners")


def _report(study: Study) -> Iterator[Problem]:
    protocol = study.protocol
    analyses = [*protocol.analyses, *study.explore]
    for name, figure in protocol.report.figures.items():
        path = ("report", "figures", name)
        if figure.outcome is not None and figure.outcome not in protocol.outcomes:
            what = "an outcome of this study"
            yield unknown(study, (*path, "outcome"), figure.outcome, what, protocol.outcomes, "Outcomes")
        if figure.analysis is not None and figure.analysis not in analyses:
            yield unknown(study, (*path, "analysis"), figure.analysis, "an analysis", analyses, "Analyses")


def _logic_model(study: Study) -> Iterator[Problem]:
    model = study.logic_model
    if model is None:
        return
    parts = [*model.inputs, *model.activities, *model.outputs, *model.outcomes]
    document = study.documents["logic-model.yaml"]
    for number, link in enumerate(model.links):
        for key, end in (("from", link.from_), ("to", link.to)):
            if end not in parts:
                message = f'"{end}" is not a part of this logic model. Parts: {nearest(end, parts)}'
                yield document.problem(("links", number, key), message)


def _harms(study: Study) -> Iterator[Problem]:
    for place, harm in enumerate(study.protocol.harms):
        if harm in study.protocol.harms[:place]:
            yield at(study, "harms", place, message=f'"{harm}" stands twice')


def _amendments(study: Study) -> Iterator[Problem]:
    files = sorted(path for path in study.documents if path.startswith("amendments/"))
    if len(files) != len(study.amendments):
        return  # one of them cannot be read, which is a problem of its own
    for path, amendment in zip(files, study.amendments, strict=True):
        document = study.documents[path]
        try:
            date.fromisoformat(amendment.date)
        except ValueError:
            message = f'"{amendment.date}" is not a date; write one such as 2027-03-01'
            yield document.problem(("date",), message)
        if bool(amendment.hashes) != bool(amendment.protocol_hash):
            message = "`hashes` and `protocol-hash` belong together; `equipoise amend` writes both"
            yield document.problem(("hashes",), message)


def _privacy(study: Study) -> Iterator[Problem]:
    """The time until which answers are linked is one that the study has; the times of deletion are times."""
    text = study.protocol.privacy.linked_until
    if text is not None:
        try:
            moment_of(study.protocol, text)
        except EquipoiseError as error:
            yield time_problems(study, ("privacy", "linked-until"), error)
    yield from _deletion(study)


def _deletion(study: Study) -> Iterator[Problem]:
    written = study.protocol.privacy.delete
    for kind, text in (written.model_dump(exclude_none=True) if written else {}).items():
        path = ("privacy", "delete", kind)
        try:
            length = parse_duration(text)
        except EquipoiseError as error:
            yield time_problems(study, path, error)
            continue
        if length.unit in ("minute", "hour"):
            yield at(study, *path, message=f"{length.text} is too short; count in days, weeks or longer")
