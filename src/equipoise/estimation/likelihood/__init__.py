"""What regressions fitted by likelihood share: their columns, covariance, means by arm, and refusals."""
