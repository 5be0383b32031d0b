"""The log of harms and incidents."""
