"""Harms and incidents: what happened and when, told without the arm, and how it was put right."""
