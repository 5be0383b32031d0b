"""Services as they are stored: of a token, only its hash."""

from datetime import UTC, datetime

from django.db import models

from equipoise.platform.permissions import Grant, InStudy, can
from equipoise.platform.registry.models import Partner, Study
from equipoise.platform.services.scopes import ROLE, verbs_of
from equipoise.platform.staff.models import StaffMember

__all__ = ["Service"]


class Service(models.Model):
    """A program that works in one study, perhaps for one partner's people only.

    Somebody of the staff keeps it and answers for it: it works as long as they may keep services in the
    study. Times are the real ones, as those of staff's sessions are: a rehearsal that jumps by weeks ends no
    token.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="services")
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    keeper = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="services")
    name = models.CharField(max_length=80)
    scopes = models.JSONField()
    token_hash = models.CharField(max_length=64, unique=True)
    token_begins = models.CharField(max_length=20)  # by which people tell it from others
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    used_on = models.DateField(null=True)  # the last day, and no more than the day

    @property
    def actor(self) -> str:
        """How the record names it."""
        return f"service:{self.pk}"

    @property
    def standing(self) -> str:
        """Whether it `works`, was `ended`, has `expired`, or `waits` because its keeper lost their role."""
        if self.ended_at is not None:
            return "ended"
        if self.expires_at <= datetime.now(UTC):
            return "expired"
        return "works" if can(self.keeper, "services.keep", self.study) else "waits"

    def grants_in(self, study: InStudy | None) -> frozenset[Grant]:
        """The role of a data manager, cut down to the verbs of its scopes; nothing in any other study."""
        if study is None or study.pk != self.study_id or self.standing != "works":
            return frozenset()
        return frozenset({Grant(ROLE, self.partner_id, verbs_of(self.scopes))})
