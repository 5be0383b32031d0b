"""Programs that work in a study by a token: who keeps them, and what they may do."""
