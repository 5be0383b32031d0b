"""What is missing, and what it could change: response by arm and by kind of people, events, bounds."""

from equipoise.findings.results import Finding
from equipoise.report import words
from equipoise.report.names import Names
from equipoise.report.numbers import count, number, p_value
from equipoise.report.results import Results
from equipoise.report.tables import Cell, Column, Table

__all__ = ["bounds", "characteristics", "events", "response"]

_TIPPING = "shift in the mean of those who did not answer that would undo the conclusion"
_IMPUTED_TIPPING = "shift of what was imputed for them that would undo the conclusion"
_ALLOWING = "the same, allowing for chance as well"
_MANSKI = "whatever those who did not answer would have said"
_LEE = "assuming the arm moves response one way only"
_STRATUM = "nobody is seen in both arms; assuming the arm moves the event one way only"
_ANY_DIRECTION = "the arm may cause the event in some and prevent it in others"

_KINDS = {
    ".lee.": ("Lee bounds for people who would answer under either arm", _LEE),
    ".any-direction.": (
        "Bounds for people to whom the event would happen in neither arm, in any direction",
        _ANY_DIRECTION,
    ),
    ".principal-stratum.": ("Bounds for people to whom the event would happen in neither arm", _STRATUM),
    ".": ("Bounds for everybody randomised", _MANSKI),
}
"""What a bound is and what it means, by a part of its id."""


def response(results: Results, names: Names) -> Table | None:
    """Response by wave and arm, with the difference between the arms and its test."""
    rows = []
    for one in results.of("response"):
        # `response.WAVE.ARM`: the wave stands in the id where `at` was left out.
        wave = one.at or [*one.id.split("."), ""][1]
        whose = names.contrast(one) if one.contrast else names.arm(one.arm)
        rows.append(
            (
                Cell(names.wave(wave)),
                Cell(whose),
                Cell(words.n_text(one, names)),
                Cell(words.estimate_text(one, names), one.estimate, one.id),
                Cell(words.interval_text(one, names), finding=one.id),
                Cell(words.test_text(one) if one.contrast else "–", one.p_value, one.id),
            )
        )
    columns = (
        Column("Survey"),
        Column("Arm or difference"),
        Column("Number"),
        Column("Answered", True),
        Column("95% interval", True),
        Column("Test", True),
    )
    note = ("Rates are shares of those randomised; differences are in percentage points.",)
    return Table("response", "Who answered, by arm", columns, tuple(rows), note) if rows else None


def characteristics(results: Results, names: Names) -> Table | None:
    """How the arms differ among those who answered, and whether the arm moves some people's response more."""
    found = results.of("attrition")
    tests = {(one.at, one.outcome): one for one in found if one.kind == "test"}
    rows = [
        (
            Cell(names.wave(one.at)),
            Cell(_characteristic(one, names)),
            Cell(names.contrast(one)),
            Cell(number(one.standardised.estimate, 2), one.standardised.estimate, one.id),
            _tested(tests.get((one.at, one.outcome)), first=_is_first(one, found)),
        )
        for one in found
        if one.standardised is not None
    ]
    rows += [
        (Cell(names.wave(one.at)), Cell("All together"), Cell(""), Cell("–"), _tested(one, first=True))
        for one in tests.values()
        if one.outcome is None
    ]
    columns = (
        Column("Survey"),
        Column("Before allocation"),
        Column("Arms"),
        Column("Standardised difference", True),
        Column("Arm by characteristic", True),
    )
    notes = (
        "Differences are among those who answered. The test is whether response depends on the "
        "characteristic in one arm as in another; of twenty such tests one is expected below 0.05 by chance.",
    )
    caption = "Those who answered, by arm and what was known before"
    return Table("attrition", caption, columns, tuple(rows), notes) if rows else None


