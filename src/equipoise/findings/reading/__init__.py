"""The data of a study: read, typed, held together, and scored."""
