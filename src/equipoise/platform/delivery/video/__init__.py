"""What messages lead to, how much of it was watched, and the dose that comes of it."""
