"""Inference from the draw alone: tests that re-draw the arms, intervals that invert them."""
