"""A channel by which nothing leaves: for practising with a study that is live."""
