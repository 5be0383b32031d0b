"""Messages: what goes to how many and when, what became of it, and what waits for a person."""
