"""The app of staff: what it listens to is connected once it is ready."""

from django.apps import AppConfig

__all__ = ["StaffConfig"]


class StaffConfig(AppConfig):
    """Members of staff."""

    name = "equipoise.platform.staff"
    label = "staff"

    def ready(self) -> None:
        """Connect what is listened to."""
        from equipoise.platform.staff import events

        events.connect()
