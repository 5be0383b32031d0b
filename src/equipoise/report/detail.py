"""The tables of the detail: outcomes, baseline, harms, deviations, provenance."""

from collections.abc import Iterator, Sequence

from equipoise.findings.results import Finding, Findings
from equipoise.protocol.models.files import Amendment
from equipoise.protocol.study import Study
from equipoise.report import facts, words
from equipoise.report.called_off import STOPPED, called_off
from equipoise.report.names import Names
from equipoise.report.numbers import count, number, percentage, span
from equipoise.report.results import Results
from equipoise.report.tables import Cell, Column, Table

__all__ = [
    "amendments",
    "baseline",
    "effects",
    "exclusions",
    "harms",
    "likeness",
    "means",
    "not_planned",
    "provenance",
    "reliability",
]


def effects(found: Sequence[Finding], names: Names, name: str, caption: str) -> Table | None:
    """Effects in their own unit and in standard deviations, with numbers analysed, p-values and standing."""
    contrasts = list(dict.fromkeys(names.contrast(one) for one in found))
    several = len(contrasts) > 1
    rows = [
        (
            Cell(
                _titled(one, names)
                + (f": {names.contrast(one)}" if several else "")
                + names.whose(one, found)
            ),
            Cell(words.n_text(one, names)),
            Cell(words.estimate_text(one, names), one.estimate, one.id),
            Cell(words.interval_text(one, names), finding=one.id),
            Cell(
                words.standardised_text(one), one.standardised.estimate if one.standardised else None, one.id
            ),
            Cell(words.test_text(one), one.p_value, one.id),
            Cell(words.label_of(one)),
        )
        for one in found
    ]
    columns = (
        Column("Outcome (unit)"),
        Column("Analysed"),
        Column("Difference", True),
        Column("95% interval", True),
        Column("In standard deviations", True),
        Column("Test", True),
        Column("Standing"),
    )
    sds = dict.fromkeys(one.standardised.sd_source for one in found if one.standardised)
    notes = tuple(f"Standard deviation used: {source}." for source in sds)
    notes = notes if several or not found else (f"Contrast: {contrasts[0]}.", *notes)
    if any(one.second_generation is not None for one in found):
        notes += (words.SECOND_GENERATION,)
    notes += tuple(dict.fromkeys(warning for one in found for warning in one.warnings))
    return Table(name, caption, columns, tuple(rows), notes) if rows else None


def means(results: Results, names: Names) -> Table | None:
    """Means and rates by outcome, wave and arm; of everybody where there are no arms."""
    described = [one for one in results.of("description") if "=" not in one.id]
    by_arm = any(one.arm is not None for one in described)
    rows = [
        (
            Cell(names.outcome(one.outcome)),
            Cell(names.wave(one.at)),
            Cell(names.arm(one.arm)),
            Cell(count(sum(one.n.values())) if one.n else "–"),
            Cell(words.estimate_text(one, names), one.estimate, one.id),
            Cell(words.interval_text(one, names), finding=one.id),
            Cell(number(one.sd, 2), one.sd),
        )
        for one in described
        if one.arm is not None or not by_arm
    ]
    columns = (
        Column("Outcome"),
        Column("When"),
        Column("Arm"),
        Column("Number", True),
        Column("Mean or rate", True),
        Column("95% interval", True),
        Column("SD", True),
    )
    return Table("means", "Outcomes as answered, by arm", columns, tuple(rows)) if rows else None


def baseline(results: Results, names: Names) -> Table | None:
    """Characteristics before allocation by arm, with standardised differences; nothing is tested."""
    found = results.of("baseline")
    arms = list(dict.fromkeys(one.arm for one in found if one.contrast is None))
    rows: dict[str, dict[str | None, Finding]] = {}
    for one in found:
        key = one.id.removeprefix("baseline.").removesuffix(f".{one.arm or one.contrast}")
        rows.setdefault(key, {})["difference" if one.contrast else one.arm] = one
    shown = []
    for key, cells in rows.items():
        column, _, level = key.partition("=")
        label = names.column(column) + (f": {names.level(level)}" if level else ", mean (SD)")
        by_arm = [_baseline(cells.get(arm), names) for arm in arms]
        apart = [] if arms == [None] else [_difference(cells.get("difference"))]
        shown.append((Cell(label), *by_arm, *apart))
    columns = (Column("Before allocation"), *(Column(names.arm(arm), True) for arm in arms))
    if arms == [None]:  # masked: everybody together
        return Table("baseline-table", "Who takes part, all arms together", columns, tuple(shown))
    columns = (*columns, Column("Standardised difference", True))
    notes = ("Differences are described, not tested: the allocation was drawn by lot.", *_balance(results))
    return Table("baseline-table", "Who was in each arm", columns, tuple(shown), notes) if shown else None


