"""What was asked for, and what somebody else decided of it. A request is never removed."""

from django.db import models

from equipoise.platform.registry.models import Study

__all__ = ["ApprovalRequest"]


class ApprovalRequest(models.Model):
    """An act of a study that one person asks for and another approves.

    `number` counts within the study. `subject` is what the act is done to: nothing for unmasking, the key of
    a participant and how they asked for an erasure, the columns for an identified file. `thing` says the same
    in short: of one thing, one request waits at a time. `used_at` is when an approved file was taken.
    """

    STATES = ("waiting", "approved", "refused", "taken-back", "expired")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="approval_requests")
    number = models.PositiveIntegerField()
    act = models.CharField(max_length=40)
    subject = models.JSONField()
    thing = models.CharField(max_length=120, blank=True)
    reason = models.TextField()
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=12, default="waiting")
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    comment = models.TextField(blank=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["study", "number"], name="approval_number_once"),
            models.UniqueConstraint(
                fields=["study", "act", "thing"],
                condition=models.Q(state="waiting"),
                name="approval_waits_once",
            ),
        )
        indexes = (models.Index(fields=["study", "state"], name="approval_by_state"),)
