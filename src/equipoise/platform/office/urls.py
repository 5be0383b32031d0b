"""Addresses of the office pages."""

urlpatterns: list[object] = []
