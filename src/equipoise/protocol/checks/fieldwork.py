"""Waves and contacts: what is asked or sent, to whom, and whether its files are there."""

import re
from collections.abc import Iterator

from equipoise.errors import EquipoiseError, Problem, nearest
from equipoise.protocol.checks.places import at, expression_problems, time_problems, unknown
from equipoise.protocol.factors import contrast_factors
from equipoise.protocol.facts import everything_known
from equipoise.protocol.models.fieldwork import Contact, Wave
from equipoise.protocol.reserved import reserved_problem
from equipoise.protocol.sends import ADDRESSES
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import Timeline, timeline
from equipoise.protocol.times import parse_duration, parse_weekly

__all__ = ["check_fieldwork"]

Path = tuple[str | int, ...]
FIELD = re.compile(r"\{\s*([^{}]*?)\s*\}")


def check_fieldwork(study: Study) -> Iterator[Problem]:
    """Times of waves and stages, templates, reminders, contacts."""
    times = timeline(study.protocol)
    for path, error in times.errors:
        yield time_problems(study, path, error)
    for name, wave in study.protocol.waves.items():
        yield from _wave(study, name, wave, times)
    for name, contact in study.protocol.contacts.items():
        yield from _contact(study, name, contact)


def _wave(study: Study, name: str, wave: Wave, times: Timeline) -> Iterator[Problem]:
    path: Path = ("waves", name)
    problem = reserved_problem(name)
    if problem:
        yield at(study, *path, message=problem)
    if wave.survey not in study.surveys and f"surveys/{wave.survey}.yaml" not in study.documents:
        what = "a survey of this study (surveys/NAME.yaml)"
        yield unknown(study, (*path, "survey"), wave.survey, what, study.surveys, "Surveys")
    opens, closes = times.opens.get(name), times.closes.get(name)
    if opens is not None and closes is not None and opens >= closes:
        message = f"the wave closes ({wave.closes}) before it opens ({wave.opens}); it needs time in between"
        yield at(study, *path, "closes", message=message)
    yield from expression_problems(study, (*path, "among"), wave.among, everything_known(study.protocol))
    for key in ("invite", "remind", "thank"):
        part = getattr(wave, key)
        if part is not None:
            yield from _template(study, (*path, key, "template"), part.template)
    for place, after in enumerate(wave.remind.after if wave.remind else ()):
        yield from _parsed(study, (*path, "remind", "after", place), after, parse_duration)


def _contact(study: Study, name: str, contact: Contact) -> Iterator[Problem]:
    path: Path = ("contacts", name)
    protocol = study.protocol
    stage = contact.to.stage or protocol.main_stage
    if contact.to.stage is not None and contact.to.stage not in protocol.allocation:
        what = "a stage of allocation"
        yield unknown(study, (*path, "to", "stage"), contact.to.stage, what, protocol.allocation, "Stages")
    elif contact.to.arm:
        arms = contrast_factors(protocol, {}).get(protocol.arm_column(stage), ())
        for arm in contact.to.arm:
            if arm not in arms:
                yield unknown(study, (*path, "to", "arm"), arm, "an arm of this study", arms, "Arms")
    yield from expression_problems(
        study, (*path, "to", "where"), contact.to.where, everything_known(protocol)
    )
    if contact.times > 1 and contact.every is None:
        yield at(
            study, *path, "times", message=f"sent {contact.times} times, but `every:` does not say how often"
        )
    for key, parse in (("every", parse_duration), ("at", parse_weekly)):
        text = getattr(contact, key)
        if text is not None:
            yield from _parsed(study, (*path, key), text, parse)
    occasions = range(1, contact.times + 1) if "{n}" in contact.template else range(1, 2)
    for n in occasions:
        yield from _template(study, (*path, "template"), contact.template.replace("{n}", str(n)))
    yield from _assets(study, path, contact)
    if contact.carrier == "workspace" and not _reachable(study, contact):
        kind = ADDRESSES[contact.channel]
        message = f"no roster column of type {kind} says where to send; add one, or `carrier: partner`"
        yield at(study, *path, "channel", message=message)


def _template(study: Study, path: Path, template: str) -> Iterator[Problem]:
    if template not in study.messages and template not in study.documents:
        listed = nearest(template, list(study.messages))
        yield at(study, *path, message=f'there is no file "{template}". Messages: {listed}')


def _assets(study: Study, path: Path, contact: Contact) -> Iterator[Problem]:
    if contact.asset is None:
        return
    fields = FIELD.findall(contact.asset)
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    for field in fields:
        levels = roster[field].levels if field in roster else None
        if levels is None:
            categories = [name for name, column in roster.items() if column.levels]
            what = "a roster column with declared levels"
            yield unknown(study, (*path, "asset"), field, what, categories, "Such columns")
            return
        for level in levels if len(fields) == 1 else ():
            stem = contact.asset.replace("{" + field + "}", level).rpartition(".")[0]
            if not any(file.startswith(stem + ".") for file in study.media):
                yield at(
                    study,
                    *path,
                    "asset",
                    message=f'there is no file for {field} "{level}" ({stem}.…) in media/',
                )


def _reachable(study: Study, contact: Contact) -> bool:
    participants = study.protocol.participants
    columns = participants.roster.values() if participants else ()
    return any(column.type == ADDRESSES[contact.channel] and column.role == "contact" for column in columns)


def _parsed(study: Study, path: Path, text: str, parse: object) -> Iterator[Problem]:
    try:
        parse(text)  # type: ignore[operator]
    except EquipoiseError as error:
        yield time_problems(study, path, error)
