"""A result in one sentence, chosen by the decision and the margin and never by taste.

Words follow the locked decision; where the unadjusted interval seems to say more than the decision, the
sentence says
that it does. A difference that may be nil is described by its interval and by what it rules out.
"""

from equipoise.findings.results import Finding
from equipoise.protocol.checks.analyses import DOSE, WAVE, WEEK_SINCE_LAUNCH
from equipoise.report.names import Names
from equipoise.report.numbers import Scale, count, decimals, number, p_value, percentage, span, spread

__all__ = [
    "SECOND_GENERATION",
    "estimate_text",
    "interval_text",
    "is_clear",
    "label_of",
    "level_text",
    "n_text",
    "scale_of",
    "sentence",
    "short",
    "standardised_text",
    "test_text",
]

SECOND_GENERATION = (
    "The second-generation p is the share of the interval inside the margin (Blume and others, 2018): 0 "
    "where the data fit only effects that matter, 1 where they fit only others, between where they "
    "cannot tell."
)
_SHRUNK = ", drawn towards the average of the effects of this analysis"


def label_of(finding: Finding) -> str:
    """Tier and standing: `Primary`, `Exploratory, planned`, `Not planned`."""
    if not finding.planned:
        return "Not planned"
    return "Exploratory, planned" if finding.tier == "exploratory" else finding.tier.capitalize()


def estimate_text(finding: Finding, names: Names) -> str:
    """The estimate alone, without its unit: `0.35`; counts whole, rates in per cent."""
    if finding.estimate is None:
        return "–" if finding.kind == "test" or not finding.not_estimable else _why_not(finding)
    if finding.kind == "count":
        return count(finding.estimate)
    if _is_share(finding):
        return percentage(finding.estimate, decimals(spread(finding), 100))
    scale = scale_of(finding, names)
    return number(finding.estimate * scale.factor, decimals(spread(finding), scale.factor))


def interval_text(finding: Finding, names: Names) -> str:
    """The interval alone: `0.10 to 0.60`, in the unit of the estimate."""
    if finding.interval is None:
        return "–"
    if _is_share(finding):
        return span(finding.interval, decimals(spread(finding), 100), 100) + "%"
    scale = scale_of(finding, names)
    return span(finding.interval, decimals(spread(finding), scale.factor), scale.factor)


def short(finding: Finding, names: Names) -> str:
    """`0.35 (95% interval 0.10 to 0.60)`; a count or a rate without interval stands alone."""
    if finding.estimate is None and finding.interval is not None:
        return interval_text(finding, names)
    if finding.interval is None or finding.estimate is None:
        return estimate_text(finding, names)
    return f"{estimate_text(finding, names)} ({_interval_name(finding)} {interval_text(finding, names)})"


def n_text(finding: Finding, names: Names) -> str:
    """The people analysed, by arm where arms are known."""
    if not finding.n:
        return "–"
    if len(finding.n) == 1:
        return count(next(iter(finding.n.values())))
    return ", ".join(f"{names.arm(arm)} {count(n)}" for arm, n in finding.n.items())


def standardised_text(finding: Finding) -> str:
    """The effect in standard deviations, with its interval."""
    found = finding.standardised
    if found is None:
        return "–"
    places = decimals(found.std_error)
    printed = number(found.estimate, places)
    return printed if found.interval is None else f"{printed} ({span(found.interval, places)})"


def sentence(finding: Finding, names: Names) -> str:
    """The whole worded sentence for any finding; for effects as decided by test, margin and standing."""
    if finding.kind == "bound" and finding.interval is not None:
        meant = (finding.model or "bounds").partition(";")[0]
        return f"{_standing(finding)}{_subject(finding, names)}: {interval_text(finding, names)} ({meant})."
    if finding.not_estimable or finding.estimate is None:
        reason = finding.not_estimable or "no estimate was made"
        return f"{_standing(finding)}{_subject(finding, names)} could not be estimated: {reason}."
    interaction = finding.id.endswith(".interaction")
    if finding.by is not None and finding.kind in ("effect", "mean") and not interaction:
        subject, point = _subject(finding, names), level_text(finding, names)
        return f"{_standing(finding)}{subject}, {point}: {short(finding, names)}{_described(finding)}."
    if finding.kind != "effect":
        return f"{_standing(finding)}{_subject(finding, names)}: {short(finding, names)}."
    body = _effect(finding, names)
    body += _whose_effect(finding, names)
    standing = _standing(finding)
    return standing + (body[0].lower() + body[1:] if standing and not body[1:2].isupper() else body) + "."


def level_text(finding: Finding, names: Names) -> str:
    """Which point of a series a finding is, or what it says of the whole of it."""
    by, level = str(finding.by), finding.level
    column = names.column(by).lower()
    if level is None:
        if not finding.id.endswith(".linear"):
            return f"by {column}"
        return "change per week" if by in (WAVE, WEEK_SINCE_LAUNCH) else f"change for each unit of {column}"
    if by == WAVE:
        return names.wave(level)
    return f"week {level}" if by == WEEK_SINCE_LAUNCH else f"{column} {names.level(level)}"


