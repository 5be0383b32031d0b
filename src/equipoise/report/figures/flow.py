"""The flow of participants as a diagram and as a table: eligible, randomised, sent, answered, analysed."""

from dataclasses import dataclass

from equipoise.findings.results import Finding, Findings
from equipoise.report.figures.drawing import BAND, GREY, LINE, Drawing, wrap
from equipoise.report.figures.figure import Figure
from equipoise.report.names import Names
from equipoise.report.numbers import count, percentage
from equipoise.report.source import select
from equipoise.report.tables import Cell, Column, Table

__all__ = ["Step", "flow", "steps"]


@dataclass(frozen=True)
class Step:
    """One stage of the flow: the finding of its total and of each arm, where they were counted."""

    name: str
    label: str
    total: Finding | None
    arms: dict[str, Finding]


def steps(findings: Findings | None, names: Names) -> list[Step]:
    """The stages in the order in which people pass them; stages that nobody counted are left out."""
    answered = [(f"answered_{wave}", f"Answered: {names.wave(wave)}") for wave in names.protocol.waves]
    sent = [
        (f"sent_{name}", f"Sent: {one.label or names.level(name)}")
        for name, one in names.protocol.contacts.items()
    ]
    analysed = [(f"analysed.{name}", f"Analysed: {names.outcome(name)}") for name in names.protocol.outcomes]
    order = [
        ("eligible", "Eligible"),
        ("enrolled", "Enrolled"),
        ("randomised", "Randomised"),
        ("sent", "Sent"),
        *sent,
        *answered,
        *analysed,
    ]
    found = []
    for name, label in order:
        counted = [one for one in select(findings, f"flow.{name}") if one.kind == "count"]
        total = next((one for one in counted if one.id == f"flow.{name}"), None)
        arms = {one.arm or one.id.rpartition(".")[2]: one for one in counted if one is not total}
        if counted:
            found.append(Step(name, label, total, arms))
    return found


def flow(findings: Findings | None, names: Names, primary: str | None) -> Figure | None:
    """The diagram down to the primary outcome; the table has every outcome."""
    found = steps(findings, names)
    if not found:
        return None
    drawn = [
        one for one in found if not one.name.startswith("analysed.") or one.name == f"analysed.{primary}"
    ]
    if drawn[-1].name.startswith("answered") or not any(one.name.startswith("analysed.") for one in drawn):
        drawn += [one for one in found if one.name.startswith("analysed.")][:1]
    arms = list(dict.fromkeys(arm for one in found for arm in one.arms))
    events = {arm: told for arm in arms if (told := _events(findings, names, arm))}
    return Figure(
        id="flow",
        title=_title(found),
        subtitle="Numbers of people at each stage" + (", by arm" if arms else ""),
        description=" ".join(
            (*(_told(one, names) for one in drawn), *(f"{names.arm(arm)}: {events[arm]}." for arm in events))
        ),
        wide=_wide(drawn, arms, names, events),
        narrow=_narrow(drawn, arms, names, events),
        table=_table(found, arms, names),
    )


def _events(findings: Findings | None, names: Names, arm: str) -> str:
    """What happened to people of an arm after the allocation; they are counted in it all the same."""
    counts = {
        one.outcome: one.estimate for one in findings or () if one.analysis == "events" and one.arm == arm
    }
    told = [
        f"{names.column(event).lower()} {count(counts[event])}"
        for event in names.protocol.events
        if counts.get(event) is not None
    ]
    return f"Events, counted in their arm: {', '.join(told)}" if told else ""


def _number(step: Step) -> float | None:
    if step.total is not None:
        return step.total.estimate
    return sum(one.estimate or 0 for one in step.arms.values()) if step.arms else None


def _title(found: list[Step]) -> str:
    numbers = {one.name: _number(one) for one in found}
    first = next((n for n in ("randomised", "enrolled", "eligible") if n in numbers), None)
    last = next((n for n in reversed(numbers) if n.startswith("answered")), None)
    if first is None or last is None:
        return "How many people reached each stage"
    return f"{count(numbers[last])} of {count(numbers[first])} people answered"


def _told(step: Step, names: Names) -> str:
    arms = ", ".join(f"{names.arm(arm)} {count(one.estimate)}" for arm, one in step.arms.items())
    return f"{step.label}: {count(_number(step))}" + (f" ({arms})." if arms else ".")


def _shared(drawn: list[Step]) -> int:
    """How many stages come before the arms part."""
    at = next((k for k, one in enumerate(drawn) if one.arms), len(drawn))
    return min(len(drawn), at + 1) if at < len(drawn) else at


