"""Addresses of the fieldwork pages."""

urlpatterns: list[object] = []
