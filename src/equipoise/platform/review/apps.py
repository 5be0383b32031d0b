"""The app of the data review: with it come its part of a participant's record, and of what they erase."""

from django.apps import AppConfig

__all__ = ["ReviewConfig"]


class ReviewConfig(AppConfig):
    """Loads what the app adds to others once all apps are there."""

    name = "equipoise.platform.review"
    label = "review"

    def ready(self) -> None:
        """Add to the record of a participant, and to what goes with them."""
        from equipoise.platform.review import of_one  # noqa: F401
