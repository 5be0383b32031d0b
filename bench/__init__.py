"""What is timed: one script for each stated figure. `make bench` runs them all."""
