"""The app of messages."""

from django.apps import AppConfig

__all__ = ["DeliveryConfig"]


class DeliveryConfig(AppConfig):
    """Named, so that its label does not hang on where it lies."""

    name = "equipoise.platform.delivery"
    label = "delivery"
