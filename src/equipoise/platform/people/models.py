"""People, in tables kept apart: who there is, how to reach them, what the roster says, arms, consents."""

import secrets

from django.db import models

from equipoise.platform.registry.models import Partner, Stage, Study

__all__ = [
    "Allocation",
    "Committed",
    "Consent",
    "ContactDetails",
    "Lookup",
    "Participant",
    "PendingImport",
    "RosterFacts",
    "RosterImport",
    "Withdrawal",
]


def new_participant_key() -> str:
    """A pseudonym: 80 random bits as 16 letters and digits without those that look alike."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(16))


class RosterImport(models.Model):
    """An import or update that was confirmed: which file, by its hash, and what came of it, in numbers."""

    KINDS = ("import", "update")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="imports")
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT)
    kind = models.CharField(max_length=12, default="import")
    file_hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    counts = models.JSONField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["study", "file_hash"],
                condition=models.Q(kind="import", undone_at=None),
                name="file_imported_once",
            ),
        )


class PendingImport(models.Model):
    """A roster that was uploaded and is looked at: encrypted, gone once it is confirmed or a day old."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+")
    actor = models.CharField(max_length=80)
    name = models.CharField(max_length=200)
    file_hash = models.CharField(max_length=64)
    data_key = models.TextField()
    sealed = models.BinaryField()
    choices = models.JSONField(default=dict)  # kind, columns, constants, partner, encoding, good rows only
    at = models.DateTimeField()


class Participant(models.Model):
    """Somebody in a study, under a random key.

    An erased participant stays as a tombstone: this row and its withdrawal, so that totals reconcile.
    Somebody who came by an open link is `screening` until it is known whether they may take part; whoever
    may not is `ineligible`.
    """

    STATES = ("screening", "ineligible", "enrolled", "withdrawn", "erased")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="participants")
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="participants")
    key = models.CharField(max_length=16, unique=True, default=new_participant_key)
    state = models.CharField(max_length=12, default="enrolled")
    messages_stopped_at = models.DateTimeField(null=True)
    enrolled_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)  # left the employer; stays in the trial
    source = models.CharField(max_length=12, default="roster")  # roster, rolling, open-link
    imported = models.ForeignKey(
        RosterImport, null=True, on_delete=models.PROTECT, related_name="participants"
    )
    rehearsal = models.BooleanField(default=False)

    class Meta:
        indexes = (
            models.Index(fields=["study", "key"], name="participant_by_key"),
            models.Index(fields=["study", "state", "key"], name="participant_by_state"),
            models.Index(fields=["study", "enrolled_at", "key"], name="participant_by_time"),
            models.Index(fields=["study", "partner", "state", "key"], name="participant_by_partner"),
            models.Index(
                fields=["study", "state"],
                condition=models.Q(left_at__isnull=False),
                name="participant_has_left",
            ),
            models.Index(
                fields=["study", "state"],
                condition=models.Q(messages_stopped_at__isnull=False),
                name="participant_stopped",
            ),
            models.Index(fields=["study"], condition=models.Q(imported=None), name="participant_came"),
        )


class ContactDetails(models.Model):
    """How to reach a participant, and their identifier: JSON, encrypted under their own data key."""

    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="contact")
    data_key = models.TextField()
    sealed = models.TextField()


class Lookup(models.Model):
    """Keyed digests by which a participant is found again: of the identifier, and of each contact detail.

    That of the identifier outlives a withdrawal, so that whoever left is not enrolled again by the next
    import.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT)
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="lookups")
    column = models.CharField(max_length=60)
    digest = models.CharField(max_length=64)
    identifies = models.BooleanField(default=False)  # of the identifier: nobody is enrolled twice

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["participant", "column"], name="lookup_once"),
            models.UniqueConstraint(
                fields=["study", "digest"], condition=models.Q(identifies=True), name="identifier_once"
            ),
        )
        indexes = (models.Index(fields=["study", "column", "digest"], name="lookup_by_digest"),)


class RosterFacts(models.Model):
    """What the roster says of a participant besides contact details: the attributes, as typed JSON.

    Strata are frozen as soon as a stage that uses them is committed.
    """

    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="facts")
    values = models.JSONField()


class Committed(models.Model):
    """Who is to be drawn in a stage, in which stratum: fixed at the commitment, whatever becomes of them.

    `unit` is the cluster where clusters are drawn. `beside` is what the method looks at beside the stratum,
    in the order of the stage's `balanced_on`: a minimisation's levels, a criterion's covariates, as text.
    """

    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="places")
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="places")
    unit = models.CharField(max_length=300, blank=True)
    stratum = models.CharField(max_length=300)
    beside = models.JSONField(default=list)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["stage", "participant"], name="committed_once"),)


class Allocation(models.Model):
    """A participant's arm in a stage: written once, never changed.

    With rolling enrolment, `number` is the order of arrival and `beside` as in `Committed`: whoever comes
    later is minimised by it.
    """

    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="allocations")
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="allocations")
    stratum = models.CharField(max_length=300)
    number = models.PositiveIntegerField(null=True)  # within the stratum, with rolling enrolment
    beside = models.JSONField(default=list)
    arm = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["stage", "participant"], name="allocated_once"),
            models.UniqueConstraint(fields=["stage", "stratum", "number"], name="place_once"),
        )


class Consent(models.Model):
    """One answer to one activity, with the version of the words, when and how; the newest one counts."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="consents")
    activity = models.CharField(max_length=20)
    given = models.BooleanField()
    version = models.CharField(max_length=64)  # of the consent's words
    notice = models.CharField(max_length=64, blank=True)  # of the privacy notice that was shown with it
    language = models.CharField(max_length=20, default="en-GB")
    channel = models.CharField(max_length=12)  # web, telephone, paper, roster
    at = models.DateTimeField()


class Withdrawal(models.Model):
    """A choice to stop messages, to stop everything, or to have everything erased."""

    CHOICES = ("messages", "everything", "erase")

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="withdrawals")
    choice = models.CharField(max_length=12)
    at = models.DateTimeField()
    channel = models.CharField(max_length=12)  # web, telephone, paper, staff
