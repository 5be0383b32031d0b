"""What was found: `analyse` walks the plan, calls estimation, and wraps what it returns with its provenance."""
