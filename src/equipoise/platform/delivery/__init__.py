"""Messages: what is due to whom, sent once, by which channel, and what became of it."""
