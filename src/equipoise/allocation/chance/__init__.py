"""Where chance comes from: the seed, its secret and public round, and the numbers that it fixes."""
