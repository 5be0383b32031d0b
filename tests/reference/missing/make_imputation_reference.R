# Reference values for Rubin's rules and for imputation by chained equations, made once; the tests read the
# stored output. Run in this folder: Rscript make_imputation_reference.R
# Needs mice, jsonlite (Debian: r-cran-mice r-cran-jsonlite).
suppressMessages({library(mice); library(jsonlite)})
RNGversion("4.2.0"); set.seed(20260301)

# A trial in which those with a high second outcome answer less; the second outcome has gaps too.
n <- 300
arm <- rep(0:1, n / 2)
before <- round(rnorm(n), 3)
other <- round(0.6 * before + 0.5 * arm + rnorm(n), 3)
score <- round(0.5 * before + other + 0.4 * arm + rnorm(n), 3)
passed <- as.integer(runif(n) < plogis(score))
gone <- runif(n) < plogis(other - 0.6)
score[gone] <- NA
passed[gone] <- NA
other[runif(n) < 0.15] <- NA
trial <- data.frame(arm, before, other, score, passed)
write.csv(trial, "imputation_trial.csv", row.names = FALSE, na = "")

m <- 1000
pooled <- function(outcome, method) {
  data <- trial[c("arm", "before", "other", outcome)]
  if (outcome == "passed") data$passed <- factor(data$passed)
  made <- lapply(0:1, function(k) {
    methods <- c(arm = "", before = "", other = if (method == "norm") "norm" else "pmm")
    methods[outcome] <- method
    mice(data[data$arm == k, ], m = m, maxit = 10, method = methods, printFlag = FALSE, seed = 7 + k)
  })
  found <- sapply(seq_len(m), function(i) {
    whole <- do.call(rbind, lapply(made, complete, i))
    y <- if (outcome == "passed") as.integer(as.character(whole$passed)) else whole[[outcome]]
    fit <- summary(lm(y ~ arm + before, data = whole))$coefficients["arm", 1:2]
    c(fit[1], fit[2]^2)
  })
  rule <- pool.scalar(found[1, ], found[2, ], n = n, k = 3)
  list(estimate = rule$qbar, within = rule$ubar, between = rule$b, df = rule$df, fmi = rule$fmi, m = m)
}

cases <- list(
  list(q = c(1.2, 1.5, 0.9, 1.1, 1.4), u = c(0.2, 0.22, 0.19, 0.21, 0.2), n = 50, k = 3),
  list(q = c(-3.1, -2.9, -3.0), u = c(4.1, 4.0, 4.3), n = 12, k = 4),
  list(q = c(0.01, 0.35, -0.4, 0.2), u = rep(0.001, 4), n = 900, k = 2),
  list(q = c(2, 2, 2), u = c(1, 1, 1), n = 30, k = 2),
  list(q = c(1.2, 1.5, 0.9, 1.1, 1.4), u = c(0.2, 0.22, 0.19, 0.21, 0.2), n = Inf, k = 1)
)
rubin <- lapply(cases, function(one) {
  rule <- pool.scalar(one$q, one$u, n = one$n, k = one$k)
  list(q = one$q, u = one$u, complete_dof = if (is.finite(one$n)) one$n - one$k else NULL,
       estimate = rule$qbar, total = rule$t, between = rule$b, df = rule$df, fmi = rule$fmi)
})

out <- list(
  versions = list(R = R.version.string, mice = as.character(packageVersion("mice"))),
  rubin = rubin,
  matching = pooled("score", "pmm"), normal = pooled("score", "norm"), logistic = pooled("passed", "logreg")
)
write(toJSON(out, digits = 17, auto_unbox = TRUE, pretty = TRUE, null = "null"), "imputation_reference.json")
