"""The app of incidents: with it comes its part of what is kept of a participant, and of the keys."""

from django.apps import AppConfig

__all__ = ["IncidentsConfig"]


class IncidentsConfig(AppConfig):
    """Loads what the app adds to others once all apps are there."""

    name = "equipoise.platform.incidents"
    label = "incidents"

    def ready(self) -> None:
        """Add to the records of participants, and to the rotation of keys."""
        from equipoise.platform.incidents import records  # noqa: F401
