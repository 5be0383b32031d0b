"""What was collected, as the tables that an analysis reads: participants, and by wave what they answered.

See docs/reference/frame.md. Participants are known by their keys alone, and rows are in the order of the
keys, which tells nothing. Whoever was erased has no row any more and is counted; whoever withdrew keeps
what was answered until then. Queries are as many for a hundred thousand people as for ten. Call inside
`database.snapshot()`, so that all tables are of one moment.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from string import ascii_uppercase
from typing import Any

import polars as pl
from django.conf import settings
from django.db.models import Count, Max

from equipoise.exchange.masking import withheld
from equipoise.platform.crypto import digest
from equipoise.platform.delivery.video.dose import dose_frame
from equipoise.platform.extracts.frames import outcomes_frame
from equipoise.platform.fieldwork.answers import answered_sessions, answers_frame
from equipoise.platform.incidents.events import logged_events
from equipoise.platform.people.allocation.commitment import strata_of
from equipoise.platform.people.frames import people_frame, pieces
from equipoise.platform.people.models import Allocation, Participant, Withdrawal
from equipoise.platform.registry.models import Stage, Study
from equipoise.platform.registry.queries import folder_of, rolling, stages
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.models.allocation import PAIR, Pairing
from equipoise.protocol.recorded import times_of_events

__all__ = [
    "Counts",
    "answered_times",
    "answers_frames",
    "counts",
    "masked_participants",
    "masked_table",
    "participants_frame",
]

MOMENT = pl.Datetime("us", "UTC")
_IN_THE_STUDY = ("enrolled", "withdrawn")
_AT_ONCE = 10_000
_STRATUM = "_stratum"  # no column of a study is called so


@dataclass(frozen=True)
class Counts:
    """How the rows come about, so that totals reconcile.

    Attributes:
        enrolled: people who take part.
        withdrawn: people who left; their answers until then stay.
        erased: people of whom nothing is left but this number.
        not_randomised: people who came after the draw was committed or left before; they have no row.
        rows: in the participants' table: enrolled + withdrawn - not_randomised.
        randomised: by stage, everybody who has an arm, those erased since then among them.
        answered: by wave, the rows that answered it.
    """

    enrolled: int
    withdrawn: int
    erased: int
    not_randomised: int
    rows: int
    randomised: dict[str, int]
    answered: dict[str, int]


def participants_frame(study: Study, *, masked: bool) -> pl.DataFrame:
    """The participants, a row each.

    Args:
        study: of this workspace.
        masked: arms go by letters, and what tells them apart without being an outcome is left out.
    Returns:
        Key, attributes, arms, outcomes from extracts, `enrolled_at`, `partner`, `answered_WAVE`, what
        happened to them, and how much of the intervention reached them. Once lots are drawn, only those who
        were in the draw.
    """
    frame = _everything(study, folder_of(study))
    return masked_participants(study, frame) if masked else frame


def masked_participants(study: Study, frame: pl.DataFrame) -> pl.DataFrame:
    """The participants as they are shown to whoever may not know the arms yet.

    While people still come one by one there are no letters either: in the order of arrival they would show
    the blocks, and so whose turn is next.
    """
    arms = {folder_of(study).protocol.arm_column(stage.name): stage for stage in stages(study)}
    return masked_table(study, "participants", frame).with_columns(
        pl.lit(None, pl.String).alias(column)
        if rolling(study) and stage.state != "drawn"
        else pl.col(column).replace(_letters(study, stage))
        for column, stage in arms.items()
    )


def masked_table(study: Study, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A table without what is withheld from whoever may not know the arms yet."""
    return frame.drop(withheld(folder_of(study), name, frame.columns))


def answers_frames(study: Study, people: pl.Series) -> Iterator[tuple[str, pl.DataFrame]]:
    """The answers of each wave that anybody answered, one after the other.

    Args:
        study: of this workspace.
        people: the keys of those who have a row in the participants' table.
    """
    for wave in folder_of(study).protocol.waves:
        frame = answers_frame(study, wave)
        kept = frame.filter(pl.col(frame.columns[0]).is_in(people.implode()))
        if kept.height:
            yield wave, kept


def answered_times(study: Study) -> dict[str, dict[str, datetime]]:
    """By wave and key, when somebody answered: the end or, where they broke off, the last page sent."""
    found: dict[str, dict[str, datetime]] = {wave: {} for wave in folder_of(study).protocol.waves}
    rows = (
        answered_sessions(study)
        .annotate(last=Max("submissions__at"))
        .values_list("wave", "participant__key", "state", "ended_at", "last")
    )
    for wave, key, state, ended, last in rows.iterator(_AT_ONCE):
        if wave in found:
            found[wave][key] = ended if state == "complete" else last
    return found


def counts(study: Study, participants: pl.DataFrame) -> Counts:
    """The numbers behind a participants' table that was made of this moment."""
    states = Counter(dict(Participant.objects.filter(study=study).values_list("state").annotate(Count("pk"))))
    return Counts(
        enrolled=states["enrolled"],
        withdrawn=states["withdrawn"],
        erased=states["erased"],
        not_randomised=states["enrolled"] + states["withdrawn"] - participants.height,
        rows=participants.height,
        randomised={stage.name: stage.allocations.count() for stage in stages(study)},
        answered={
            wave: participants.height - participants[f"answered_{wave}"].null_count()
            for wave in folder_of(study).protocol.waves
        },
    )