def events(results: Results, names: Names) -> Table | None:
    """Not answering, and apart from it the events after the allocation, by arm."""
    found = results.of("events")
    arms = list(dict.fromkeys(one.arm for one in found if one.arm is not None))
    counted: dict[str, dict[str | None, Finding]] = {}
    for one in found:
        counted.setdefault(str(one.outcome), {})[one.arm] = one
    rows = [
        (Cell(_happened(name, names)), *(_count(by_arm.get(arm)) for arm in (*arms, None)))
        for name, by_arm in counted.items()
    ]
    columns = (
        Column("After allocation"),
        *(Column(names.arm(arm), True) for arm in arms),
        Column("Total", True),
    )
    notes = (
        "Not answering is missing data. Events are what the estimand deals with; it says for each what is "
        "done about the answers of people to whom it happened.",
    )
    caption = "Missing answers and events after allocation"
    return Table("events", caption, columns, tuple(rows), notes) if rows else None


def bounds(results: Results, names: Names) -> Table | None:
    """Bounds for everybody randomised, Lee's bounds, and tipping points."""
    rows = []
    for one in results.bounds:
        what, value, means = _bound(one, names)
        outcome = names.outcome(one.outcome) + names.whose(one, results.bounds)
        rows.append((Cell(outcome), Cell(what), Cell(value, one.estimate, one.id), Cell(means)))
    columns = (Column("Outcome"), Column("Check"), Column("Value", True), Column("What it means"))
    notes = tuple(
        dict.fromkeys(
            f"{names.outcome(one.outcome)}: {told}" for one in results.bounds for told in one.warnings
        )
    )
    return Table("bounds", "What missing answers could change", columns, tuple(rows), notes) if rows else None


def _bound(one: Finding, names: Names) -> tuple[str, str, str]:
    """What a bound is, its value, and what it means."""
    if ".tipping-point" in one.id:
        imputed = ".imputation." in one.id
        what = "Tipping point by imputation" if imputed else "Tipping point"
        unit = " log-odds" if one.units == "log-odds" else ""
        value = "none within the range" if one.estimate is None else _shift(one, names) + unit
        whose = names.arm(one.arm or one.id.rpartition(".")[2])
        return f"{what}, {whose}", value, _IMPUTED_TIPPING if imputed else _TIPPING
    value = words.interval_text(one, names) if one.interval else f"not estimable: {one.not_estimable}"
    what, means = next(said for part, said in _KINDS.items() if part in f"{one.id}.")
    if one.id.endswith(".interval"):
        level = one.interval.level if one.interval else None
        return f"{what}, {level or 0.95:.0%} interval", value, _ALLOWING
    return what, value, means


def _shift(one: Finding, names: Names) -> str:
    return number(one.estimate, 2) if one.units == "log-odds" else words.estimate_text(one, names)


def _characteristic(one: Finding, names: Names) -> str:
    label = names.column(one.outcome or "")
    return f"{label}: {names.level(one.level)}" if one.level else label


def _is_first(one: Finding, found: list[Finding]) -> bool:
    """Whether a row is the first of its characteristic at its wave, which is where the test stands."""
    same = (each for each in found if (each.at, each.outcome) == (one.at, one.outcome))
    return next(same, one) is one


def _tested(one: Finding | None, *, first: bool) -> Cell:
    if one is None or not first:
        return Cell("")
    return Cell(p_value(one.p_value) if one.p_value is not None else "not estimable", one.p_value, one.id)


def _happened(name: str, names: Names) -> str:
    """`unanswered_after`, `left_employer`, `left_employer.answered_after` in words."""
    event, _, answered = name.partition(".answered_")
    if answered:
        return f"{names.column(event)}, of whom answered {names.wave(answered)}"
    if name.startswith("unanswered_"):
        return f"Did not answer: {names.wave(name.removeprefix('unanswered_'))}"
    return f"Event: {names.column(name)}"


def _count(one: Finding | None) -> Cell:
    return Cell("–") if one is None else Cell(count(one.estimate), one.estimate, one.id)
