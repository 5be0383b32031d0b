"""Whose rows an extract holds, told by the keyed digest of the identifier: what would be kept, in numbers.

The identifier is read, compared and dropped. Nothing of a row is kept unless it is that of a participant who
may be linked.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from equipoise.errors import Problem
from equipoise.platform.extracts.models import Extract
from equipoise.platform.extracts.reading import ROW, ExtractRead
from equipoise.platform.extracts.scopes import Scope, covered_partners
from equipoise.platform.people.contacts import identifier_digest
from equipoise.platform.people.frames import pieces
from equipoise.platform.people.models import Consent, Lookup
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.extracts import LINKAGE, extract_of
from equipoise.roster import identifier_of

__all__ = ["Linkage", "agreed", "current_version", "digests_of", "linked"]

_AT_ONCE = 10_000
_KNOWN = {
    "digest": pl.String,
    "participant": pl.Int64,
    "state": pl.String,
    "partner": pl.Int64,
    "left": pl.Boolean,
}


@dataclass(frozen=True)
class Linkage:
    """An import that has not been confirmed.

    `counts` of people in the file, each once:

    - linked: their values would be kept
    - not_linked: take part, but did not agree that such records are joined
    - left: left the study or were never in it by its conditions; nothing of theirs is read further
    - elsewhere: take part through a partner whose people this file does not hold
    - unmatched: not in the study; told by line and never kept

    and of others: `refused` rows with a problem, `absent` participants who may be linked and are not in the
    file, `none` of them who have 0 days because the file holds spells, `outside` spells.

    Attributes:
        read: the file as it was read.
        counts: as above.
        values: the participant's number, and the columns that outcomes need.
        unmatched: where the rows of `unmatched` stand.
        current: the version whose place it would take.
    """

    read: ExtractRead
    counts: Mapping[str, int]
    values: pl.DataFrame
    unmatched: tuple[str, ...]
    current: Extract | None

    def refusals(self) -> list[Problem]:
        """Why it cannot be confirmed as it stands; empty where it can."""
        report = self.read.report
        name = report.files[0].file
        if report.refused:
            rows = "1 row is" if report.refused == 1 else f"{report.refused:,} rows are"
            whole = Problem(name, "", f"{rows} refused; put the file right, because it counts as a whole")
            return [whole, *report.problems()]
        if self.current is not None and self.current.file_hash == self.read.file_hash:
            day = self.current.at.date().isoformat()
            return [Problem(name, "", f"this very file was imported on {day} and counts already")]
        if not self.counts["linked"]:
            message = (
                "nobody in the file is a participant who may be linked; look at the column of identifiers"
            )
            return [Problem(name, "", message)]
        return []


def digests_of(study: Study, read: ExtractRead) -> pl.Series:
    """The digest of each person's identifier, in the order of the file."""
    column = identifier_of(folder_of(study))
    found = [identifier_digest(study, column, text) for text in read.people["person"]]
    return pl.Series("digest", found, dtype=pl.String)


def linked(study: Study, read: ExtractRead, digests: pl.Series) -> Linkage:
    """Sort the people of a file, as things stand in the database; a few queries, however many people."""
    extract = extract_of(folder_of(study).protocol, read.scope.source)
    known = _known(study, read.scope)
    people = read.people.drop("person").with_columns(digests).join(known, on="digest", how="left")
    people = people.with_columns(_standing().alias("standing")).sort(ROW)
    counted = dict(people["standing"].value_counts().iter_rows())
    counts = {
        name: counted.get(name, 0) for name in ("linked", "not_linked", "left", "elsewhere", "unmatched")
    }
    values = people.filter(pl.col("standing") == "linked").select("participant", *extract.gives)
    missing = known.filter(pl.col("may")).join(values, on="participant", how="anti")
    without = missing.filter(~pl.col("left")) if extract.spells is not None else missing.clear()
    nothing = without.select("participant", *(pl.lit(0, pl.Int64).alias(name) for name in extract.gives))
    counts |= {"refused": read.report.refused, "none": nothing.height, "outside": read.outside or 0}
    counts["absent"] = missing.height - nothing.height
    lines = people.filter(pl.col("standing") == "unmatched")[ROW].to_list()
    return Linkage(
        read,
        counts,
        pl.concat([values, nothing.cast(values.schema)]),
        tuple(read.report.place(row) for row in lines),
        current_version(study, read.scope),
    )


def agreed(study: Study, people: pl.Series) -> pl.Series:
    """Whether each participant agreed that such records are joined.

    The newest answer counts. Without one, an opt-in is a no; an opt-out, or what the privacy notice says
    alone, is a yes.

    Args:
        study: of this workspace.
        people: the numbers of participants.
    """
    declared = folder_of(study).protocol.participants
    rule = declared.consent.get(LINKAGE) if declared else None
    rows = Consent.objects.filter(participant__study=study, activity=LINKAGE).order_by("pk")
    said = dict(rows.values_list("participant_id", "given").iterator(_AT_ONCE)) if rule else {}
    return pl.Series("agreed", [said.get(number, rule != "opt-in") for number in people], dtype=pl.Boolean)


def current_version(study: Study, scope: Scope) -> Extract | None:
    """The newest file of exactly this source, window and partner."""
    known = Extract.objects.filter(study=study, source=scope.source, window=scope.window)
    known = known.filter(partner__name=scope.partner) if scope.partner else known.filter(partner=None)
    return known.order_by("-number").first()


def _known(study: Study, scope: Scope) -> pl.DataFrame:
    """Everybody whose identifier was ever known here, with whether their partner is one of the file's
    (`covered`), and whether values of theirs may be kept (`may`)."""
    rows = Lookup.objects.filter(study=study, identifies=True).values_list(
        "digest", "participant_id", "participant__state", "participant__partner_id", "participant__left_at"
    )
    parts = [
        pl.DataFrame([(*row[:-1], row[-1] is not None) for row in some], schema=_KNOWN, orient="row")
        for some in pieces(rows.iterator(_AT_ONCE), _AT_ONCE)
    ]
    known = pl.concat(parts) if parts else pl.DataFrame(schema=_KNOWN)
    partners = covered_partners(study, scope)
    covered = pl.lit(True) if partners is None else pl.col("partner").is_in(sorted(partners)).fill_null(False)
    known = known.with_columns(agreed(study, known["participant"]), covered.alias("covered"))
    return known.with_columns(may=(pl.col("state") == "enrolled") & pl.col("covered") & pl.col("agreed"))


def _standing() -> pl.Expr:
    return (
        pl.when(pl.col("participant").is_null())
        .then(pl.lit("unmatched"))
        .when(pl.col("state") != "enrolled")
        .then(pl.lit("left"))
        .when(~pl.col("covered"))
        .then(pl.lit("elsewhere"))
        .when(pl.col("agreed"))
        .then(pl.lit("linked"))
        .otherwise(pl.lit("not_linked"))
    )
