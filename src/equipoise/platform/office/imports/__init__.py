"""A roster into a study: the file, its columns, a look at what would happen, line by line."""
