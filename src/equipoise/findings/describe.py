"""What the data hold, described and never tested: the flow of people, response, the arms before, outcomes by arm, harms.

Counts by arm are of everybody randomised. A study without arms has the same findings without arms.
"""

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from equipoise.allocation.balance import balance_table
from equipoise.estimation.proportions import rate, rate_contrast
from equipoise.findings.data import StudyData
from equipoise.findings.ratings import ratings_with_people
from equipoise.findings.results import Finding, Interval, Standardised
from equipoise.protocol.contrasts import parse_contrast
from equipoise.protocol.factors import contrast_factors, default_factor, questions
from equipoise.protocol.folder import Study
from equipoise.protocol.models.protocol import Protocol

__all__ = ["descriptions"]

Bools = npt.NDArray[np.bool_]
LEVEL = 0.95
FEWEST = 10  # a share or a mean of fewer people is not printed (evidence: small numbers)
_WITHHELD = f"withheld: fewer than {FEWEST} people"


def descriptions(study: Study, data: StudyData) -> Iterator[Finding]:
    """Every description, in the order in which a report tells them."""
    arms = _Arms(study.protocol, data)
    yield from _flow(study, data, arms)
    yield from _response(study, data, arms)
    yield from _baseline(study, data, arms)
    yield from _outcomes(study, data, arms)
    yield from _ratings(study, data)
    yield from _questions(study, data, arms)
    yield from _harms(study, data, arms)


class _Arms:
    """The arms of the main stage and who is in each; one nameless arm for a study without."""

    def __init__(self, protocol: Protocol, data: StudyData) -> None:
        self.names: list[str | None] = [None]
        self.members: dict[str | None, Bools] = {None: np.ones(data.participants.height, dtype=bool)}
        if protocol.allocation:
            column = data.participants[protocol.arm_column(protocol.main_stage)].to_numpy()
            self.names += list(protocol.arms)
            self.members |= {arm: column == arm for arm in protocol.arms}

    def of_arm(self) -> list[str | None]:
        """The arms, or the nameless one where there are none."""
        return self.names[1:] or self.names

    def id(self, stem: str, arm: str | None) -> str:
        return stem if arm is None else f"{stem}.{arm}"


def _flow(study: Study, data: StudyData, arms: _Arms) -> Iterator[Finding]:
    first = "randomised" if study.protocol.allocation else "enrolled"
    steps: dict[str, Bools] = {first: np.ones(data.participants.height, dtype=bool)}
    for contact in study.protocol.contacts:
        if data.has(f"sent_{contact}"):
            steps[f"sent_{contact}"] = _happened(data.participants[f"sent_{contact}"])
    for wave in study.protocol.waves:
        if (answered := _answered(study, data, wave)) is not None:
            steps[f"answered_{wave}"] = answered
    for step, rows in steps.items():
        yield from _counts(f"flow.{step}", "flow", step, rows, arms)
    for name, outcome in study.protocol.outcomes.items():
        for wave in outcome.waves or ("",):
            column = study.protocol.frame_column(name, wave or None)
            if outcome.task is None and data.has(column):
                rows = ~np.isnan(data.numbers(column))
                stem = f"flow.analysed.{name}" if len(outcome.waves) < 2 else f"flow.analysed.{name}.{wave}"
                yield from _counts(stem, "flow", f"analysed.{name}", rows, arms)


def _counts(stem: str, analysis: str, outcome: str, rows: Bools, arms: _Arms) -> Iterator[Finding]:
    for arm in arms.names:
        count = int((rows & arms.members[arm]).sum())
        yield Finding(
            id=arms.id(stem, arm), analysis=analysis, kind="count", outcome=outcome, arm=arm, estimate=float(count)
        )


def _happened(column: pl.Series) -> Bools:
    found = column if column.dtype == pl.Boolean else column.is_not_null()
    return found.fill_null(False).to_numpy().astype(bool)


