"""The app of messages: with it comes its part of what is kept of a participant."""

from django.apps import AppConfig

__all__ = ["DeliveryConfig"]


class DeliveryConfig(AppConfig):
    """Loads what the app adds to others once all apps are there."""

    name = "equipoise.platform.delivery"
    label = "delivery"

    def ready(self) -> None:
        """Add to records of participants, to what an erasure destroys, and to what a launch waits for."""
        from equipoise.platform.delivery import erasing, readiness, records  # noqa: F401
        from equipoise.platform.delivery.planning import confirming, sweeping  # noqa: F401
        from equipoise.platform.delivery.video import media  # noqa: F401
