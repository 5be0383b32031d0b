"""What a trial could show: the diagnosis of its design as a section of the report, and as files."""

from collections.abc import Iterable, Sequence

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.diagnosed import Diagnosed
from equipoise.diagnosis.performance import Rated
from equipoise.diagnosis.planning.comparison import Comparison
from equipoise.diagnosis.planning.curves import Curve
from equipoise.diagnosis.planning.smallest import Needed
from equipoise.protocol.registration import current_hash
from equipoise.protocol.study import Study
from equipoise.report.content import Block, Document, Listing, Paragraph, Section, ShownFigure, ShownTable
from equipoise.report.figures.figure import Figure
from equipoise.report.figures.power import power
from equipoise.report.html import render_html
from equipoise.report.names import Names
from equipoise.report.numbers import decimals, number, percentage
from equipoise.report.tables import Cell, Column, Table

__all__ = ["design_files", "design_section"]

_EARLIER = "The protocol has changed since this was simulated; diagnose the design again."
_MOST_ADVICE = 3  # of what would help, on the first screen


def design_files(study: Study, found: Diagnosed) -> dict[str, str]:
    """`diagnosis.html` with its tables and figures as files beside it, by their names.

    The page can be read by itself, and its figures and tables put into a protocol document.
    """
    names = Names(study.protocol, study.explore)
    document = Document(
        title=f"What this trial could show: {study.protocol.study.title}",
        kind="Diagnosis of a design",
        question=study.protocol.study.question,
        byline="",
        banners=(),
        answer=tuple(_answer(found, names)),
        sure=tuple(_sure(found)),
        actions=found.advice.helps[:_MOST_ADVICE] if found.advice is not None else (),
        sections=(design_section(study, found),),
        language=study.protocol.study.language,
    )
    files = {"diagnosis.html": render_html(document)}
    files |= {table.file: table.to_csv() for table in document.tables}
    return files | {figure.file: f"{figure.wide_svg}\n" for figure in document.figures}


def design_section(study: Study, found: Diagnosed) -> Section:
    """The section: what was simulated, the performance of each claim, the curves, and what is advised."""
    names = Names(study.protocol, study.explore)
    trials = f"{found.performance.trials:,}"
    said = Paragraph(
        f"Before the trial, its protocol was simulated {trials} times from what it assumes: people, lots, "
        "answers and the planned analyses. In brackets stands the Monte-Carlo error of the figure before."
    )
    earlier = [] if found.protocol_hash == current_hash(study) else [Paragraph(_EARLIER, aside=True)]
    blocks: list[Block] = [*earlier, said, ShownTable(_found(found, names)), Paragraph(_no_effect(found))]
    blocks.append(ShownTable(_estimates(found, names)))
    blocks += [ShownFigure(figure) for figure in _figures(found, names)]
    needed = _needed(found, names)
    if needed:
        blocks.append(Listing(needed))
    blocks += [ShownTable(table) for table in _tables(found, names)]
    return Section("design", "What this trial could show", tuple(blocks), tuple(_advice(found)))


def _advice(found: Diagnosed) -> Iterable[Section]:
    if found.advice is None:
        return
    told = (
        ("design-limits", "What limits this design", found.advice.limits),
        ("design-helps", "What would help", found.advice.helps),
        (
            "design-objections",
            "What a reviewer would say",
            tuple(each.words for each in found.advice.objections),
        ),
    )
    for name, title, sentences in told:
        yield Section(name, title, (Listing(sentences),) if sentences else (Paragraph("Nothing was found."),))


def _answer(found: Diagnosed, names: Names) -> Iterable[str]:
    """Of each primary effect, or of the first where none is primary."""
    primary = [each for each in found.performance.claims if each.claim.tier == "primary"]
    for each in primary or found.performance.claims[:1]:
        outcome = names.outcome(each.claim.outcome)
        if each.truth:
            yield (
                f"{outcome}: an effect of {number(each.truth, 2)} would be found in "
                f"{_printed_rate(each.power)} of trials like this."
            )
        else:
            yield f"{outcome}: no effect is assumed, so there is none to be found."
    yield from _needed(found, names)


