"""Dispatches and what became of them.

A dispatch is one participant, one contact, one occasion, and there is at most one of it. Its events are only
added. No table holds an address, a name or a text.
"""

from django.db import models
from django.db.models import Q

from equipoise.platform.audit.models import Seal
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Partner, Study

__all__ = [
    "Alarm",
    "CarrierPause",
    "ClosedAddress",
    "ConfirmedContact",
    "Dispatch",
    "DispatchEvent",
    "DispatchTally",
    "InboundText",
    "MessageLink",
    "Occasion",
    "PartnerFile",
    "Receipt",
    "SealedDispatchEvent",
    "Watch",
    "WorkerBeat",
]


class ConfirmedContact(models.Model):
    """That a person let a contact go out in the form that has this digest; nothing else is planned or sent.

    An amendment or an upgrade that changes what a contact sends changes its digest, and waits for a person.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="confirmed_contacts")
    contact = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["study", "contact", "digest"], name="contact_confirmed_once"),
        )


class Occasion(models.Model):
    """An occasion of a contact whose dispatches are made, in the form that has this digest."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="occasions")
    contact = models.CharField(max_length=80)
    number = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64)
    due_at = models.DateTimeField()
    planned_at = models.DateTimeField()
    people = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["study", "contact", "number", "digest"], name="occasion_once"),
        )


class Dispatch(models.Model):
    """One participant, one contact, one occasion.

    planned: to go out from `next_at` on. claimed: a worker holds it until `lease_until`, and has not spoken
    to the provider. sending: the provider is spoken to. sent: the provider took it. unknown: it may have
    gone out or not. missed: it could not go out in its time. `contact` is a contact's name, or `WAVE.invite`,
    `WAVE.remind`, `WAVE.thank`; occasions count from 1. `lease_until` is real time, in a rehearsal as well;
    of what is unknown it is from when on the provider is asked, and None once only a person can tell.
    `sent_at` is when the provider was spoken to, unless it refused. `fence` goes up with each claim: only
    whoever holds the newest number may go on. `reference` is what the provider is told, and is asked about.
    """

    STATES = (
        "planned",
        "claimed",
        "sending",
        "sent",
        "delivered",
        "failed",
        "unknown",
        "cancelled",
        "missed",
    )

    # Each message changes its row three times, and every index of the table with it: none is there twice.
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="dispatches", db_index=False
    )
    contact = models.CharField(max_length=80)
    occasion = models.PositiveSmallIntegerField()
    channel = models.CharField(max_length=8)  # email, sms, letter
    carrier = models.CharField(max_length=16)  # the channel's folder: smtp, notify, partner_file, post, ...
    due_at = models.DateTimeField()  # as the schedule says
    next_at = models.DateTimeField()  # not before: `due_at` at first, later after a temporary failure
    last_at = models.DateTimeField()  # not after: then it is missed
    state = models.CharField(max_length=10, default="planned")
    reason = models.CharField(max_length=24, blank=True)  # why it is failed, unknown, cancelled or missed
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=24, blank=True)
    lease_until = models.DateTimeField(null=True)
    reference = models.CharField(max_length=32, null=True)
    provider_id = models.CharField(max_length=120, blank=True)
    version = models.PositiveIntegerField(null=True)  # of the study, whose template went out
    parts = models.PositiveSmallIntegerField(null=True)  # of a text message
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["participant", "contact", "occasion"], name="dispatch_once"),
            models.UniqueConstraint(
                fields=["reference"], condition=Q(reference__isnull=False), name="dispatch_reference"
            ),
        )
        indexes = (
            models.Index(
                fields=["study", "carrier", "next_at"], condition=Q(state="planned"), name="dispatch_due"
            ),
            # By what is compared with it, not by a list of states: SQLite would not use such an index.
            models.Index(
                fields=["lease_until"], condition=Q(lease_until__isnull=False), name="dispatch_held"
            ),
            models.Index(fields=["study", "contact", "occasion", "state"], name="dispatch_counts"),
            models.Index(fields=["study", "state", "due_at"], name="dispatch_by_state"),
            models.Index(
                fields=["study", "state", "reason", "due_at"],
                condition=~Q(reason=""),
                name="dispatch_by_reason",
            ),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="dispatch_by_provider"),
            models.Index(fields=["sent_at"], condition=Q(sent_at__isnull=False), name="dispatch_by_time"),
        )


