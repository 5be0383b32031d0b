"""Outcomes by arm, ratings by level of what was drawn, and answers to questions that are no outcome."""

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import polars as pl

from equipoise.estimation.effects.ratings import marginal_means
from equipoise.findings.describe.arms import FEWEST, LEVEL, WITHHELD, Arms, mean_of, share_of
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding, Interval
from equipoise.findings.sampling.rated import ratings_with_people
from equipoise.instruments.scoring import Floats
from equipoise.protocol.factors import questions
from equipoise.protocol.study import Study

__all__ = ["answers", "outcomes", "ratings"]


def outcomes(study: Study, data: StudyData, arms: Arms) -> Iterator[Finding]:
    for name, outcome in study.protocol.outcomes.items():
        if outcome.task is not None:
            continue
        for wave in dict.fromkeys((*study.protocol.waves, "")):
            column = study.protocol.frame_column(name, wave or None)
            if (
                not data.has(column)
                or (wave == "" and outcome.waves)
                or (wave and not _of_wave_or_named(column, name, wave, outcome.waves))
            ):
                continue
            values = data.numbers(column)
            stem = ".".join(part for part in ("description", name, wave) if part)
            for arm in arms.names:
                rows = arms.members[arm] & ~np.isnan(values)
                if outcome.scale == "yes-no":
                    finding = share_of(stem, "description", name, values == 1.0, rows, arms, arm)
                else:
                    finding = mean_of(stem, name, values[rows], arms, arm)
                yield finding.model_copy(update={"at": wave or None, "units": outcome.unit})


def _of_wave_or_named(column: str, name: str, wave: str, waves: tuple[str, ...]) -> bool:
    return column != name or waves == (wave,)


def ratings(study: Study, data: StudyData) -> Iterator[Finding]:
    """Each rated outcome by way of presenting and attribute."""
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
    name: str, scale: str, ratings: pl.DataFrame, values: Floats,
    levels: Mapping[str, tuple[str, ...]], identifier: str,
) -> Iterator[Finding]:  # fmt: skip
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
            yield base.model_copy(update={"not_estimable": WITHHELD})
            continue
        if np.ptp(values[rows]) == 0:
            yield base.model_copy(update={"estimate": float(values[rows][0])})
            continue
        who = ratings[identifier].to_numpy()[rows]
        (shown,) = marginal_means(values[rows], np.zeros(int(rows.sum())), 1, who, level=LEVEL)
        if shown.mean is None:
            yield base.model_copy(update={"not_estimable": shown.not_estimable})
            continue
        found = shown.mean
        interval = Interval(level=LEVEL, low=found.interval.low, high=found.interval.high)
        sd = float(values[rows].std(ddof=1))
        yield base.model_copy(
            update={"estimate": found.estimate, "std_error": found.std_error, "sd": sd, "interval": interval}
        )


def answers(study: Study, data: StudyData, arms: Arms) -> Iterator[Finding]:
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
                table.select(data.identifier, question.id),
                on=data.identifier,
                how="left",
                maintain_order="left",
            )
            answers = joined[question.id].cast(pl.String)
            given = answers.is_not_null().to_numpy()
            for level, arm in product(levels, arms.of_arm()):
                wanted = "true" if question.type == "yes-no" else level
                rows = (answers == wanted).fill_null(False).to_numpy()
                stem = f"answers.{question.id}={level}.{wave}"
                finding = share_of(stem, "answers", question.id, rows, given & arms.members[arm], arms, arm)
                yield finding.model_copy(update={"level": level, "at": wave})
