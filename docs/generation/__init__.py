"""The reference, written from the code at every build: what is not said there cannot be said here."""
