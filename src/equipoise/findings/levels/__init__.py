"""A contrast told apart: by category, along a number, by week, wave or dose."""