def _answered(study: Study, data: StudyData, wave: str) -> Bools | None:
    """Who answered a wave: as the data say, else whoever has an outcome of it; None where the data cannot say."""
    if data.has(f"answered_{wave}"):
        return _happened(data.participants[f"answered_{wave}"])
    if wave in data.answers:
        return data.participants[data.identifier].is_in(data.answers[wave][data.identifier].implode()).to_numpy()
    columns = {study.protocol.frame_column(name, wave) for name in study.protocol.outcomes} | {
        f"{name}_{wave}" for name in study.protocol.outcomes
    }
    found = [~np.isnan(data.numbers(column)) for column in sorted(columns)
             if data.has(column) and column != "" and _of_wave(study, column, wave)]  # fmt: skip
    return np.logical_or.reduce(found) if found else None


def _of_wave(study: Study, column: str, wave: str) -> bool:
    outcome = study.protocol.outcomes.get(column)
    return outcome is None or outcome.waves == (wave,)


def _response(study: Study, data: StudyData, arms: _Arms) -> Iterator[Finding]:
    for wave in study.protocol.waves:
        answered = _answered(study, data, wave)
        if answered is None:
            continue
        for arm in arms.names:
            members = arms.members[arm]
            yield _rate(f"response.{wave}", "response", wave, answered, members, arms, arm)
        for text in _arm_contrasts(study):
            contrast = parse_contrast(text, contrast_factors(study.protocol, {}), default_factor(study.protocol))
            names = [arm for arm in arms.names if arm is not None]
            counts = [int((answered & arms.members[arm]).sum()) for arm in names]
            totals = [int(arms.members[arm].sum()) for arm in names]
            found = rate_contrast(counts, totals, [float(weight) for weight in contrast.weights(names)], LEVEL)
            yield Finding(
                id=f"response.{wave}.{text}",
                analysis="response",
                kind="effect",
                outcome=wave,
                contrast=text,
                estimate=found.estimate,
                interval=Interval(level=LEVEL, low=found.interval.low, high=found.interval.high),
                model="difference in the share that answered; Newcombe's interval",
            )


def _arm_contrasts(study: Study) -> list[str]:
    """The contrasts of the main stage's arms that the plan names."""
    factor = default_factor(study.protocol)
    found = []
    for analysis in study.protocol.analyses.values():
        for text in analysis.contrast:
            contrast = parse_contrast(text, contrast_factors(study.protocol, study.vignettes), factor)
            if contrast.supported and contrast.factors == (factor,):
                found.append(text)
    return list(dict.fromkeys(found))


def _rate(
    stem: str, analysis: str, outcome: str, rows: Bools, members: Bools, arms: _Arms, arm: str | None
) -> Finding:
    total, count = int(members.sum()), int((rows & members).sum())
    base = Finding(
        id=arms.id(stem, arm),
        analysis=analysis,
        kind="rate",
        outcome=outcome,
        arm=arm,
        n={arm or "all": total},
        model="share; Wilson's interval",
    )
    if total < FEWEST:
        return base.model_copy(update={"not_estimable": _WITHHELD})
    found = rate(count, total, LEVEL)
    interval = Interval(level=LEVEL, low=found.interval.low, high=found.interval.high)
    return base.model_copy(update={"estimate": found.rate, "interval": interval})


