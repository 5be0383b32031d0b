"""Facts that the protocol states: who takes part, how the study is made, how lots are drawn, what is
measured."""

from datetime import datetime

from markupsafe import Markup

from equipoise.protocol.folder import Study
from equipoise.protocol.models.allocation import Stage
from equipoise.report.content import Facts
from equipoise.report.names import Names
from equipoise.report.numbers import count
from equipoise.report.tables import Cell, Column, Table

__all__ = ["allocation", "day", "design", "kind_of", "outcomes", "participants", "study"]

_KINDS = {
    "trial": "Randomised controlled trial",
    "survey-experiment": "Randomised survey experiment",
    "pilot": "Pilot without allocation to arms",
    "interviews": "Interview study",
}
_METHODS = {
    "simple": "each unit by its own draw",
    "complete": "a fixed number of units in each arm",
    "blocked": "a fixed number of units in each arm of each stratum",
    "permuted-blocks": "permuted blocks of random sizes",
    "minimised": "minimisation with a random element",
    "rerandomised": "drawn again until the covariates balance by the criterion",
    "matched-pairs": "within matched pairs",
}


def kind_of(study: Study) -> str:
    """What kind of study it is, in words."""
    return _KINDS[study.protocol.study.kind]


def day(moment: str | None) -> str:
    """`2021-03-01T09:00:00+00:00` as `1 March 2021, 09:00 UTC`; what is no date is returned as it is."""
    if not moment:
        return "not stated"
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    date = f"{read.day} {read:%B %Y}"
    if len(moment) <= 10:
        return date
    zone = " UTC" if read.tzinfo is not None and read.utcoffset() is not None and not read.utcoffset() else ""
    return f"{date}, {read:%H:%M}{zone}"


def study(of: Study) -> Facts:
    """Registration, funding, interests, contact."""
    head, registration = of.protocol.study, of.protocol.study.registration
    named = ", ".join(part for part in (registration.registry, registration.id, registration.date) if part)
    rows = [
        ("Kind of study", kind_of(of)),
        ("Registration", named or "not stated"),
        ("Authors", ", ".join(head.authors) or "not stated"),
        ("Funding", head.funding or "not stated"),
        ("Conflicts of interest", head.conflicts or "not stated"),
        ("Contact", head.contact or "not stated"),
    ]
    return Facts("About this study", tuple(rows))


def participants(of: Study, names: Names) -> Facts | None:
    """Organisations, eligibility, consent."""
    protocol = of.protocol
    rows: list[tuple[str, Markup | str]] = []
    if protocol.partners:
        told = [
            partner.name
            + (f", {partner.place}" if partner.place else "")
            + (f" ({count(partner.people)} people)" if partner.people else "")
            for partner in protocol.partners.values()
        ]
        rows.append(("Organisations", "; ".join(told)))
    people = protocol.participants
    if people is not None:
        if people.eligible:
            rows.append(("Eligible", Markup("<code>{}</code>").format(people.eligible)))
        enrolment = {
            "roster": "from rosters of the organisations",
            "rolling": "one by one as they arrive",
            "open-link": "by an open link",
        }[people.enrolment]
        rows.append(("Enrolment", enrolment))
        if people.consent:
            rows.append(("Consent", "; ".join(f"{name}: {how}" for name, how in people.consent.items())))
    for plan in protocol.interviews.values():
        form = "Focus groups" if plan.form == "focus-group" else "Interviews"
        rows.append((plan.label or form, f"{plan.people} people"))
    return Facts("Participants", tuple(rows)) if rows else None


