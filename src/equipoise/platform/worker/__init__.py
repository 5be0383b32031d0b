"""The loop that does what is due."""
