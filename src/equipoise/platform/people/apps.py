"""The app of people: with it come its lines of the checklist."""

from django.apps import AppConfig

__all__ = ["PeopleConfig"]


class PeopleConfig(AppConfig):
    """Loads what the app adds to others once all apps are there."""

    name = "equipoise.platform.people"
    label = "people"

    def ready(self) -> None:
        """Add to the checklist."""
        from equipoise.platform.people import readiness  # noqa: F401
