"""Least squares: the basis of a design, the fit, its covariances and their degrees of freedom."""
