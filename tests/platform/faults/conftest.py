"""Participants with links, as the tests of the fieldwork have them."""

from tests.platform.fieldwork.conftest import link, people

__all__ = ["link", "people"]
