"""Data as files, the blinded review, the seal, and unmasking."""
