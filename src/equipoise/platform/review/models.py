"""What was decided of the data before the arms were known, who looked at results by arm, and exports."""

from django.db import models

from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study

__all__ = ["Exclusion", "ExclusionWithdrawal", "Export", "Look"]


class Exclusion(models.Model):
    """Somebody whose answers are to be left out of some analyses, decided without knowing the arms.

    Never changed and never deleted, but when the participant has everything erased. `of` has the names of
    outcomes and analyses; empty means all of them.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="exclusions")
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="exclusions")
    of = models.JSONField(default=list)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)

    class Meta:
        indexes = (models.Index(fields=["study", "at"], name="exclusion_by_time"),)


class ExclusionWithdrawal(models.Model):
    """An exclusion that was taken back, with the reason; both stay in the list."""

    exclusion = models.OneToOneField(Exclusion, on_delete=models.CASCADE, related_name="withdrawn")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)


class Look(models.Model):
    """Results by arm were seen, or data that name the arms left, before the planned final analysis.

    `answered` people of those `asked` had answered the last wave then. `declared` says whether the protocol
    foresees the look, `sealed` whether the data were sealed already.
    """

    KINDS = ("unmasked", "export", "told")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="looks")
    kind = models.CharField(max_length=12)
    seen = models.CharField(max_length=300)
    answered = models.PositiveIntegerField()
    asked = models.PositiveIntegerField()
    declared = models.BooleanField()
    sealed = models.BooleanField()
    on = models.DateField()  # the day of the look; somebody may tell of it later
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)


class Export(models.Model):
    """Data that somebody asked for: waiting, making, ready, failed, or dropped.

    `name` is that of its folder and zip file. `worker` is a mark of the process that makes it, so that one
    that was interrupted is known and begun again.
    """

    STATES = ("waiting", "making", "ready", "failed", "dropped")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="exports")
    name = models.CharField(max_length=40)
    formats = models.JSONField()
    actor = models.CharField(max_length=80)
    state = models.CharField(max_length=12, default="waiting")
    masked = models.BooleanField(null=True)  # known once it is made
    rows = models.PositiveIntegerField(null=True)
    files = models.PositiveIntegerField(null=True)
    size = models.BigIntegerField(null=True)  # of the zip file, in bytes
    problem = models.CharField(max_length=500, blank=True)
    worker = models.CharField(max_length=40, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["study", "name"], name="export_once"),)
        indexes = (models.Index(fields=["state"], name="export_by_state"),)
