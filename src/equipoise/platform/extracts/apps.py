"""The app of HR extracts: with it comes its part of what is kept of a participant, and of an erasure."""

from django.apps import AppConfig

__all__ = ["ExtractsConfig"]


class ExtractsConfig(AppConfig):
    """Loads what the app adds to others once all apps are there."""

    name = "equipoise.platform.extracts"
    label = "extracts"

    def ready(self) -> None:
        """Add to the records of participants and to what an erasure destroys."""
        from equipoise.platform.extracts import records  # noqa: F401