def _baseline(study: Study, data: StudyData, arms: _Arms) -> Iterator[Finding]:
    covariates = _covariates(study, data)
    if not study.protocol.allocation or not covariates:
        return
    column = data.participants[study.protocol.arm_column(study.protocol.main_stage)].to_list()
    reference = next(iter(study.protocol.arms))
    kept = [place for place, arm in enumerate(column) if arm is not None]
    chosen = {name: _at(values, kept) for name, values in covariates.items()}
    for row in balance_table([column[place] for place in kept], chosen, reference=reference):
        stem = f"baseline.{row.covariate}" + ("" if row.level is None else f"={row.level}")
        withheld = _WITHHELD if row.n < FEWEST else None
        yield Finding(
            id=f"{stem}.{row.arm}",
            analysis="baseline",
            kind="mean" if row.level is None else "rate",
            outcome=row.covariate,
            level=row.level,
            arm=row.arm,
            n={row.arm: row.n},
            n_missing={row.arm: row.missing},
            estimate=None if withheld else (row.mean if row.level is None else row.share),
            sd=None if withheld or row.level is not None else row.sd,
            not_estimable=withheld,
        )
        if row.arm != reference and not withheld and np.isfinite(row.difference):
            yield Finding(
                id=f"{stem}.{row.arm} - {reference}",
                analysis="baseline",
                kind="effect",
                outcome=row.covariate,
                level=row.level,
                contrast=f"{row.arm} - {reference}",
                standardised=Standardised(estimate=row.difference, sd=1.0, sd_source="both arms, before allocation"),
                model="standardised difference; described, not tested",
            )


def _at(values: npt.NDArray[np.float64] | list[str | None], rows: list[int]) -> object:
    return values[rows] if isinstance(values, np.ndarray) else [values[row] for row in rows]


def _covariates(study: Study, data: StudyData) -> dict[str, object]:
    """Roster columns that are not dates or contacts, then scores from before the allocation."""
    protocol = study.protocol
    found: dict[str, object] = {}
    for name, column in (protocol.participants.roster if protocol.participants else {}).items():
        if column.role != "attribute" or not data.has(name):
            continue
        if column.type in ("integer", "number"):
            found[name] = data.numbers(name)
        elif column.type in ("category", "yes-no") and data.participants[name].n_unique() <= 20:
            found[name] = data.participants[name].cast(pl.String).to_list()
    from equipoise.protocol.timeline import waves_before

    for wave, name in product(waves_before(protocol, protocol.main_stage), protocol.outcomes):
        if data.has(f"{name}_{wave}"):
            found[f"{name}_{wave}"] = data.numbers(f"{name}_{wave}")
    return found


def _outcomes(study: Study, data: StudyData, arms: _Arms) -> Iterator[Finding]:
    for name, outcome in study.protocol.outcomes.items():
        if outcome.task is not None:
            continue
        for wave in dict.fromkeys((*study.protocol.waves, "")):
            column = study.protocol.frame_column(name, wave or None)
            if not data.has(column) or (wave == "" and outcome.waves) or (wave and not _of_wave_or_named(column, name, wave, outcome.waves)):
                continue
            values = data.numbers(column)
            stem = ".".join(part for part in ("description", name, wave) if part)
            for arm in arms.names:
                rows = arms.members[arm] & ~np.isnan(values)
                if outcome.scale == "yes-no":
                    finding = _rate(stem, "description", name, values == 1.0, rows, arms, arm)
                else:
                    finding = _mean(stem, name, values[rows], arms, arm)
                yield finding.model_copy(update={"at": wave or None, "units": outcome.unit})


def _of_wave_or_named(column: str, name: str, wave: str, waves: tuple[str, ...]) -> bool:
    return column != name or waves == (wave,)


def _mean(stem: str, outcome: str, values: npt.NDArray[np.float64], arms: _Arms, arm: str | None) -> Finding:
    n = len(values)
    base = Finding(
        id=arms.id(stem, arm),
        analysis="description",
        kind="mean",
        outcome=outcome,
        arm=arm,
        n={arm or "all": n},
        model="mean; t interval",
    )
    if n < FEWEST:
        return base.model_copy(update={"not_estimable": _WITHHELD})
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    reach = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * sd / np.sqrt(n)
    interval = Interval(level=LEVEL, low=mean - reach, high=mean + reach)
    return base.model_copy(update={"estimate": mean, "sd": sd, "std_error": sd / n**0.5, "interval": interval})


