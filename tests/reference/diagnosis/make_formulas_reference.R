# Powers, detectable differences and errors by R itself. Rscript make_formulas_reference.R, in this folder.
library(jsonlite)

people <- c(6, 20, 64, 500)
differences <- c(1.5, 0.8, 0.5, 0.12)
power <- mapply(function(n, d) power.t.test(n = n, delta = d, sd = 1, strict = TRUE)$power, people, differences)
detectable <- sapply(people, function(n) {
  power.t.test(n = n, power = 0.8, sd = 1, strict = TRUE, tol = 1e-14)$delta
})
strict <- sapply(people, function(n) {
  power.t.test(n = n, power = 0.9, sd = 1, sig.level = 0.01, strict = TRUE, tol = 1e-14)$delta
})

# A stepped wedge by generalised least squares: clusters and periods as they are written, no formula.
wedge <- function(switched, people, sd, icc) {
  clusters <- nrow(switched)
  periods <- ncol(switched)
  cluster <- rep(seq_len(clusters), each = periods)
  period <- factor(rep(seq_len(periods), clusters))
  design <- cbind(model.matrix(~period), effect = as.vector(t(switched)))
  v <- outer(cluster, cluster, "==") * sd^2 * icc + diag(clusters * periods) * sd^2 * (1 - icc) / people
  unname(sqrt(diag(solve(t(design) %*% solve(v) %*% design)))[periods + 1])
}
steps <- function(clusters, sequences, periods) {
  t(sapply(rep(seq_len(sequences), each = clusters), function(s) as.integer(seq_len(periods) > s)))
}
four <- steps(6, 4, 5)
uneven <- rbind(c(0, 1, 1, 1), c(0, 0, 1, 1), c(0, 0, 1, 1), c(0, 0, 0, 1), c(0, 0, 0, 0))
wedges <- c(
  wedge(four, 100, sqrt(0.05 * 0.95), 0.01), wedge(four, 12, 2, 0.2), wedge(uneven, 30, 1, 0.05),
  wedge(uneven, 30, 1, 0)
)

write(toJSON(list(
  r = R.version.string, people = people, differences = differences, power = power,
  detectable = detectable, detectable_strict = strict, wedges = wedges
), digits = 17, auto_unbox = TRUE, pretty = TRUE), "formulas_reference.json")
