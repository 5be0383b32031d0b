"""What extracts add to the record of a participant, and what goes when they have everything erased."""

from collections.abc import Iterator

from equipoise.platform.extracts.models import ExtractValue
from equipoise.platform.people.erasing import erases
from equipoise.platform.people.models import Participant
from equipoise.platform.people.records import RecordSection, adds_sections
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.extracts import days_of, extract_of, extracts

__all__ = ["extracts_of", "forget_values"]


@adds_sections
def extracts_of(participant: Participant) -> Iterator[RecordSection]:
    """What each file said of somebody, those included whose place a later one has taken."""
    protocol = folder_of(participant.study).protocol
    kept = ExtractValue.objects.filter(participant=participant).select_related("extract")
    for row in kept.order_by("extract_id"):
        file = row.extract
        source = protocol.sources.get(file.source)
        title = (source.label if source else None) or f"HR extract {file.source}"
        said = [("File", f"version {file.number}, imported on {file.at.date().isoformat()}")]
        if file.source in extracts(protocol) and file.window in extract_of(protocol, file.source).windows:
            days = days_of(protocol, file.source, file.window)
            said.append(("Days", f"{days.first.isoformat()} to {days.last.isoformat()}"))
        columns = extract_of(protocol, file.source).columns if file.source in extracts(protocol) else {}
        labels = {name: column.label or name for name, column in columns.items()}
        values = ((labels.get(name, name), value) for name, value in row.values.items())
        yield RecordSection(title, (*said, *values))


@erases
def forget_values(participant: Participant) -> None:
    """Remove what every file said of somebody."""
    ExtractValue.objects.filter(participant=participant).delete()
