"""Where sessions are kept: a table that says whose each one is. This is `SESSION_ENGINE`."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from equipoise.platform.database import writing
from equipoise.platform.staff.models import StaffSession

__all__ = ["SessionStore"]


class SessionStore(DatabaseStore):
    """Django's store in the database, on our table, in the queue of whoever writes."""

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        """Our table."""
        return StaffSession

    def create_model_instance(self, data: Any) -> StaffSession:
        """A row that names who is signed in, once somebody is."""
        row = super().create_model_instance(data)
        row.member_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        return row

    def save(self, must_create: bool = False) -> None:
        """Store the session."""
        with writing():
            super().save(must_create)

    def delete(self, session_key: str | None = None) -> None:
        """Forget the session."""
        with writing():
            super().delete(session_key)