class DispatchEvent(models.Model):
    """What happened to a dispatch; never changed. `key` makes an event that is told twice one event."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16)  # sending, sent, delivered, later, failed, unknown, repeated, ...
    code = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=12)  # worker, provider, file, person, participant
    key = models.CharField(max_length=64, null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["key"], condition=Q(key__isnull=False), name="dispatch_event_once"
            ),
        )
        indexes = (models.Index(fields=["at"], name="dispatch_event_by_time"),)


class DispatchTally(models.Model):
    """How many dispatches of a study are in which state, as the worker last counted them.

    Only for studies with so many that counting them takes longer than a page may. `counts` holds a list for
    each contact, occasion and state: these three, the number, and the parts of text messages.
    """

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="+")
    counts = models.JSONField()
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()


class SealedDispatchEvent(models.Model):
    """Which seal covers an event, as which leaf; the digest outlives an erasure, so the root still fits."""

    event_id = models.BigIntegerField(primary_key=True)
    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, related_name="dispatch_events")
    place = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    erased = models.BooleanField(default=False)


class Receipt(models.Model):
    """What a provider told us of a message, kept whether or not we know the message yet."""

    carrier = models.CharField(max_length=16)
    provider_id = models.CharField(max_length=120)
    reference = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=40)
    told_at = models.DateTimeField()  # as the provider dates it
    at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["carrier", "provider_id", "status", "told_at"], name="receipt_once"
            ),
        )
        indexes = (
            models.Index(fields=["at"], condition=Q(applied_at__isnull=True), name="receipt_waiting"),
            models.Index(fields=["reference"], condition=~Q(reference=""), name="receipt_by_reference"),
        )


class ClosedAddress(models.Model):
    """A contact column of a participant to which nothing goes any more: it bounced, or somebody complained.

    A roster update that brings another address for the column opens it again.
    """

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="closed_addresses")
    column = models.CharField(max_length=60)
    digest = models.CharField(max_length=64)  # of the address, as `people.Lookup` has it
    reason = models.CharField(max_length=24)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["participant", "column", "digest"], name="address_closed_once"),
        )


class InboundText(models.Model):
    """A text that somebody sent us: that it came and what was done; neither its number nor its words."""

    carrier = models.CharField(max_length=16)
    provider_id = models.CharField(max_length=120, unique=True)
    outcome = models.CharField(max_length=16)  # stopped, unknown-number, no-keyword
    at = models.DateTimeField()


class CarrierPause(models.Model):
    """Until when a carrier is left in peace, and why: its limit is reached, or it refuses us."""

    carrier = models.CharField(max_length=16, primary_key=True)
    until = models.DateTimeField()
    reason = models.CharField(max_length=40)
    told_at = models.DateTimeField(null=True)


class WorkerBeat(models.Model):
    """That a worker was alive; only what a silent one holds is taken from it."""

    worker = models.CharField(max_length=24, primary_key=True)
    started_at = models.DateTimeField()
    at = models.DateTimeField()  # real time, in a rehearsal as well


class MessageLink(models.Model):
    """The link in a message to its own page, such as a video's; only its hash is stored."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="links")
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)  # a person pressed the button of the page
    started_at = models.DateTimeField(null=True)  # the video was started


class Watch(models.Model):
    """How much of a message's video was watched, as far as the player told: merged seconds of its length."""

    dispatch = models.OneToOneField(Dispatch, on_delete=models.CASCADE, related_name="watch")
    ranges = models.JSONField(default=list)  # [[from, to], ...] in seconds, in order, apart
    seconds = models.FloatField(default=0)
    length = models.FloatField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()


class PartnerFile(models.Model):
    """A file made for a partner or for the post, or one that came back: by its hash, and what came of it.

    `partner` is whose people were in it; None in the post. That the post was taken away has no file.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="partner_files")
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    carrier = models.CharField(max_length=16)
    kind = models.CharField(max_length=12)  # made, receipts, posted
    contact = models.CharField(max_length=80)
    occasion = models.PositiveSmallIntegerField(null=True)
    file_hash = models.CharField(max_length=64)
    counts = models.JSONField()
    actor = models.CharField(max_length=80)
    at = models.DateTimeField()


class Alarm(models.Model):
    """That something parts from the plan: since when, who was told, and when it was over."""

    study = models.ForeignKey(Study, null=True, on_delete=models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=24)  # behind, carrier, unknown, bounces
    numbers = models.JSONField()
    since = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["study", "kind"], condition=Q(ended_at=None), name="alarm_once"),
        )
