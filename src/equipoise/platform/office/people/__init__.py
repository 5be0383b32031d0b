"""The people of a study, one of them, and what is done for them."""
