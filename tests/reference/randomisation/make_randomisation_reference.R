# Exact randomisation tests by refitting every allocation, made once; the tests read the stored output.
# Run in this folder: Rscript make_randomisation_reference.R
# Needs coin, estimatr, jsonlite (Debian: r-cran-coin r-cran-estimatr r-cran-jsonlite).
suppressMessages({library(coin); library(estimatr); library(jsonlite)})
set.seed(20)

people <- data.frame(stratum = rep(c("a", "b"), c(8, 6)), before = round(rnorm(14, 50, 10), 1))
people$arm <- c(0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0)
people$y <- round(10 + 0.5 * people$before + 4 * people$arm + rnorm(14, 0, 4), 1)
write.csv(people, "people.csv", row.names = FALSE)

sizes <- c(3, 7, 4, 5, 6, 2, 5, 4)
teams <- data.frame(team = rep(seq_along(sizes), sizes))
teams$arm <- c(1, 0, 0, 1, 1, 0, 1, 0)[teams$team]
teams$before <- round(rnorm(nrow(teams), 50, 10), 1)
teams$y <- round(rnorm(8, 0, 3)[teams$team] + 0.4 * teams$before + 3 * teams$arm + rnorm(nrow(teams), 0, 5), 1)
write.csv(teams, "teams.csv", row.names = FALSE)

arms_of <- function(n, k) {
  chosen <- combn(n, k)
  apply(chosen, 2, function(members) as.numeric(seq_len(n) %in% members))
}
p_of <- function(statistics, observed) mean(abs(statistics) >= abs(observed) * (1 - 1e-9))

# Within strata: four of eight, and three of six.
first <- arms_of(8, 4); second <- arms_of(6, 3)
pairs <- expand.grid(seq_len(ncol(first)), seq_len(ncol(second)))
allocations <- sapply(seq_len(nrow(pairs)), function(i) c(first[, pairs[i, 1]], second[, pairs[i, 2]]))
linear_t <- function(z) {
  fit <- lm_robust(y ~ z + before + factor(stratum), data = transform(people, z = z), se_type = "HC2")
  fit$statistic[["z"]]
}
lin_t <- function(z) {
  fit <- lm_lin(y ~ z, covariates = ~ before + factor(stratum), data = transform(people, z = z), se_type = "HC2")
  fit$statistic[["z"]]
}
means_t <- function(z) {
  fit <- difference_in_means(y ~ z, blocks = stratum, data = transform(people, z = z))
  fit$statistic[[1]]
}
linear <- apply(allocations, 2, linear_t)
lin <- apply(allocations, 2, lin_t)
means <- apply(allocations, 2, means_t)

# Whole teams, four of eight.
by_team <- arms_of(8, 4)
team_t <- function(z, y = teams$y) {
  data <- teams
  data$z <- z[teams$team]
  data$y <- y
  fit <- lm_robust(y ~ z + before, clusters = team, data = data, se_type = "CR2")
  fit$statistic[["z"]]
}
teams_p <- function(tau) {
  y <- teams$y - tau * teams$arm
  p_of(apply(by_team, 2, team_t, y = y), team_t(c(1, 0, 0, 1, 1, 0, 1, 0), y))
}
taus <- c(0, 3, 4, 5, 6, 8, 10, 12, 15)

factored <- transform(people, arm = factor(arm))
out <- list(
  versions = list(R = R.version.string, coin = as.character(packageVersion("coin")),
                  estimatr = as.character(packageVersion("estimatr"))),
  coin_difference = as.numeric(pvalue(oneway_test(y ~ arm, data = factored, distribution = exact()))),
  coin_ranks = as.numeric(pvalue(wilcox_test(y ~ arm, data = factored, distribution = exact()))),
  linear = list(statistic = linear_t(people$arm), p = p_of(linear, linear_t(people$arm))),
  lin = list(statistic = lin_t(people$arm), p = p_of(lin, lin_t(people$arm))),
  means = list(statistic = means_t(people$arm), p = p_of(means, means_t(people$arm))),
  teams = list(statistic = team_t(c(1, 0, 0, 1, 1, 0, 1, 0)), taus = taus, p = sapply(taus, teams_p))
)
write(toJSON(out, digits = 17, auto_unbox = TRUE, pretty = TRUE), "randomisation_reference.json")
