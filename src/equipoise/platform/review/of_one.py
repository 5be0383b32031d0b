"""What is kept here of one participant: for them to read, and to go when they have everything erased."""

from equipoise.platform.people.erasing import erases
from equipoise.platform.people.models import Participant
from equipoise.platform.people.records import RecordSection, adds_sections
from equipoise.platform.review.models import Exclusion, Export

__all__ = ["decided_of", "forget"]


@adds_sections
def decided_of(participant: Participant) -> tuple[RecordSection, ...]:
    """The analyses that their answers were left out of, and why."""
    rows = Exclusion.objects.filter(participant=participant).select_related("withdrawn").order_by("pk")
    said = [
        (
            f"Left out of {', '.join(row.of) or 'all analyses'}",
            f"{row.at:%Y-%m-%d}: {row.reason}" + ("; taken back" if hasattr(row, "withdrawn") else ""),
        )
        for row in rows
    ]
    return (RecordSection("Left out of analyses", tuple(said)),)


@erases
def forget(participant: Participant) -> None:
    """With the answers goes what was said of them, and every export that holds them: its file a little later.

    One that is being made begins again, without them.
    """
    Exclusion.objects.filter(participant=participant).delete()
    made = Export.objects.filter(study=participant.study)
    made.filter(state="ready").update(state="dropped")
    made.filter(state="making").update(state="waiting")