def _letters(study: Study, stage: Stage) -> dict[str, str]:
    """The letter of each arm that somebody is in: the same each time, and whatever the arms are called.

    The letters follow from who is in an arm, never from its name: swapped names leave them as they are. Where
    lots are drawn at once, the arm of the participant whose keyed digest is lowest is A, and only the
    workspace's key tells who that is. Where people are drawn as they come, the arm of the first is A; an arm
    that was met keeps its letter whoever comes later.
    """
    rows = Allocation.objects.filter(stage=stage).order_by("pk").values_list("participant__key", "arm")
    drawn = rows.iterator(_AT_ONCE)
    if rolling(study):
        met = list(dict.fromkeys(arm for _, arm in drawn))
    else:
        key, purpose = settings.WORKSPACE.key("lookup"), f"mask/{study.name}/{stage.name}"
        lowest: dict[str, str] = {}
        for participant, arm in drawn:
            mark = digest(key, purpose, participant)
            lowest[arm] = min(mark, lowest.get(arm, mark))
        met = sorted(lowest, key=lowest.__getitem__)
    return {arm: ascii_uppercase[place % 26] * (place // 26 + 1) for place, arm in enumerate(met)}


def _everything(study: Study, loaded: StudyFolder) -> pl.DataFrame:
    people = Participant.objects.filter(study=study, state__in=_IN_THE_STUDY)
    frame = people_frame(loaded, people)
    for stage in stages(study):
        frame = _with_arms(frame, loaded, stage)
    identifier = frame.columns[0]
    outcomes = outcomes_frame(study, people)
    frame = frame if outcomes is None else _beside(frame, outcomes)
    for known in (_known(study, people, identifier), dose_frame(study, frame[identifier])):
        added = [name for name in known.columns if name not in frame.columns]  # the roster's own come first
        frame = _beside(frame, known.select(identifier, *added))
    return frame


def _with_arms(frame: pl.DataFrame, loaded: StudyFolder, stage: Stage) -> pl.DataFrame:
    """The arms of a stage and the pairs that it made; once drawn, only those drawn if it is for all."""
    column = loaded.protocol.arm_column(stage.name)
    rows = Allocation.objects.filter(stage=stage).values_list("participant__key", "arm", "stratum")
    known: dict[str, pl.DataType] = {name: pl.String() for name in (frame.columns[0], column, _STRATUM)}
    arms, declared = _table(rows.iterator(_AT_ONCE), known), loaded.protocol.allocation[stage.name]
    if isinstance(declared.pair, Pairing) and PAIR in declared.drawn_within:
        pairs = strata_of(declared.drawn_within, arms[_STRATUM].to_list())[PAIR]
        arms = arms.with_columns(pl.Series(PAIR, pairs, dtype=pl.String))
    joined = _beside(frame, arms.drop(_STRATUM))
    if arms.height and declared.among is None:
        return joined.filter(pl.col(column).is_not_null())
    return joined


def _known(study: Study, people: Any, identifier: str) -> pl.DataFrame:
    """What the platform knows of people besides roster and arms."""
    rows = people.order_by("key").values_list(
        "key", "partner__name", "enrolled_at", "messages_stopped_at", "left_at", "state"
    )
    first = {identifier: pl.String(), "partner": pl.String(), "enrolled_at": MOMENT}
    events = {"opted_out": MOMENT, "left_employer": MOMENT, "withdrew": pl.String()}
    known = _table(rows.iterator(_AT_ONCE), {**first, **events})
    when = known.select("opted_out", "left_employer").with_columns(_withdrew_at(study, known[identifier]))
    known = known.with_columns(
        pl.col("opted_out", "left_employer").is_not_null(), pl.col("withdrew") == "withdrawn"
    )
    keys = known[identifier]
    answered = [
        pl.Series(f"answered_{wave}", [times.get(key) for key in keys], dtype=MOMENT)
        for wave, times in answered_times(study).items()
    ]
    dated = times_of_events(folder_of(study).protocol).items()
    times = [when[event].alias(column) for event, column in dated if event in when.columns]
    frame = known.select(*first, *answered, *events, *times)
    logged = logged_events(study, keys.to_list())
    return frame.with_columns(each for each in logged if each.name not in frame.columns)


def _withdrew_at(study: Study, keys: pl.Series) -> pl.Series:
    """When each participant stopped everything."""
    rows = Withdrawal.objects.filter(participant__study=study, participant__state="withdrawn")
    said = dict(rows.order_by("-at").values_list("participant__key", "at"))  # the first of them counts
    return pl.Series("withdrew", [said.get(key) for key in keys], dtype=MOMENT)


def _beside(frame: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Columns added by the key, which both tables have first."""
    return frame.join(more, on=frame.columns[0], how="left", maintain_order="left")


def _table(rows: Iterator[tuple[Any, ...]], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    parts = [pl.DataFrame(some, schema=schema, orient="row") for some in pieces(rows, _AT_ONCE)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)
