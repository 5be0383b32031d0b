"""How much of the intervention reached each participant: columns of the frame, as `protocol.doses` has them.

Everything is as it was when the study was closed: a receipt that comes later changes no data that were
sealed. Queries are as many for a hundred thousand people as for ten. Call inside `database.snapshot()`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from django.db.models import QuerySet

from equipoise.platform.delivery.models import Dispatch, DispatchEvent, MessageLink, Watch
from equipoise.platform.people.frames import pieces
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.assets import asset_of
from equipoise.protocol.doses import dose_columns, sent_columns
from equipoise.protocol.sends import sends
from equipoise.protocol.timeline import timeline

__all__ = ["dose_frame"]

MOMENT = pl.Datetime("us", "UTC")
_AT_ONCE = 10_000
_WEEK = timedelta(weeks=1)
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_TYPES = {"integer": pl.Int64(), "number": pl.Float64(), "moment": MOMENT}
_SENT = {
    "dispatch": pl.Int64(),
    "person": pl.Int64(),
    "contact": pl.String(),
    "state": pl.String(),
    "sent_at": MOMENT,
}


def dose_frame(study: Study, keys: pl.Series) -> pl.DataFrame:
    """What was sent to each participant, and what became of it.

    Args:
        study: of this workspace.
        keys: of the participants, in the order of the rows; its name is that of the first column.
    Returns:
        The keys, when each entry of the protocol was first sent, and the columns of the dose; none where the
        study sends nothing.
    """
    protocol = folder_of(study).protocol
    closed = study.closed_at or _EVER
    people = _people(study, keys.name)
    sent = _with_state(_sent(study, closed), study, closed)
    found = keys.to_frame().join(people, on=keys.name, how="left", maintain_order="left")
    for table in (_first_sent(study, sent), _doses(study, sent)):
        found = found.join(table, on="person", how="left", maintain_order="left")
    columns = dose_columns(protocol)
    counted = [pl.col(each.name).fill_null(0) for each in columns if each.type == "integer"]
    dose = [pl.col(each.name).cast(_TYPES[each.type]) for each in columns]
    return found.with_columns(counted).select(keys.name, *sent_columns(protocol), *dose)


def _people(study: Study, name: str) -> pl.DataFrame:
    rows = Participant.objects.filter(study=study).values_list("pk", "key", "messages_stopped_at")
    schema = {"person": pl.Int64(), name: pl.String(), "dose_opted_out_at": MOMENT}
    return _table(rows, schema)


def _sent(study: Study, closed: datetime) -> pl.DataFrame:
    rows = Dispatch.objects.filter(study=study, sent_at__lte=closed)
    return _table(rows.values_list("pk", "participant_id", "contact", "state", "sent_at"), _SENT)


def _with_state(sent: pl.DataFrame, study: Study, closed: datetime) -> pl.DataFrame:
    """The states as they were when the study was closed."""
    if closed == _EVER or not sent.height:
        return sent
    told = DispatchEvent.objects.filter(dispatch__study=study, kind__in=("delivered", "failed"))
    late = told.filter(at__gt=closed).values("dispatch")
    before = told.filter(dispatch__in=late, at__lte=closed).order_by("pk").values_list("dispatch_id", "kind")
    states: dict[int, str] = dict.fromkeys(late.values_list("dispatch_id", flat=True), "sent")
    states |= dict(before)
    was = _table(iter(states.items()), {"dispatch": pl.Int64(), "was": pl.String()})
    joined = sent.join(was, on="dispatch", how="left", maintain_order="left")
    return joined.with_columns(state=pl.coalesce("was", "state")).drop("was")


def _first_sent(study: Study, sent: pl.DataFrame) -> pl.DataFrame:
    protocol = folder_of(study).protocol
    first = sent.group_by("person", "contact").agg(pl.col("sent_at").min())
    table = first.select("person").unique()
    met: set[str] = set()
    for name in sends(protocol):
        column = protocol.sent_column(name)
        if column not in met:
            met.add(column)
            times = first.filter(pl.col("contact") == name).select("person", pl.col("sent_at").alias(column))
            table = table.join(times, on="person", how="left")
    return table


def _doses(study: Study, sent: pl.DataFrame) -> pl.DataFrame:
    """Everything that is counted of contacts, a row for whoever was sent any."""
    folder = folder_of(study)
    contacts = folder.protocol.contacts
    launch = timeline(folder.protocol).launch or study.launched_at or study.added_at
    of_contacts = sent.filter(pl.col("contact").is_in(list(contacts)))
    rows = of_contacts.join(_pages(study), on="dispatch", how="left")
    rows = rows.join(_shares(study), on="dispatch", how="left")
    week = (pl.col("sent_at") - launch).dt.total_seconds() // _WEEK.total_seconds()
    kinds = {name: asset_of(folder, one.asset).kind for name, one in contacts.items() if one.asset}
    plays = pl.col("contact").is_in([name for name, kind in kinds.items() if kind != "file"])
    return rows.group_by("person").agg(
        dose_sent=pl.len(),
        dose_delivered=(pl.col("state") == "delivered").sum(),
        dose_weeks_received=week.filter(pl.col("state") != "failed").n_unique(),
        dose_opened=pl.col("opened").fill_null(False).sum(),
        dose_started=pl.col("started").fill_null(False).sum(),
        dose_share_watched=pl.col("share").fill_null(0.0).filter(plays).mean(),
    )


def _pages(study: Study) -> pl.DataFrame:
    """By dispatch, whether its page was opened and its film started by any of its links."""
    rows = MessageLink.objects.filter(dispatch__study=study, opened_at__isnull=False)
    times = _table(
        rows.values_list("dispatch_id", "opened_at", "started_at"),
        {"dispatch": pl.Int64(), "opened": MOMENT, "started": MOMENT},
    )
    return times.group_by("dispatch").agg(pl.col("opened", "started").is_not_null().any())


def _shares(study: Study) -> pl.DataFrame:
    """By dispatch, which share of its film was played."""
    rows = Watch.objects.filter(dispatch__study=study, length__gt=0).values_list(
        "dispatch_id", "seconds", "length"
    )
    table = _table(rows, {"dispatch": pl.Int64(), "seconds": pl.Float64(), "length": pl.Float64()})
    return table.select("dispatch", share=(pl.col("seconds") / pl.col("length")).clip(0.0, 1.0))


def _table(rows: "QuerySet[Any, Any] | Iterator[Any]", schema: dict[str, pl.DataType]) -> pl.DataFrame:
    found = rows.iterator(_AT_ONCE) if isinstance(rows, QuerySet) else rows
    parts = [pl.DataFrame(some, schema=schema, orient="row") for some in pieces(found, _AT_ONCE)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)
