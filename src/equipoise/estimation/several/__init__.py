"""Several outcomes, arms or claims at once."""