def _described(finding: Finding) -> str:
    """What the sentence has to say where people chose their place in a series themselves, or of shrinkage."""
    if finding.id.endswith(".shrunk"):
        return _SHRUNK
    if finding.by == WEEK_SINCE_LAUNCH:
        return "; weeks compare different people, since when a person answers is chosen after allocation"
    if finding.by == DOSE:
        return "; doses compare different people, since how much they took is chosen after allocation"
    return ""


def _whose_effect(finding: Finding, names: Names) -> str:
    """Of an effect in those who took something up: what it assumes, or that lots did not make it.

    Of an effect that was shrunk, that it was.
    """
    if finding.id.endswith(".shrunk"):
        return _SHRUNK
    analysis = names.protocol.analyses.get(finding.analysis) or names.explore.get(finding.analysis)
    if analysis is None or (analysis.target != "complier" and analysis.kind != "per-protocol"):
        return ""
    taken = names.level(str(analysis.take_up))
    if analysis.target == "complier":
        return f"; in those whose {taken} follows their arm, assuming: {analysis.assumption}"
    return f"; among those who followed their arm by {taken}, who were not chosen by lot"


def _effect(finding: Finding, names: Names) -> str:
    if finding.by is not None and finding.id.endswith(".interaction"):
        return _interaction(finding, names)
    return _clear(finding, names) if is_clear(finding) else _unclear(finding, names)


def _interaction(finding: Finding, names: Names) -> str:
    """Whether an effect differs between levels: the interval of the difference, never two p-values."""
    by = names.column(finding.by or "").lower()
    if "for each unit" in (finding.model or ""):
        by += ", for each unit,"
    if is_clear(finding):
        return f"{_subject(finding, names)}: the effect differs with {by} by {short(finding, names)}"
    return (
        f"{_subject(finding, names)}: the data do not settle whether the effect differs with {by} "
        f"(difference of the effects {short(finding, names)})"
    )


def scale_of(finding: Finding, names: Names) -> Scale:
    """The unit in which a finding is printed."""
    if finding.analysis == "response":
        return Scale(100, "percentage points")
    if finding.kind == "ratio":
        return Scale()
    if finding.kind == "variance-component":
        return Scale(1, "")
    return names.scale(finding.outcome, difference=finding.kind in ("effect", "bound"))


def _why_not(finding: Finding) -> str:
    return "withheld" if str(finding.not_estimable).startswith("withheld") else "not estimable"


def _is_share(finding: Finding) -> bool:
    return finding.kind == "rate" or (finding.kind == "progression" and (finding.units or "share") == "share")


def _standing(finding: Finding) -> str:
    if not finding.planned:
        return "Not planned: "
    return "Exploratory: " if finding.tier == "exploratory" else ""


def _interval_name(finding: Finding) -> str:
    if finding.interval is None or finding.interval.level is None:
        return "bounds"
    return f"{finding.interval.level * 100:g}% interval"


def _subject(finding: Finding, names: Names) -> str:
    name = names.measured(finding) if finding.outcome else finding.id
    if finding.contrast:
        return f"{name}, {names.contrast(finding)}"
    return f"{name}, {names.arm(finding.arm)}" if finding.arm else name


def _excludes_zero(finding: Finding) -> bool:
    interval = finding.interval
    if interval is None or interval.low is None or interval.high is None:
        return False
    return interval.low > 0 or interval.high < 0


def is_clear(finding: Finding) -> bool:
    if finding.decision == "none":
        return _excludes_zero(finding)
    return finding.decision == "rejected"


def _clear(finding: Finding, names: Names) -> str:
    return f"{_difference(finding, names)}{_size(finding)}"


def _difference(finding: Finding, names: Names) -> str:
    scale = scale_of(finding, names)
    estimate = finding.estimate or 0.0
    amount = scale.with_unit(number(abs(estimate) * scale.factor, decimals(spread(finding), scale.factor)))
    signed = "" if estimate >= 0 else f"difference {estimate_text(finding, names)}; "
    interval = f"({signed}{_interval_name(finding)} {interval_text(finding, names)})"
    direction = "higher" if estimate >= 0 else "lower"
    sides = names.sides(finding.contrast)
    if sides is None:
        signed_amount = scale.with_unit(estimate_text(finding, names))
        return f"{_subject(finding, names)}: the estimate is {signed_amount} ({_interval_name(finding)} " + (
            f"{interval_text(finding, names)})"
        )
    better = _better(finding, estimate)
    return (
        f"{_what(finding, names)} was {amount} {direction}{better} with {sides[0]} than with "
        f"{sides[1]} {interval}"
    )


def _what(finding: Finding, names: Names) -> str:
    name = names.measured(finding)
    return f"{name}: the share" if scale_of(finding, names).factor == 100 else name


