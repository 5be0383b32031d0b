"""HR extracts as they are kept: which file, by its hash, what came of it in numbers, and who has which value.

A file is never changed or removed. A later one of the same source, window and partner counts in its place.
"""

from django.db import models

from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Partner, Study

__all__ = ["Extract", "ExtractValue"]


class Extract(models.Model):
    """A file that was confirmed. `number` counts those of the same source, window and partner from 1; without
    a partner it covers everybody whom its source does."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="extracts")
    source = models.CharField(max_length=100)
    window = models.CharField(max_length=100)
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    file_hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    counts = models.JSONField()
    reason = models.TextField(blank=True)  # why it takes an earlier one's place

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["study", "source", "window", "partner", "number"], name="extract_version_once"
            ),
        )


class ExtractValue(models.Model):
    """What a file says of one participant: the columns that outcomes need, null where a cell was empty."""

    extract = models.ForeignKey(Extract, on_delete=models.CASCADE, related_name="rows")
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="extract_values")
    values = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["extract", "participant"], name="extracted_once"),)