def _sure(found: Diagnosed) -> Iterable[str]:
    yield f"{found.performance.trials:,} simulated trials; in brackets stands the Monte-Carlo error."
    yield "All of it holds for the assumptions of the protocol, and is no better than they are."


def _found(found: Diagnosed, names: Names) -> Table:
    """How often an effect is found, with and without one."""
    columns = (
        Column("Effect"),
        Column("Planted", numeric=True),
        Column("Power", numeric=True),
        Column("False alarms without an effect", numeric=True),
        Column("Coverage", numeric=True),
        Column("Analysed", numeric=True),
    )
    nothing = {each.claim.id: each for each in found.no_effect.claims}
    rows = tuple(
        (
            Cell(_name(each.claim, found, names)),
            Cell(number(each.truth, 2), each.truth),
            _rate(each.power),
            _rate(nothing[each.claim.id].power),
            _rate(each.coverage),
            Cell(number(each.mean_analysed.value, 0), each.mean_analysed.value),
        )
        for each in found.performance.claims
    )
    notes = (
        "Power is the share of trials whose locked test finds the effect, after sharing the error rate among "
        "the claims. Coverage is the share of intervals that hold the truth.",
    )
    return Table("performance-table", "How often the design finds each effect", columns, rows, notes)


def _estimates(found: Diagnosed, names: Names) -> Table:
    """How near the estimates come."""
    columns = (
        Column("Effect"),
        Column("Bias", numeric=True),
        Column("RMSE", numeric=True),
        Column("Width of the interval", numeric=True),
        Column("Wrong sign", numeric=True),
        Column("Exaggeration", numeric=True),
    )
    rows = tuple(
        (
            Cell(_name(each.claim, found, names)),
            _amount(each.bias),
            _amount(each.rmse),
            _amount(each.mean_width),
            _rate(each.type_s),
            _amount(each.exaggeration),
        )
        for each in found.performance.claims
    )
    notes = (
        "In the outcomes' own units. Wrong sign and exaggeration are of the trials that find the effect; "
        "without an effect there are none.",
    )
    return Table("estimates-table", "How near the estimates come", columns, rows, notes)


def _no_effect(found: Diagnosed) -> str:
    false = found.no_effect.family.any_false
    if false.value is None:
        return "No step of the testing order decides on these effects, so no claim can be false."
    return f"Without any effect, {_printed_rate(false)} of the trials would make at least one false claim."


def _figures(found: Diagnosed, names: Names) -> list[Figure]:
    of: dict[str, list[Curve]] = {}
    for curve in found.curves:
        of.setdefault(curve.over, []).append(curve)
    labels = {each.claim.id: _name(each.claim, found, names) for each in found.performance.claims}
    return [power(_leading(curves), labels) for curves in of.values()]


def _leading(curves: Sequence[Curve]) -> list[Curve]:
    """Primary claims first."""
    return sorted(curves, key=lambda curve: curve.claim.tier != "primary")


def _needed(found: Diagnosed, names: Names) -> tuple[str, ...]:
    told = [_told(each, names, "the smallest effect found", whole=False) for each in found.detectable]
    told += [_told(each, names, "the people needed", whole=True) for each in found.people_needed]
    return tuple(told)


def _told(needed: Needed, names: Names, what: str, *, whole: bool) -> str:
    head = f"{names.outcome(needed.claim.outcome)}, {what} with {needed.target:.0%} power"
    if needed.value is None:
        return f"{head}: {needed.reason}."
    return f"{head}: {_printed(Rated(needed.value, needed.mc_error), 0 if whole else None)}."


def _tables(found: Diagnosed, names: Names) -> Iterable[Table]:
    if found.formulas:
        yield _formulas(found, names)
    if found.comparison is not None:
        yield _comparison(found.comparison, names)
    if found.bought:
        yield _bought(found, names)