def _balance(results: Results) -> Iterator[str]:
    """What the omnibus test is, and what it is not."""
    for one in results.of("balance"):
        if one.p_value is not None:
            yield (
                "As a check on fraud or error in the allocation, and not on chance, all of this was tested "
                f"together by drawing the arms again {count(one.draws)} times: {words.test_text(one)}."
            )


def likeness(results: Results, names: Names) -> Table | None:
    """How alike people of one cluster were, and what that did to the precision."""
    found = results.kind("variance-component")
    rows = [
        (
            Cell(names.outcome(one.outcome)),
            Cell(names.wave(one.at)),
            Cell(_component(one)),
            Cell(words.estimate_text(one, names), one.estimate, one.id),
            Cell(words.interval_text(one, names), finding=one.id),
        )
        for one in found
    ]
    columns = (
        Column("Outcome"),
        Column("When"),
        Column("Quantity"),
        Column("Value", True),
        Column("95% interval", True),
    )
    notes = (
        "A design effect of 2 means that twice as many people were needed as if each had been drawn alone.",
        *dict.fromkeys(warning for one in found for warning in one.warnings),
    )
    caption = "How alike people of one cluster were"
    return Table("likeness", caption, columns, tuple(rows), notes) if rows else None


def harms(results: Results, names: Names) -> Table | None:
    """Harms by arm over all randomised, described and never tested."""
    found = results.of("harms")
    rows = [
        (
            Cell(names.column(one.outcome or one.id.split(".")[1])),
            Cell(names.arm(one.arm)),
            Cell(count(one.estimate), one.estimate, one.id),
            Cell(
                count(sum(one.n_randomised.values() or one.n.values())) if one.n_randomised or one.n else "–"
            ),
        )
        for one in found
    ]
    columns = (Column("Event"), Column("Arm"), Column("People", True), Column("Of", True))
    return Table("harms-table", "Harms and unintended events", columns, tuple(rows)) if rows else None


def exclusions(results: Results, names: Names) -> Table | None:
    """Who was left out by the data review, with the reason, by arm where arms are known."""
    found = [one for one in results.of("exclusions") if one.level is not None]
    rows = [
        (Cell(one.level or ""), Cell(names.arm(one.arm)), Cell(count(one.estimate), one.estimate, one.id))
        for one in found
    ]
    columns = (Column("Reason"), Column("Arm"), Column("People", True))
    note = (
        "Decided without knowing the arms, before the data were sealed. Everybody is analysed as randomised; "
        "the sensitivity analyses show each result without those who were left out.",
    )
    caption = "Left out by the blinded data review"
    return Table("exclusions-table", caption, columns, tuple(rows), note) if rows else None


def reliability(results: Results, names: Names) -> Table | None:
    """Reliability of the scores in this study."""
    rows = [
        (
            Cell(names.outcome(one.outcome)),
            Cell(names.wave(one.at)),
            Cell((one.model or "alpha").partition(";")[0]),
            Cell(_reliable(one, names), one.estimate, one.id),
            Cell(span(one.interval, 2) if one.interval else "–", finding=one.id),
        )
        for one in results.of("reliability")
    ]
    columns = (
        Column("Outcome"),
        Column("When"),
        Column("Coefficient"),
        Column("Value", True),
        Column("95% interval", True),
    )
    notes = dict.fromkeys(
        f"{names.outcome(one.outcome)}, {names.wave(one.at)}: {warning}."
        for one in results.of("reliability")
        for warning in one.warnings
    )
    caption = "How consistently the scores measured"
    return Table("reliability-table", caption, columns, tuple(rows), tuple(notes)) if rows else None