def _ratings(study: Study, data: StudyData) -> Iterator[Finding]:
    """Each rated outcome by way of presenting and attribute, errors as if ratings were people (clusters in effects)."""
    for name, outcome in study.protocol.outcomes.items():
        if outcome.task is None or outcome.task not in data.ratings:
            continue
        task = study.protocol.tasks[outcome.task]
        vignette = study.vignettes[task.vignette]
        ratings = ratings_with_people(study, data, outcome.task)
        values = ratings[str(outcome.question)].cast(pl.Float64).to_numpy().astype(np.float64)
        ways = {task.present_as: tuple(task.present)} if task.present else {}
        for attribute, spec in vignette.attributes.items():
            levels = {**ways, attribute: tuple(spec.levels)}
            yield from _by_levels(name, outcome.scale, ratings, values, levels, data.identifier)
        if ways:
            yield from _by_levels(name, outcome.scale, ratings, values, ways, data.identifier)


def _by_levels(
    name: str, scale: str, ratings: pl.DataFrame, values: npt.NDArray[np.float64],
    levels: Mapping[str, tuple[str, ...]], identifier: str,
) -> Iterator[Finding]:  # fmt: skip
    from equipoise.estimation.linear import fit_linear

    for cell in product(*levels.values()):
        rows = ~np.isnan(values)
        for factor, level in zip(levels, cell, strict=True):
            rows &= ratings[factor].to_numpy() == level
        stem = ".".join(["description", name, *(f"{f}={v}" for f, v in zip(levels, cell, strict=True))])
        base = Finding(
            id=stem,
            analysis="description",
            kind="rate" if scale == "yes-no" else "mean",
            outcome=name,
            by=" x ".join(levels),
            level=", ".join(cell),
            n={"ratings": int(rows.sum())},
            model="mean over ratings; interval with errors clustered by participant (CR2)",
        )
        people = ratings.filter(pl.Series(rows))[identifier].n_unique()
        if people < FEWEST:
            yield base.model_copy(update={"not_estimable": _WITHHELD})
            continue
        if np.ptp(values[rows]) == 0:
            yield base.model_copy(update={"estimate": float(values[rows][0])})
            continue
        who = ratings[identifier].to_numpy()[rows]
        fit = fit_linear(values[rows], np.ones((int(rows.sum()), 1)), variance="CR2", cluster=who)
        found = fit.contrast([1.0], LEVEL)
        interval = Interval(level=LEVEL, low=found.interval.low, high=found.interval.high)
        sd = float(values[rows].std(ddof=1))
        yield base.model_copy(
            update={"estimate": found.estimate, "std_error": found.std_error, "sd": sd, "interval": interval}
        )


def _questions(study: Study, data: StudyData, arms: _Arms) -> Iterator[Finding]:
    """Shares of the answers to questions of choice that are no outcome."""
    used = {str(outcome.question).rpartition(".")[2] for outcome in study.protocol.outcomes.values()}
    for wave, table in data.answers.items():
        survey = study.surveys[study.protocol.waves[wave].survey]
        for question in questions(survey):
            if question.id is None or question.id in used or question.id not in table.columns:
                continue
            levels = list(question.options) if question.type == "single" else ["yes"]
            if question.type not in ("single", "yes-no"):
                continue
            joined = data.participants.select(data.identifier).join(
                table.select(data.identifier, question.id), on=data.identifier, how="left", maintain_order="left"
            )
            answers = joined[question.id].cast(pl.String)
            given = answers.is_not_null().to_numpy()
            for level, arm in product(levels, arms.of_arm()):
                wanted = "true" if question.type == "yes-no" else level
                rows = (answers == wanted).fill_null(False).to_numpy()
                stem = f"answers.{question.id}={level}.{wave}"
                finding = _rate(stem, "answers", question.id, rows, given & arms.members[arm], arms, arm)
                yield finding.model_copy(update={"level": level, "at": wave})


def _harms(study: Study, data: StudyData, arms: _Arms) -> Iterator[Finding]:
    for harm in study.protocol.harms:
        if data.has(harm):
            yield from _counts(f"harms.{harm}", "harms", harm, _happened(data.participants[harm]), arms)
