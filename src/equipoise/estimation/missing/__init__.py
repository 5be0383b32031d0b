"""What can be said of all randomised when some did not answer."""
