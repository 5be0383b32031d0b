"""The accounts of staff."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

__all__ = ["Role", "StaffMember"]


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

    def roles_in(self, study_id: int | None) -> frozenset[str]:
        """Their roles in a study, and those of the workspace, which hold in every study."""
        if not self.is_active:
            return frozenset()
        held = self.roles.filter(models.Q(study_id=study_id) | models.Q(study_id=None))
        return frozenset(held.values_list("role", flat=True))

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A role of one member of staff, in one study or, without a study, in the whole workspace.

    `study_id` is the registry's number of the study: this app knows nothing of studies.
    """

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="roles")
    study_id = models.BigIntegerField(null=True)
    role = models.CharField(max_length=20)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["member", "study_id", "role"], name="role_once", nulls_distinct=False
            ),
        )
