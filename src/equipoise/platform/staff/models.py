"""The accounts of staff, the roles that they hold, and the sessions in which they are signed in."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from equipoise.platform.permissions import Grant, InStudy

__all__ = ["Role", "StaffMember", "StaffSession", "Standing"]


class _Staff(BaseUserManager):
    def get_by_natural_key(self, username: str | None) -> Any:
        return self.get(email__iexact=username)


class StaffMember(AbstractBaseUser):
    """Somebody who works on studies. They are shown as `staff:NUMBER` in the record, never by name."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_code = models.BigIntegerField(default=0)  # half-minute of the last code taken

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: tuple[str, ...] = ()
    objects = _Staff()

    @property
    def actor(self) -> str:
        """How the record names them."""
        return f"staff:{self.pk}"

    def grants_in(self, study: InStudy | None) -> frozenset[Grant]:
        """Their roles in a study, with those of its programme and of the workspace, which hold in it too."""
        return Standing(self).grants_in(study)

    def __str__(self) -> str:
        return self.name


class Standing:
    """All that a member of staff holds anywhere, read once: for pages that ask about many studies."""

    def __init__(self, member: StaffMember) -> None:
        self.actor = member.actor
        held = member.roles.values_list("role", "partner_id", "study_id", "programme_id")
        self._held = list(held) if member.is_active else []

    def grants_in(self, study: InStudy | None) -> frozenset[Grant]:
        """As for whoever acts."""
        return frozenset(
            Grant(role, partner)
            for role, partner, of_study, of_programme in self._held
            if (of_study is None and of_programme is None)
            or (study is not None and of_study == study.pk)
            or (study is not None and of_programme is not None and of_programme == study.programme_id)
        )


class Role(models.Model):
    """A role of one member of staff: in one study, for one of its partners only where one is named; in one
    programme; or, where neither is named, in the whole workspace.

    The numbers are the registry's: this app knows nothing of studies.
    """

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="roles")
    programme_id = models.BigIntegerField(null=True)
    study_id = models.BigIntegerField(null=True)
    partner_id = models.BigIntegerField(null=True)
    role = models.CharField(max_length=20)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["member", "programme_id", "study_id", "partner_id", "role"],
                name="role_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(programme_id=None) | models.Q(study_id=None), name="role_in_one_place"
            ),
            models.CheckConstraint(
                condition=models.Q(partner_id=None) | models.Q(study_id__isnull=False),
                name="role_for_a_partner_of_a_study",
            ),
        )


class StaffSession(AbstractBaseSession):
    """A session, with whose it is, so that they can see it and end it. It goes when it ends or expires.

    What is kept of the browser is its name in words: no address, and nothing else that it says of itself.
    """

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, null=True, related_name="sessions")