def _formulas(found: Diagnosed, names: Names) -> Table:
    rows = tuple(
        (
            Cell(_name(each.closed.claim, found, names)),
            Cell(each.closed.formula),
            Cell(number(each.closed.std_error, 3), each.closed.std_error),
            _amount(each.simulated_error),
            Cell(percentage(each.closed.power, 1), each.closed.power),
            _rate(each.simulated_power),
        )
        for each in found.formulas
    )
    columns = (
        Column("Effect"),
        Column("Formula"),
        Column("Standard error by the formula", numeric=True),
        Column("Spread of the simulated estimates", numeric=True),
        Column("Power by the formula", numeric=True),
        Column("Simulated power", numeric=True),
    )
    note = (
        "A formula knows less than the simulation: one test alone, the same SD in both arms, the answers "
        "that are expected."
    )
    return Table("formulas-table", "Closed forms beside the simulation", columns, rows, (note,))


def _comparison(compared: Comparison, names: Names) -> Table:
    columns = [Column("Effect")]
    for design in compared.designs:
        columns += [Column(f"Power: {design.label}", numeric=True)]
    columns += [Column(f"Gain: {design.label}", numeric=True) for design in compared.designs[1:]]
    rows = []
    for claim in compared.claims:
        row = [Cell(f"{names.outcome(claim.claim.outcome)}, {claim.claim.contrast}")]
        row += [_rate(claim.power[design.name]) for design in compared.designs]
        row += [_rate(claim.gain[design.name]) for design in compared.designs[1:]]
        rows.append(tuple(row))
    notes = tuple(
        f"{design.label}: {'; '.join(design.differences) or 'no difference'}."
        + ("" if design.cost is None else f" It costs {design.cost.currency}{number(design.cost.total, 0)}.")
        for design in compared.designs[1:]
    )
    return Table("designs-table", "Designs side by side", tuple(columns), tuple(rows), notes)


def _bought(found: Diagnosed, names: Names) -> Table:
    currency = next((each.cost.currency for each in found.priced if each.cost is not None), "")
    rows = tuple(
        (
            Cell(_design(each.design, found)),
            Cell(f"{currency}{number(each.budget, 0)}", each.budget),
            Cell(number(each.people, 0), each.people),
            Cell("–" if each.claim is None else names.outcome(each.claim.outcome)),
            _rate(each.power),
        )
        for each in found.bought
    )
    columns = (
        Column("Design"),
        Column("Budget", numeric=True),
        Column("People", numeric=True),
        Column("Effect"),
        Column("Power", numeric=True),
    )
    return Table("money-table", "What the money buys", columns, rows)


def _design(name: str, found: Diagnosed) -> str:
    designs = found.comparison.designs if found.comparison is not None else ()
    return next((each.label for each in designs if each.name == name), name)


def _name(claim: Claim, found: Diagnosed, names: Names) -> str:
    """The outcome; with the time, the contrast and the analysis where others differ in them."""
    claims = [each.claim for each in found.performance.claims]
    said = names.outcome(claim.outcome)
    if len({(each.outcome, each.at) for each in claims}) > len({each.outcome for each in claims}):
        said += f" ({names.wave(claim.at)})"
    if len({each.contrast for each in claims}) > 1:
        said += f", {claim.contrast}"
    if claims[0].analysis != claim.analysis:
        said += f" [{names.analysis(claim.analysis)}]"
    return said


def _rate(rated: Rated | None) -> Cell:
    if rated is None or rated.value is None:
        return Cell("–")
    return Cell(_printed_rate(rated), rated.value)


def _printed_rate(rated: Rated) -> str:
    error = "" if rated.mc_error is None else f" ({percentage(rated.mc_error, 1)})"
    return f"{percentage(rated.value, 1)}{error}"


def _amount(rated: Rated) -> Cell:
    return Cell("–") if rated.value is None else Cell(_printed(rated), rated.value)


def _printed(rated: Rated, places: int | None = None) -> str:
    """A figure to two digits of its Monte-Carlo error, which follows in brackets."""
    places = decimals(rated.mc_error) if places is None else places
    error = "" if rated.mc_error is None else f" ({number(rated.mc_error, places)})"
    return f"{number(rated.value, places)}{error}"
