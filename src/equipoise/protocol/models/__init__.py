"""What may stand in each file of a study folder."""
