"""What a study says that it will do."""
