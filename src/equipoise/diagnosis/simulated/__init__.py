"""One study simulated in full: its people, lots, response and answers, and the effect that is planted."""
