"""How many trials a second a diagnosis simulates, beside a bare loop of numpy that does the same.

The study is the one of 1,969 people in seven strata with five outcomes. The bare loops know this study alone:
they draw the same number of people, waves, answers and arms, adjust by least squares with HC2 errors, take
the normal for the t distribution and decide nothing.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from equipoise.diagnosis.claims import claims_of
from equipoise.diagnosis.engine import compile_study
from equipoise.protocol import load_study

STUDY = Path(__file__).parents[1] / "examples" / "hhp2" / "symbolic-awards"
ROUNDS, TRIALS = 8, 33
PEOPLE, STRATA, BEFORE, AFTER = 1_969, 7, 0.35, 0.2175
ITEMS = (7, 7, 4, 4, 4)


def best(act: Callable[[int], object]) -> float:
    """Seconds of the processor of the quickest of a few rounds."""
    seconds = []
    for number in range(ROUNDS):
        start = time.process_time()
        act(number)
        seconds.append(time.process_time() - start)
    return min(seconds)


def bare(rng: np.random.Generator, items: tuple[int, ...]) -> np.ndarray:
    """Trials of so many outcomes, each answered item by item and scored; of none item by item where 0."""
    stratum = np.arange(PEOPLE) % STRATA
    keys = rng.random((TRIALS, PEOPLE)) + stratum
    arm = np.empty((TRIALS, PEOPLE))
    np.put_along_axis(arm, np.argsort(keys, axis=1), np.arange(PEOPLE)[None, :] % 2.0, axis=1)
    trait = rng.standard_normal((TRIALS, PEOPLE))
    wish = 0.1 * trait + rng.logistic(size=(TRIALS, PEOPLE))
    early = wish >= np.partition(wish, -round(BEFORE * PEOPLE), axis=1)[:, [-round(BEFORE * PEOPLE)]]
    wish = 0.1 * trait + 1.8 * early + rng.logistic(size=(TRIALS, PEOPLE))
    count = round(AFTER * PEOPLE)
    rows = np.argpartition(wish, PEOPLE - count, axis=1)[:, PEOPLE - count :]
    common, a, answered = (np.take_along_axis(each, rows, axis=1) for each in (trait, arm, early))
    dummies = (stratum[rows][:, :, None] == np.arange(STRATA)).astype(float)
    estimates = []
    for k in items:
        before = 0.6 * common + 0.8 * rng.standard_normal(common.shape)
        after = 0.6 * before + 0.8 * rng.standard_normal(common.shape) + 0.1 * a
        if k:
            before, after = (_scored(value, k, rng) for value in (before, after))
        filled = np.where(answered, before, 0.0)
        x = np.concatenate((a[:, :, None], filled[:, :, None], answered[:, :, None] * 1.0, dummies), axis=2)
        inverse = np.linalg.inv(np.matmul(x.transpose(0, 2, 1), x))
        half = np.matmul(x, inverse)
        beta = np.einsum("tmk,tm->tk", half, after)
        residual = after - np.einsum("tmk,tk->tm", x, beta)
        leverage = np.einsum("tmk,tmk->tm", half, x)
        error = np.sqrt((half[:, :, 0] ** 2 * residual**2 / (1 - leverage)).sum(axis=1))
        estimates.append(beta[:, 0] / error)
    return np.stack(estimates)


def _scored(latent: np.ndarray, items: int, rng: np.random.Generator) -> np.ndarray:
    """Answers of five options to every item, and their mean."""
    answers = np.rint(3 + latent[:, :, None] + 0.7 * rng.standard_normal((*latent.shape, items)))
    return np.asarray(np.clip(answers, 1, 5).mean(axis=2))


def main() -> None:
    study = load_study(STUDY)
    first, *_ = claims_of(study)
    primary = compile_study(study, only=(first.id,))
    five = compile_study(study, only=(first.analysis,))
    for engine in (primary, five):
        engine.trials(0, 1)
    print(f"diagnosis: {PEOPLE:,} people, {STRATA} strata; trials a second of one core, best of {ROUNDS}")
    cases = (("primary analysis", primary, (0,), 4_000, 0.0), ("five outcomes, items", five, ITEMS, 0, 0.5))
    for name, engine, items, rate, share in cases:
        ours = engine.size / best(lambda number, engine=engine: engine.trials(number, 1))
        loop = TRIALS / best(lambda number, items=items: bare(np.random.default_rng(number), items))
        stated = f"{rate:,} a second" if rate else f"{share} of the loop"
        print(
            f"  {name:21} {ours:6,.0f}   bare loop {loop:6,.0f}   {ours / loop:.2f} of it (stated {stated})"
        )


if __name__ == "__main__":
    main()
