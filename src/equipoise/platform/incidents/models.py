"""Incidents as stored. A statement is never changed: a correction is a further one, and the newest counts."""

from django.db import models

from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Partner, Study

__all__ = ["Incident", "Statement", "StatementText"]


class Incident(models.Model):
    """Something that happened. `code` names it in addresses and in the record, and tells nothing."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="incidents")
    code = models.CharField(max_length=10, unique=True)
    newest = models.PositiveIntegerField(default=1)  # the number of the statement that counts
    recorded_by = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()


class Statement(models.Model):
    """What was known of an incident at one time: the first account, a correction, a closing, a reopening.

    The arm is not among it, nor can it be worked out from it. `participant` is empty where nobody is named,
    and where whoever was named had everything erased; the rest stays, so that the counts do.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="statements")
    number = models.PositiveIntegerField()
    participant = models.ForeignKey(
        Participant, null=True, on_delete=models.PROTECT, related_name="incident_statements"
    )
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=60)
    happened_on = models.DateField()
    learnt_on = models.DateField()
    way = models.CharField(max_length=12)  # the tables of what may stand here are in `choices`
    serious = models.CharField(max_length=12)
    expected = models.CharField(max_length=12)
    related = models.CharField(max_length=12)
    outcome = models.CharField(max_length=12)
    closed = models.BooleanField(default=False)
    actor = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["incident", "number"], name="statement_once"),)


class StatementText(models.Model):
    """What was written: JSON under a data key of its own, which goes when the participant erases.

    It cannot be the key of their contact details: that one goes when they leave, and when a roster brings
    new details, while what happened has still to be followed up.
    """

    statement = models.OneToOneField(Statement, on_delete=models.CASCADE, related_name="text")
    data_key = models.TextField()
    sealed = models.TextField()
