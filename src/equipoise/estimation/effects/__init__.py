"""Estimators of a contrast of arms, one file each."""