def amendments(study: Study) -> Table | None:
    """Changes of the locked protocol, with what had been seen when they were made."""
    rows = [
        (
            Cell(facts.day(one.date)),
            Cell(_changed(study, one)),
            Cell(one.reason),
            Cell(one.by),
            Cell(one.data_seen + ("; results by arm had been seen" if one.after_unmasking else "")),
        )
        for one in study.amendments
    ]
    headings = ("Date", "Change", "Reason", "By", "What had been seen")
    if not rows:
        return None
    return Table("amendments", "Changes after the lock", tuple(Column(one) for one in headings), tuple(rows))


def _changed(study: Study, amendment: Amendment) -> str:
    """What an amendment changed; of one that ends data collection, what it called off as well."""
    if not amendment.stops:
        return "; ".join(amendment.changes) or "Change of the protocol"
    said = [change for change in amendment.changes if change != STOPPED]
    ended = called_off(study, amendment)
    return "; ".join(["Data collection stopped", *said, *([f"no longer sent: {ended}"] if ended else [])])


def not_planned(findings: Findings | None, names: Names) -> tuple[str, ...]:
    """The analyses that the locked protocol does not name."""
    found = dict.fromkeys(
        f"{names.analysis(one.analysis)}"
        for one in findings or ()
        if not one.planned and one.kind in ("effect", "test")
    )
    return tuple(found)


def provenance(findings: Findings, names: Names) -> Table:
    """Every finding: the row to which every number of the report leads."""
    rows = tuple(
        (
            Cell(one.id, finding=one.id),
            Cell(words.short(one, names) if one.kind != "test" else words.test_text(one), one.estimate),
            Cell(words.label_of(one) if one.kind in ("effect", "test", "bound") else one.kind),
            Cell(one.not_estimable or one.model or "count or description"),
        )
        for one in findings
    )
    columns = (Column("Finding"), Column("Value"), Column("Standing"), Column("How it was computed"))
    return Table("findings", "Every finding that this report draws on", columns, rows)


def _component(one: Finding) -> str:
    """An intracluster correlation, a design effect, or a variance that a model estimated."""
    if one.units == "correlation":
        return "Intracluster correlation"
    if one.units == "times":
        return "Design effect, planned" if one.id.endswith(".planned") else "Design effect, achieved"
    return f"Variance, {one.id.rpartition('.')[2]}"


def _reliable(one: Finding, names: Names) -> str:
    if one.kind == "rate" or one.estimate is None:
        return words.estimate_text(one, names)
    return number(one.estimate, 2)


def _titled(one: Finding, names: Names) -> str:
    unit = words.scale_of(one, names).unit
    part = {
        "joint": "joint test",
        "linear": "change per week",
        "interaction": "test of interaction",
        "linearity": "test of a straight line",
        "anderson-rubin": "Anderson-Rubin interval",
        "without-excluded": "without those left out",
        "allowing-for-looks": "allowing for the looks",
        "constant": "if the effect is constant",
        "by-exposure": "averaged over the time since the switch",
        "carry-over": "carried over to the next period",
        "closed-form": "of those measured in both periods",
        "imputation": "missing answers imputed",
        "response-weights": "weighted for those who did not answer",
        "weighted-as-randomised": "strata weighted by their people randomised",
        "average-over-clusters": "each cluster counted once",
        "average-over-people": "each person counted once",
    }.get(
        one.id.rpartition(".")[2],
        f"{names.level(one.by or '')} {names.level(one.level)}".strip() if one.level else "",
    )
    if one.id.endswith(".interaction") and one.kind == "effect" and one.by:
        part = f"interaction with {names.column(one.by).lower()}"
    if one.id.endswith(".shrunk"):
        level = f"{names.level(one.by or '')} {names.level(one.level)}, " if one.level else ""
        part = f"{level}drawn towards the average"
    if one.id.endswith(".other-texts"):
        part = f"for other texts of {names.level(one.id.split('.')[-2])} as well"
    return names.measured(one) + (f" ({unit})" if unit else "") + (f", {part}" if part else "")


def _baseline(one: Finding | None, names: Names) -> Cell:
    if one is None or one.estimate is None:
        return Cell("–")
    if one.kind == "rate":
        return Cell(percentage(one.estimate), one.estimate, one.id)
    printed = number(one.estimate, 1) + (f" ({number(one.sd, 1)})" if one.sd is not None else "")
    return Cell(printed, one.estimate, one.id)


def _difference(one: Finding | None) -> Cell:
    if one is None or one.standardised is None:
        return Cell("–")
    return Cell(number(one.standardised.estimate, 2), one.standardised.estimate, one.id)
