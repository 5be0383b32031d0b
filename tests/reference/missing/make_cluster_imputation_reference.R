# Reference values for imputation of people in clusters, made once; the tests read the stored output.
# Run in this folder: Rscript make_cluster_imputation_reference.R
# Needs mice, pan, jsonlite (Debian: r-cran-mice r-cran-pan r-cran-jsonlite).
suppressMessages({library(mice); library(pan); library(jsonlite)})
RNGversion("4.2.0"); set.seed(20261125)

# Forty clusters of 3 to 12 people, in two arms; those with a high second outcome answer less.
size <- sample(3:12, 40, replace = TRUE)
team <- rep(seq_along(size), size); n <- length(team); arm <- team %% 2
before <- round(rnorm(n) + rnorm(40)[team] * 0.5, 3)
other <- round(0.6 * before + rnorm(40)[team] * 0.6 + rnorm(n), 3)
score <- round(0.5 * before + 0.8 * other + 0.4 * arm + rnorm(40)[team] * 0.8 + rnorm(n), 3)
score[runif(n) < plogis(other - 0.6)] <- NA
trial <- data.frame(team, arm, before, other, score)
write.csv(trial, "cluster_imputation_trial.csv", row.names = FALSE, na = "")

m <- 400
made <- lapply(0:1, function(k) {
  data <- trial[trial$arm == k, c("team", "before", "other", "score")]
  predictors <- matrix(0, 4, 4, dimnames = list(names(data), names(data)))
  predictors["score", ] <- c(-2, 1, 1, 0)
  mice(data, m = m, maxit = 1, method = c("", "", "", "2l.pan"), predictorMatrix = predictors, paniter = 200, printFlag = FALSE, seed = 7 + k)
})
means <- lapply(made, function(one) sapply(seq_len(m), function(i) {
  whole <- complete(one, i)
  by_team <- aggregate(score ~ team, whole, mean)$score
  c(mean(by_team), var(by_team) / length(by_team))
}))
rule <- pool.scalar(means[[2]][1, ] - means[[1]][1, ], means[[1]][2, ] + means[[2]][2, ], n = 40, k = 2)
out <- list(versions = list(R = R.version.string, mice = as.character(packageVersion("mice")), pan = as.character(packageVersion("pan"))),
            difference_of_team_means = list(estimate = rule$qbar, within = rule$ubar, between = rule$b, m = m))
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "cluster_imputation_reference.json")
