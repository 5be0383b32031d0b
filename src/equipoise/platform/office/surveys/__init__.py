"""Who has answered, what participants are shown, and the links by which they come."""
