"""Studies as the workspace holds them: what a study says stays in its folder; here is what became of it."""

from django.db import models

__all__ = ["Partner", "Programme", "Stage", "Study", "StudyVersion"]


class Programme(models.Model):
    """Several studies under one roof."""

    name = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=300)


class Study(models.Model):
    """A study. `name` is the protocol's `study.id`; the state tables are in `policies`."""

    name = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=300)
    programme = models.ForeignKey(Programme, null=True, on_delete=models.PROTECT, related_name="studies")
    state = models.CharField(max_length=12, default="locked")
    results = models.CharField(max_length=12, default="masked")
    version = models.PositiveIntegerField(default=1)  # the number of the folder in force
    added_at = models.DateTimeField()
    launched_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    order_key = models.BinaryField(max_length=32)  # the stream `order` where no allocation has a secret


class StudyVersion(models.Model):
    """A folder as it came in: the lock is the first, each amendment the next. The newest is in force."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    protocol_hash = models.CharField(max_length=64)
    folder = models.CharField(max_length=200)  # below the workspace's `studies`
    entered_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["study", "number"], name="version_once"),)


class Partner(models.Model):
    """An organisation whose people take part in a study."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="partners")
    name = models.SlugField(max_length=80)
    title = models.CharField(max_length=300)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["study", "name"], name="partner_once"),)


class Stage(models.Model):
    """A stage of allocation: planned, committed (who and which strata are fixed), drawn.

    The secret is kept wrapped by the workspace's key from when it is handed in; the lock holds its
    commitment.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="stages")
    name = models.CharField(max_length=60)
    state = models.CharField(max_length=12, default="planned")
    secret = models.TextField(blank=True)
    roster_hash = models.CharField(max_length=64, blank=True)
    committed_at = models.DateTimeField(null=True)
    committed = models.JSONField(null=True)  # by which folder, at which ratio, which public round decides
    public_round = models.JSONField(null=True)
    drawn_at = models.DateTimeField(null=True)
    balance = models.JSONField(null=True)  # how alike the arms were when it was drawn
    record = models.TextField(blank=True)  # the allocation record, as `equipoise verify` reads it

    class Meta:
        constraints = (models.UniqueConstraint(fields=["study", "name"], name="stage_once"),)
