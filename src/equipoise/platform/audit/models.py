"""What the record is stored as. Rows of `Entry` and `Seal` are never changed and never removed."""

from django.db import models

__all__ = ["Chain", "Entry", "RehearsalClock", "Seal"]


class Chain(models.Model):
    """The head of a chain (one a study, one for the workspace); locked while an entry is added."""

    name = models.CharField(max_length=80, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=64)


class Entry(models.Model):
    """One act: when, who, what, with what; and the hash that ties it to the entry before it."""

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="entries")
    number = models.PositiveBigIntegerField()
    at = models.CharField(max_length=32)
    actor = models.CharField(max_length=80)
    verb = models.CharField(max_length=80)
    details = models.TextField()
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["chain", "number"], name="entry_once"),)


class Seal(models.Model):
    """The Merkle root over the rows added since the last seal; its entry in the chain holds it too."""

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="seals")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    kind = models.CharField(max_length=40)
    rows = models.PositiveIntegerField()
    root = models.CharField(max_length=64)


class RehearsalClock(models.Model):
    """The time of a rehearsal: one row."""

    moment = models.DateTimeField()
