"""Facts that the protocol states: who takes part, how the study is made, how lots are drawn, what is
measured."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from equipoise.allocation import AllocationRecord
from equipoise.findings.results import Findings
from equipoise.instruments.library import load
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.models.fieldwork import Wave
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline
from equipoise.report.content import Facts
from equipoise.report.names import Names
from equipoise.report.numbers import count
from equipoise.report.tables import Cell, Column, Table

__all__ = ["allocation", "day", "design", "kind_of", "outcomes", "participants", "sealed", "study"]

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


def sealed(findings: Findings) -> Markup | str:
    """Whether the data analysed are those that were sealed, with the seal where there is one."""
    if findings.sealed:
        return Markup("yes; the seal is <code>{}</code>").format(findings.seal)
    return "nothing is known of it" if findings.sealed is None else "no"


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
            rows.append(("Eligible", Markup("people for whom <code>{}</code>").format(people.eligible)))
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
        rows.append((f"Survey: {names.wave(name)}", _open_between(of, name, wave)))
    for name, source in protocol.sources.items():
        rows.append((source.label or names.level(name), source.kind.replace("-", " ")))
    if protocol.study.launch:
        rows.append(("Launch", f"{day(protocol.study.launch)} ({protocol.study.timezone})"))
    for name, analysis in protocol.analyses.items():
        rows.append((f"Analysis: {analysis.label or names.level(name)}", _analysis(analysis, names)))
    if protocol.events:
        told = "; ".join(
            f"{names.level(event)}: {how.replace('-', ' ')}" for event, how in protocol.events.items()
        )
        rows.append(("After allocation", told))
    return Facts("Method and design", tuple(rows)) if rows else None


def _analysis(analysis: Analysis, names: Names) -> str:
    how = f"{analysis.model or 'model by the design'}, {analysis.variance or 'variance by the design'}"
    if analysis.weights is not None:
        how += f", weighted by one over the chance of the arm ({analysis.weights})"
    told = f"{how}, {analysis.interval:.0%} intervals"
    taken = names.level(str(analysis.take_up))
    if analysis.target == "complier":
        return f"effect in those whose {taken} follows their arm, two-stage least squares, {told}"
    if analysis.kind == "per-protocol":
        return f"those who followed their arm by {taken} (not randomised), {told}"
    return f"by {names.level(analysis.by)}, {told}" if analysis.by else told


def outcomes(of: Study, names: Names) -> Table | None:
    """Each outcome's variable, metric, time and smallest effect of interest."""
    if not of.protocol.outcomes:
        return None
    rows = []
    for name, outcome in of.protocol.outcomes.items():
        how = _measured_by(outcome)
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
                Cell(measured if outcome.index is None else _index(outcome, names)),
                Cell(outcome.scale),
                Cell(when or "once"),
                Cell(good),
                Cell(margin, outcome.margin),
            )
        )
    headings = ("Outcome", "Role", "Measured by", "Scale", "When", "Better", "Smallest effect of interest")
    columns = tuple(Column(heading, numeric=at == 6) for at, heading in enumerate(headings))
    return Table("outcomes-planned", "Outcomes, as the protocol states them", columns, tuple(rows))


def _index(outcome: Outcome, names: Names) -> str:
    parts = " and ".join(names.outcome(part) for part in outcome.index or ())
    how = "by inverse covariance" if outcome.weights == "inverse-covariance" else "equally"
    return f"index of {parts}, weighted {how}, in SDs of the control arm"


def _measured_by(outcome: Outcome) -> str:
    if outcome.instrument is not None:
        return load(outcome.instrument).title
    return outcome.column or f"question {outcome.question or outcome.task}"


def allocation(of: Study, names: Names, draws: Sequence[AllocationRecord] = ()) -> tuple[str, ...]:
    """How lots were drawn, and whether somebody could have chosen the seed: by the record of the draw where
    there is one, otherwise as the protocol foresees it."""
    told = []
    recorded = {record.stage: record for record in draws}
    for name, stage in of.protocol.allocation.items():
        which = "" if len(of.protocol.allocation) == 1 else f"Stage {names.level(name)}: "
        told.append(
            f"{which}{names.level(stage.unit).capitalize()}s were allocated by a keyed draw "
            f"(HMAC-SHA256) from a seed, {_METHODS[stage.method]}."
        )
        if name in recorded:
            told += [f"{which}{line}" for line in _recorded(recorded[name])]
        else:
            told.append(f"{which}{_FORESEEN[stage.seed]} No record of the draw was given with this report.")
    return tuple(told)


def _recorded(record: AllocationRecord) -> list[str]:
    chosen = (
        f"The seed could have been chosen: nothing public went into it ({record.seed_source})."
        if record.seed_could_have_been_chosen
        else f"Nobody could choose the seed: a secret committed to before was joined with public randomness "
        f"({record.seed_source})."
    )
    units = sum(sum(by_arm.values()) for by_arm in record.counts.values())
    return [
        chosen,
        f"{units:,} units in {len(record.counts):,} {'stratum' if len(record.counts) == 1 else 'strata'} "
        f"were drawn by version {record.software}. Roster (SHA-256): {record.roster_hash}. Commitment of the "
        f"secret: {record.commitment}.",
        "Anybody who has the record and, once it is published, the secret can draw again and get the same "
        "arms (the command is equipoise verify).",
    ]


_FORESEEN = {
    "public-round": "The protocol foresees a seed that joins a secret, committed at the lock, with public "
    "randomness dated after the roster was fixed.",
    "team-secret": "The protocol foresees a seed of the team's own, without public randomness: it could have "
    "been chosen.",
}


def _open_between(of: Study, name: str, wave: Wave) -> str:
    """When a wave is open: its days in the study's zone, where the launch is settled, and the rule."""
    rule = f"{wave.opens} to {wave.closes}"
    times = timeline(of.protocol)
    if of.protocol.study.launch is None or name not in times.opens or name not in times.closes:
        return rule
    zone = ZoneInfo(of.protocol.study.timezone)
    days = (
        day(moment.astimezone(zone).date().isoformat()) for moment in (times.opens[name], times.closes[name])
    )
    return f"{' to '.join(days)} ({rule})"


def _stage(stage: Stage, names: Names) -> str:
    schedule = names.protocol.schedule if stage.to == "sequences" else None
    arms = ", ".join(names.arm(arm) for arm in stage.arms)
    if schedule is not None:
        steps = {name: ", then ".join(map(names.arm, arms)) for name, arms in schedule.sequences.items()}
        arms = "the sequences " + "; ".join(f"{names.arm(name)} ({said})" for name, said in steps.items())
    strata = (
        f"; within strata of {', '.join(names.column(one) for one in stage.strata)}" if stage.strata else ""
    )
    ratios = "; ".join(":".join(str(share) for share in rule.shares.values()) for rule in stage.ratio)
    return (
        f"{names.level(stage.unit)}s to {arms}{strata}; ratio {ratios or 'equal'}; {_METHODS[stage.method]}"
        f"{_balanced(stage, names)}; drawn at {stage.when}"
    )


def _balanced(stage: Stage, names: Names) -> str:
    """What the draw balanced beside the strata and, of a minimisation, by which rule."""
    if not stage.balanced_on:
        return ""
    columns = [
        f"{names.column(one)}{f' (weight {stage.weights[one]})' if one in stage.weights else ''}"
        for one in stage.balanced_on
    ]
    told = f" ({', '.join(columns)}"
    if stage.method == "minimised":
        told += f"; imbalance by the {stage.measure}, probability of the best arm {stage.biased_coin:g}"
    return f"{told})"
