"""What was deleted because its time had come: the certificates. They outlive what they tell of."""

from django.db import models

from equipoise.platform.registry.models import Study

__all__ = ["Deletion"]


class Deletion(models.Model):
    """That contact details or answers of a study were deleted; the certificate is what was hashed."""

    KINDS = ("contacts", "answers")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="deletions")
    kind = models.CharField(max_length=12)
    due_at = models.DateTimeField()
    at = models.DateTimeField()
    certificate = models.TextField()
    hash = models.CharField(max_length=64)
