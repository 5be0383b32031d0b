"""What the office keeps for itself: an uploaded file between its preview and its confirmation."""

from django.db import models

from equipoise.platform.registry.models import Study

__all__ = ["PendingImport"]


class PendingImport(models.Model):
    """A roster that was uploaded and is being looked at; encrypted, and gone once it is confirmed."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE)
    actor = models.CharField(max_length=80)
    name = models.CharField(max_length=200)
    file_hash = models.CharField(max_length=64)
    data_key = models.TextField()
    sealed = models.BinaryField()
    choices = models.JSONField(default=dict)  # mapping, constants, partner, good rows only
    at = models.DateTimeField()
