"""A trial in which the arm moves nearly everything: what is shown of it while masked tells nobody the letters."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from tests.platform.delivery.video.conftest import sent
from tests.platform.export.conftest import OPENED

from equipoise.platform.fieldwork.models import Session, Submission
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.exporting import export_study

# Data are read in a snapshot, which is a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)
DRAWS = 1_999
TELLS = 0.001  # smaller than one in the number of columns, so that chance alone raises no alarm


@pytest.fixture
def strong(trial):
    """Whoever got the messages stops them, leaves, answers at once, on paper, and says what they got."""
    treated = Participant.objects.filter(allocations__arm="messages").order_by("key")
    some = list(treated.values_list("pk", flat=True))
    Participant.objects.filter(pk__in=some[::2]).update(messages_stopped_at=OPENED["after"])
    Participant.objects.filter(pk__in=some[1::2]).update(left_at=OPENED["after"])
    after = Session.objects.filter(wave="after", participant__in=some)
    after.update(started_at=OPENED["after"] - timedelta(days=9), channel="paper")
    after.filter(state="complete").update(ended_at=OPENED["after"] - timedelta(days=8))
    for page in Submission.objects.filter(session__in=after, page="close"):
        page.answers = {**page.answers, "comment": "The messages were kind"}
        page.save()
    for person in Participant.objects.filter(pk__in=some).select_related("study"):
        sent(person, "weekly-message", at=OPENED["after"])
    return trial


def p_value(column, letters):
    """By permuting the letters: how often they differ by as much as here, in means or in shares of levels."""
    known = column.is_not_null().to_numpy()
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        ranks = column.rank("average")
        ranks = ranks.fill_null(ranks.mean() or 0.0).to_numpy()
        parts = np.stack([known.astype(float), (ranks - ranks.mean()) / (ranks.std() or 1.0)])
    else:
        text = column.cast(pl.String).fill_null("").to_numpy()
        parts = np.stack([(text == level).astype(float) for level in np.unique(text)])
    is_a = (letters == "A").astype(float)
    rng = np.random.default_rng(20210301)
    drawn = np.stack([is_a, *(rng.permutation(is_a) for _ in range(DRAWS))])
    apart = np.abs(drawn @ parts.T / is_a.sum() - (1 - drawn) @ parts.T / (1 - is_a).sum()).max(axis=1)
    return float((apart >= apart[0] - 1e-12).mean())


def told_by(folder, shown):
    """By table and column, how well it tells the arms apart; `shown` keeps a column or not."""
    people = pl.read_parquet(folder / "participants.parquet")
    key, arm = people.columns[0], people["arm"]
    letters = arm.replace(dict(zip(sorted(arm.unique()), "AB", strict=True)))
    of = pl.DataFrame({key: people[key], "_letter": letters})
    found = {}
    for path in sorted(folder.glob("*.parquet")):
        table = pl.read_parquet(path).join(of, on=key, how="left", maintain_order="left")
        for name in table.columns:
            if name not in (key, "arm", "_letter") and shown(path.stem, name):
                found[path.stem, name] = p_value(table[name], table["_letter"].to_numpy())
    return found


def test_no_column_that_is_shown_but_the_outcomes_tells_a_from_b(strong, alice, tmp_path):
    measured = {outcome.instrument for outcome in folder_of(strong.study).protocol.outcomes.values()} - {None}

    def no_outcome(table, name):
        return table == "participants" or not (
            name.partition(".")[0] in measured or name.removesuffix("_why") == "days_sick"
        )

    masked = export_study(alice, strong.study, tmp_path / "masked").folder
    told = told_by(masked, no_outcome)
    assert {name for table, name in told if table == "participants"} >= {
        "cohort",
        "region",
        "answered_before",
    }
    assert {place: p for place, p in told.items() if p <= TELLS} == {}
    Study.objects.update(results="unmasked")  # the test can fail: what was withheld tells them at once
    strong.study.refresh_from_db()
    named = told_by(export_study(alice, strong.study, tmp_path / "named").folder, no_outcome)
    tells = {name for (_, name), p in named.items() if p <= TELLS}
    assert tells >= {"opted_out", "left_employer", "answered_after", "started_at", "channel", "comment",
                     "dose_sent", "dose_weeks_received", "sent_weekly_message"}  # fmt: skip