def _wide(drawn: list[Step], arms: list[str], names: Names, events: dict[str, str]) -> Drawing:
    if not arms or len(arms) > 3:
        return _chain(drawn, 720)
    parted = _shared(drawn)
    below = [one for one in drawn if one.arms]
    drawing = Drawing(720, 66 * parted + 104 + 78 * len(below))
    y = 4.0
    for at, one in enumerate(drawn[:parted]):
        _box(drawing, 230, y, 260, 46, [f"{one.label}: {count(_number(one))}"])
        if at + 1 < parted:
            drawing.arrow(360, y + 46, 360, y + 66)
        y += 66
    width = min(310.0, (720 - 20 * (len(arms) - 1)) / len(arms))
    gap = (720 - width * len(arms)) / max(1, len(arms) - 1)
    centres = [at * (width + gap) + width / 2 for at in range(len(arms))]
    y -= 20
    drawing.line(360, y, 360, y + 18, GREY, 1.5)
    drawing.line(centres[0], y + 18, centres[-1], y + 18, GREY, 1.5)
    ends: list[float] = []
    for arm, centre in zip(arms, centres, strict=True):
        drawing.arrow(centre, y + 18, centre, y + 38)
        ends.append(_arm(drawing, arm, below, centre - width / 2, y + 38, width, names, events.get(arm)))
    return drawing.end(max(ends) + 6)


def _narrow(drawn: list[Step], arms: list[str], names: Names, events: dict[str, str]) -> Drawing:
    if not arms:
        return _chain(drawn, 320)
    parted = _shared(drawn)
    below = [one for one in drawn if one.arms]
    drawing = Drawing(320, 66.0 * parted + (66 + 78 * len(below)) * len(arms))
    y = 4.0
    for one in drawn[:parted]:
        _box(drawing, 10, y, 300, 46, [f"{one.label}: {count(_number(one))}"])
        drawing.arrow(160, y + 46, 160, y + 66)
        y += 66
    for arm in arms:
        y = _arm(drawing, arm, below, 10, y, 300, names, events.get(arm)) + 8
    return drawing.end(y)


def _arm(
    drawing: Drawing,
    arm: str,
    below: list[Step],
    x: float,
    y: float,
    width: float,
    names: Names,
    events: str | None,
) -> float:
    drawing.box(x, y, width, 40, "#12436D")
    drawing.text(x + width / 2, y + 26, names.arm(arm), size=15, anchor="middle", bold=True, colour="#FFFFFF")
    y += 40
    start = below[0].arms[arm].estimate if arm in below[0].arms else None
    for at, one in enumerate(below):
        if arm not in one.arms:
            continue
        value = one.arms[arm].estimate
        share = f" ({percentage(value / start)})" if at and start and value is not None else ""
        if at:
            drawing.arrow(x + width / 2, y, x + width / 2, y + 18)
            y += 18
        lines = wrap(f"{one.label}: {count(value)}{share}{_unanswered(one, value, start)}", width - 20, 15)
        _box(drawing, x, y, width, 24 + 20.0 * len(lines), lines)
        y += 24 + 20 * len(lines)
    if events is None:
        return y
    lines = wrap(events, width - 20, 15)
    _box(drawing, x, y + 10, width, 24 + 20.0 * len(lines), lines)
    return y + 34 + 20 * len(lines)


def _unanswered(step: Step, value: float | None, start: float | None) -> str:
    """How many of an arm did not answer a wave, where the step is one."""
    if not step.name.startswith("answered_") or value is None or start is None:
        return ""
    return f"; {count(start - value)} did not answer"


def _chain(drawn: list[Step], width: float) -> Drawing:
    drawing = Drawing(width, 74.0 * len(drawn))
    wide = min(width - 20, 420)
    for at, one in enumerate(drawn):
        x = (width - wide) / 2
        _box(drawing, x, 4 + 74.0 * at, wide, 50, [f"{one.label}: {count(_number(one))}"])
        if at + 1 < len(drawn):
            drawing.arrow(width / 2, 54 + 74.0 * at, width / 2, 78 + 74.0 * at)
    return drawing


def _box(drawing: Drawing, x: float, y: float, width: float, height: float, lines: list[str]) -> None:
    drawing.box(x, y, width, height, BAND, border=LINE)
    first = y + height / 2 + 5 - 10 * (len(lines) - 1)
    for at, line in enumerate(lines):
        drawing.text(x + width / 2, first + 20 * at, line, size=15, anchor="middle")


def _table(found: list[Step], arms: list[str], names: Names) -> Table:
    rows = []
    for one in found:
        total = one.total.id if one.total else None
        cells = [
            Cell(count(one.arms[arm].estimate), one.arms[arm].estimate, one.arms[arm].id)
            if arm in one.arms
            else Cell("–")
            for arm in arms
        ]
        rows.append((Cell(one.label), *cells, Cell(count(_number(one)), _number(one), total)))
    columns = (Column("Stage"), *(Column(names.arm(arm), True) for arm in arms), Column("Total", True))
    return Table("flow-table", "Flow of participants", columns, tuple(rows))
