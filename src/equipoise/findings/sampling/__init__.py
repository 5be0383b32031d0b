"""Whom and what an analysis looks at: people, points of time, covariates, the allocation drawn again."""
