"""The words of a message for one participant."""