def _better(finding: Finding, estimate: float) -> str:
    if finding.good not in ("high", "low"):
        return ""
    return " (better)" if (estimate >= 0) == (finding.good == "high") else " (worse)"


def _size(finding: Finding) -> str:
    interval, margin = finding.interval, finding.margin
    if margin is None or interval is None or interval.low is None or interval.high is None:
        return ""
    if interval.low >= margin or interval.high <= -margin:
        return ", a difference large enough to matter by the margin set in advance"
    if -margin < interval.low and interval.high < margin:
        return ", a difference, smaller than what was said to matter"
    return "; it may or may not be large enough to matter"


_NOT_TESTED = (
    "not tested, because an earlier step of the planned order was not passed; the interval is not adjusted"
)


def _unclear(finding: Finding, names: Names) -> str:
    if _excludes_zero(finding):
        reason = _NOT_TESTED if finding.decision == "not-tested" else f"unclear {_allowed_for(finding)}"
        return f"{_difference(finding, names)}, {reason}"
    return f"{_ruled_out(finding, names)}{_not_reached(finding)}"


def _allowed_for(finding: Finding) -> str:
    """What the decision allows for and the interval does not."""
    together = finding.tested_together
    if together is None or together > 1:
        results = "all results tested" if together is None else f"{together} results tested together"
        return f"after allowing for {results}; the interval is not adjusted for them"
    if finding.p_adjusted is not None:
        return "after allowing for the declared looks; the interval is not adjusted for them"
    return "by the planned test, which the interval does not follow exactly"


def _not_reached(finding: Finding) -> str:
    if finding.decision != "not-tested":
        return ""
    return f"; {_NOT_TESTED}"


def _ruled_out(finding: Finding, names: Names) -> str:
    interval, margin = finding.interval, finding.margin
    name, values = _subject(finding, names), f"({_printed(finding, names)})"
    if interval is None or interval.low is None or interval.high is None:
        return f"{name}: the estimate is {estimate_text(finding, names)}, without an interval"
    inside_low = margin is not None and interval.low > -margin
    inside_high = margin is not None and interval.high < margin
    if not (inside_low or inside_high):
        return f"{name}: {_cannot_tell(finding, names)}"
    if inside_low and inside_high:
        return (
            f"{name}: among those who answered, not compatible with a difference large enough to "
            f"matter {values}"
        )
    ruled, open_ = _sides_of_margin(finding, inside_low)
    amount = _margin_text(finding, names)
    return (
        f"{name}: the data rule out {ruled} of {amount} or more and cannot rule out {open_} "
        f"that large {values}"
    )


def _cannot_tell(finding: Finding, names: Names) -> str:
    compatible = scale_of(finding, names).with_unit(interval_text(finding, names))
    return (
        f"the data cannot tell; they are most compatible with values from {compatible}, given "
        "the assumptions named "
        f"(estimate {estimate_text(finding, names)}, {_interval_name(finding)}){_outside(finding, names)}"
    )


def _outside(finding: Finding, names: Names) -> str:
    """What the interval rules out, where no margin says which effects matter."""
    interval = finding.interval
    if finding.margin is not None or interval is None or interval.low is None or interval.high is None:
        return ""
    scale = scale_of(finding, names)
    places = decimals(spread(finding), scale.factor)
    low, high = (number(end * scale.factor, places) for end in (interval.low, interval.high))
    return f"; they rule out values below {low} and above {high}, and no smallest effect of interest was set"


def _sides_of_margin(finding: Finding, inside_low: bool) -> tuple[str, str]:
    below, above = "a decrease", "an increase"
    if finding.good == "high":
        below, above = "a worsening", "an improvement"
    elif finding.good == "low":
        below, above = "an improvement", "a worsening"
    return (below, above) if inside_low else (above, below)


def _printed(finding: Finding, names: Names) -> str:
    scale = scale_of(finding, names)
    estimate = scale.with_unit(estimate_text(finding, names))
    return f"estimate {estimate}, {_interval_name(finding)} {interval_text(finding, names)}"


def _margin_text(finding: Finding, names: Names) -> str:
    scale = scale_of(finding, names)
    return scale.with_unit(f"{(finding.margin or 0) * scale.factor:g}")


def _share_inside(share: float) -> str:
    """To two places; 0 and 1 only where they are meant, since each says that nothing is on the other side."""
    return number(share if share in (0.0, 1.0) else min(0.99, max(0.01, share)), 2)


def test_text(finding: Finding) -> str:
    """The p-value as printed in tables, with its error where it was drawn, and the adjusted one."""
    printed = p_value(finding.p_value)
    if finding.mc_error:
        printed += f" (Monte-Carlo error {finding.mc_error:.1g})"
    if finding.p_adjusted is not None and finding.p_adjusted != finding.p_value:
        printed += f"; adjusted {p_value(finding.p_adjusted)}"
    if finding.second_generation is not None:
        printed += f"; second-generation p {_share_inside(finding.second_generation)}"
    return printed
