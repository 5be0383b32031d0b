"""What texts cost: those that were sent, by their parts, and those to come, by the parts of an example."""

from collections.abc import Sequence

from django.conf import settings

from equipoise.errors import EquipoiseError
from equipoise.platform.delivery.watch.tallies import TO_GO_OUT
from equipoise.platform.delivery.writing.composing import preview
from equipoise.platform.office.messages.schedule import Row
from equipoise.platform.registry.models import Study

__all__ = ["cost_of", "costs"]


def costs(study: Study, rows: Sequence[Row]) -> str:
    """What the texts of a study have cost and will, in a sentence; empty where it sends none."""
    texts = [row for row in rows if row.channel == "sms"]
    if not texts:
        return ""
    sent = sum(row.counted.parts for row in texts)
    coming = sum(_left(row) * _parts(study, row) for row in texts if _left(row))
    further = f" Still to come: about {_said(coming)}." if coming else ""
    return f"Texts so far: {_said(sent)}.{further}"


def cost_of(row: Row, parts: int) -> str:
    """What an occasion costs whose texts have so many parts, in a sentence."""
    if not row.people:
        return f"Each takes {_said(parts)}."
    return f"Each takes {_said(parts)}; all together about {_said(parts * row.people)}."


def _left(row: Row) -> int:
    """How many are still to go out."""
    return row.counted.of(*TO_GO_OUT) if row.counted.states else row.people


def _parts(study: Study, row: Row) -> int:
    try:
        measured = preview(study, row.name, row.occasion, None).measured
    except EquipoiseError:  # what is wrong with the text is said where it is looked at
        return 1
    return measured.parts if measured is not None else 1


def _said(parts: int) -> str:
    """Parts with what they cost, where the workspace says the price of one."""
    number = "1 part" if parts == 1 else f"{parts:,} parts"
    notify = settings.WORKSPACE.settings.notify
    return number if notify is None else f"{number} (£{parts * notify.price:,.2f})"
