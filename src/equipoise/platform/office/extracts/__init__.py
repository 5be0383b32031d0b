"""HR extracts: the file, its columns, a look at what would be linked."""
