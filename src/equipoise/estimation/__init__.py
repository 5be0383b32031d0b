"""Estimators: pure arrays in, frozen records out."""