def design(of: Study, names: Names) -> Facts | None:
    """Units, arms, strata, ratio, waves, contacts, analyses."""
    protocol = of.protocol
    rows: list[tuple[str, Markup | str]] = []
    for name, stage in protocol.allocation.items():
        title = "Allocation" if len(protocol.allocation) == 1 else f"Allocation, {names.level(name)}"
        rows.append((title, _stage(stage, names)))
    for task in protocol.tasks.values():
        shown = ", ".join(names.level(way) for way in task.present)
        rows.append(
            (task.label or "Task", f"{task.per_person} a person; shown {shown}; drawn {task.assign} people")
        )
    for name, wave in protocol.waves.items():
        rows.append((f"Survey: {names.wave(name)}", f"opens {wave.opens}; closes {wave.closes}"))
    for name, source in protocol.sources.items():
        rows.append((source.label or names.level(name), source.kind.replace("-", " ")))
    if protocol.study.launch:
        rows.append(("Launch", f"{day(protocol.study.launch)} ({protocol.study.timezone})"))
    for name, analysis in protocol.analyses.items():
        how = f"{analysis.model or 'model by the design'}, {analysis.variance or 'variance by the design'}"
        rows.append(
            (f"Analysis: {analysis.label or names.level(name)}", f"{how}, {analysis.interval:.0%} intervals")
        )
    if protocol.events:
        told = "; ".join(
            f"{names.level(event)}: {how.replace('-', ' ')}" for event, how in protocol.events.items()
        )
        rows.append(("After allocation", told))
    return Facts("Method and design", tuple(rows)) if rows else None


def outcomes(of: Study, names: Names) -> Table | None:
    """Each outcome's variable, metric, time and smallest effect of interest."""
    if not of.protocol.outcomes:
        return None
    rows = []
    for name, outcome in of.protocol.outcomes.items():
        how = outcome.instrument or outcome.column or f"question {outcome.question or outcome.task}"
        measured = f"{how}, {outcome.score} score" if outcome.score else how
        when = ", ".join(names.wave(wave) for wave in outcome.waves)
        good = {"high": "higher", "low": "lower", "neither": "neither"}.get(
            outcome.good or "", "by the instrument"
        )
        margin = f"{outcome.margin:g}" if outcome.margin else "–"
        rows.append(
            (
                Cell(names.outcome(name)),
                Cell(outcome.role),
                Cell(measured),
                Cell(outcome.scale),
                Cell(when or "once"),
                Cell(good),
                Cell(margin, outcome.margin),
            )
        )
    headings = ("Outcome", "Role", "Measured by", "Scale", "When", "Better", "Smallest effect of interest")
    columns = tuple(Column(heading, numeric=at == 6) for at, heading in enumerate(headings))
    return Table("outcomes-planned", "Outcomes, as the protocol states them", columns, tuple(rows))


def allocation(of: Study, names: Names) -> tuple[str, ...]:
    """What can be said about how lots were drawn, and whether somebody could have chosen the seed."""
    told = []
    for name, stage in of.protocol.allocation.items():
        which = "" if len(of.protocol.allocation) == 1 else f"Stage {names.level(name)}: "
        told.append(
            f"{which}{names.level(stage.unit).capitalize()}s were allocated by a keyed draw "
            "(HMAC-SHA256) from "
            f"a seed, {_METHODS[stage.method]}."
        )
        if stage.seed == "public-round":
            told.append(
                f"{which}The seed joins a secret that was committed at the lock with public randomness "
                "dated after the "
                "roster was fixed, so that nobody could choose it."
            )
        else:
            told.append(
                f"{which}The seed was drawn by the team without public randomness: it could have been chosen."
            )
    return tuple(told)


def _stage(stage: Stage, names: Names) -> str:
    arms = ", ".join(names.arm(arm) for arm in stage.arms)
    strata = (
        f"; within strata of {', '.join(names.column(one) for one in stage.strata)}" if stage.strata else ""
    )
    ratios = "; ".join(":".join(str(share) for share in rule.shares.values()) for rule in stage.ratio)
    return (
        f"{names.level(stage.unit)}s to {arms}{strata}; ratio {ratios or 'equal'}; {_METHODS[stage.method]}; "
        f"drawn at {stage.when}"
    )
