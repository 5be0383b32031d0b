"""Estimands and models in words."""
