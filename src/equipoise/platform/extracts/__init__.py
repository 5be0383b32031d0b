"""HR extracts: files read, linked with participants by a keyed digest, and kept as values without a name."""
