"""Links, sessions and submissions. A submission is never changed: the latest of a page is the answer."""

from django.db import models

from equipoise.platform.audit.models import Seal
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Partner, Study

__all__ = ["Link", "LinkRequest", "OpenLink", "QuotaPlace", "SealedSubmission", "Session", "Submission"]


class Link(models.Model):
    """A personal link to a wave, or to one's choices where `wave` is empty; only its hash is stored."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="links")
    wave = models.CharField(max_length=60, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()


class LinkRequest(models.Model):
    """Somebody who is known asked for their link again; the worker sends it and says so here."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="link_requests")
    at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)


class OpenLink(models.Model):
    """A link for everybody, for studies that recruit openly. `label` says where it was put up."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="open_links")
    wave = models.CharField(max_length=60)
    label = models.CharField(max_length=80)
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)


class Session(models.Model):
    """One participant's answering of one wave, on any number of devices.

    `order` is what the participant is shown in which order, drawn once and stored before it is shown. `study`
    and `partner` are the participant's, so that a hundred thousand sessions are counted without their people;
    whoever moves to another partner takes theirs along.
    """

    STATES = ("started", "complete", "screened-out", "quota-full", "declined", "withdrawn")

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="sessions")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    wave = models.CharField(max_length=60)
    code = models.CharField(max_length=12, unique=True)  # names the session in addresses; it opens nothing
    state = models.CharField(max_length=12, default="started")
    language = models.CharField(max_length=20)
    version = models.PositiveIntegerField()  # of the study
    wording = models.CharField(max_length=64)
    order = models.JSONField()
    consent = models.CharField(max_length=64, blank=True)  # the version agreed to; no page is shown before
    channel = models.CharField(max_length=12, default="web")  # web, telephone, paper
    entered_by = models.CharField(max_length=80, blank=True)
    via = models.ForeignKey(OpenLink, null=True, on_delete=models.PROTECT)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["participant", "wave"], name="session_once"),)
        indexes = (
            models.Index(
                fields=["study", "wave", "state", "partner", "ended_at", "participant"], name="session_counts"
            ),
        )


class Submission(models.Model):
    """One page as sent: the answers, why there is none, what was seen, and how long the page was open."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="submissions")
    key = models.CharField(max_length=32)  # of the page as shown: a second click or a replay has the same
    page = models.CharField(max_length=60)
    answers = models.JSONField()
    shown = models.JSONField()  # order of what was on the page, wording version, language
    seconds = models.FloatField(null=True)
    channel = models.CharField(max_length=12, default="web")
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["session", "key"], name="submission_once"),)
        indexes = (models.Index(fields=["at"], name="submission_by_time"),)


class SealedSubmission(models.Model):
    """Which seal covers a submission, as which leaf; the digest outlives an erasure, so the root still
    fits."""

    submission_id = models.BigIntegerField(primary_key=True)
    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, related_name="submissions")
    place = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    erased = models.BooleanField(default=False)  # its participant had their answers erased


class QuotaPlace(models.Model):
    """A place taken in a quota. Places are numbered up to the quota's size, so none is given twice."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT)
    wave = models.CharField(max_length=60)
    quota = models.CharField(max_length=60)
    number = models.PositiveIntegerField()
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="quota_places")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["study", "wave", "quota", "number"], name="quota_place_once"),
            models.UniqueConstraint(fields=["session", "quota"], name="quota_once_a_session"),
        )
