"""The quick way: many trials at once as arrays, for analyses by least squares and differences in means."""
