"""Who answers which wave, when and what: the data that `equipoise simulate` would give, as a script to play.

The same generator makes them, with the effect that the protocol assumes planted in whoever has its arm. What
comes before the draw hangs on no arm, so it stays as it is when the arms are known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from equipoise.diagnosis import simulate_study
from equipoise.protocol import Study
from equipoise.protocol.columns import answer_columns
from equipoise.protocol.timeline import waves_before

__all__ = ["Part", "Script", "before_the_draw", "script_of", "written"]

_REMARKS = (
    "Thank you for asking. It was a long week, but a good one.",
    "Mae'n iawn, diolch \u2013 \u201cdigon prysur\u201d, fel arfer.",
    "5 < 7 & 7 > 5; caf\u00e9, na\u00efve, \u20ac 20.\nA second line.",
)
_REMARK_EACH = 3  # every so many people write something where they can


@dataclass(frozen=True)
class Part:
    """What one person does in one wave: answers these columns, from this moment on."""

    at: datetime
    answers: Mapping[str, str]


@dataclass(frozen=True)
class Script:
    """The parts by wave and identifier, and what was planted by outcome and arm."""

    parts: Mapping[str, Mapping[str, Part]]
    planted: Mapping[str, Mapping[str, float]]


def before_the_draw(study: Study) -> frozenset[str]:
    """The waves that are over when lots are drawn; every wave where none are."""
    if not study.protocol.allocation:
        return frozenset(study.protocol.waves)
    return frozenset(waves_before(study.protocol, study.protocol.main_stage))


def script_of(study: Study, people: pl.DataFrame, seed: int) -> Script:
    """The script for these people.

    Args:
        study: `diagnosis.assume` says what is assumed.
        people: typed rows; with their arms once they are drawn.
        seed: any whole number; the same seed gives the same script.
    Raises:
        DesignError, NotSupportedError: as `simulate_study`.
    """
    simulated = simulate_study(study, seed, participants=people)
    data = simulated.data
    return Script(
        {wave: dict(_parts(study, wave, table, data.participants)) for wave, table in data.answers.items()},
        simulated.planted,
    )


def written(value: object) -> str | None:
    """An answer as a form or a table would have it in words; None for no answer."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _parts(study: Study, wave: str, table: pl.DataFrame, people: pl.DataFrame) -> Iterator[tuple[str, Part]]:
    identifier = table.columns[0]
    moments = dict(people.select(identifier, f"answered_{wave}").iter_rows())
    columns = answer_columns(study, study.protocol.waves[wave].survey)
    texts = [column.name for column in columns if column.type == "text" and not column.values]
    for number, row in enumerate(table.iter_rows(named=True)):
        said = {name: written(value) for name, value in row.items() if name != identifier}
        answers = {name: value for name, value in said.items() if value is not None}
        if number % _REMARK_EACH == 0:
            remark = _REMARKS[number // _REMARK_EACH % len(_REMARKS)]
            answers |= {name: remark for name in texts if name not in answers}
        yield str(row[identifier]), Part(moments[row[identifier]], answers)
