# Reference values for estimators of designs, made once; the tests read the stored output.
# Run in this folder: Rscript make_designs_reference.R
# Needs estimatr, sandwich, MASS, ordinal, jsonlite (Debian: r-cran-estimatr r-cran-sandwich r-cran-mass
# r-cran-ordinal r-cran-jsonlite). The data are made here, and stored as designs_trial.csv.
suppressMessages({library(estimatr); library(sandwich); library(MASS); library(ordinal); library(jsonlite)})

set.seed(7)
people <- 240
trial <- data.frame(site = rep(1:4, each = 60), rater = rep(1:15, 16), team = rep(1:24, each = 10))
trial$arm <- c("control", "high", "low")[1 + (trial$team %% 3)]
trial$before <- round(rnorm(people) + 0.1 * trial$site, 4)
trial$chance <- c(0.5, 0.4, 0.3, 0.6)[trial$site]
trial$treated <- as.numeric(runif(people) < trial$chance)
latent <- 0.5 * (trial$arm == "high") + 0.8 * trial$before + rnorm(24)[trial$team] * 0.4 +
  rnorm(15)[trial$rater] * 0.5 + rlogis(people) * 0.6
trial$y <- round(latent + 0.6 * trial$treated, 4)
trial$answer <- as.integer(cut(latent, c(-Inf, -1, 0, 0.7, 1.6, Inf)))
write.csv(trial, "designs_trial.csv", row.names = FALSE)

errors <- function(v) unname(sqrt(diag(v))[c("armhigh", "armlow", "before")])
fit <- lm(y ~ arm + before, data = trial)
two <- vcovCL(fit, cluster = ~ team + rater, type = "HC1")
one <- vcovCL(fit, cluster = ~ team, type = "HC1")
hc3 <- vcovCL(fit, cluster = ~ team, type = "HC3", cadjust = FALSE)

lin <- function(...) {
  f <- lm_lin(y ~ arm, data = trial, ...)
  at <- c("armhigh", "armlow")
  list(estimate = unname(f$coefficients[at]), std_error = unname(f$std.error[at]), dof = unname(f$df[at]))
}

ht <- horvitz_thompson(y ~ treated, data = trial, condition_prs = chance)
complete <- 80
fixed <- data.frame(y = trial$y[1:complete])
fixed$treated <- rep(c(0, 0, 0, 1, 1), complete / 5)
count <- sum(fixed$treated)
pairs <- function(m, k) {
  p <- matrix(m * k / (complete * (complete - 1)), complete, complete)
  diag(p) <- 0
  p
}
inside <- function(m) { p <- pairs(m, m - 1); diag(p) <- m / complete; p }
other <- complete - count
joint <- rbind(cbind(inside(other), pairs(other, count)), cbind(pairs(count, other), inside(count)))
ht_complete <- horvitz_thompson(y ~ treated, data = fixed, condition_pr_mat = joint)
whole <- trial[trial$team <= 12, ]                    # 12 teams, of which 4 are treated as a whole
whole$treated <- as.numeric(whole$team %in% c(2, 5, 6, 11))
of_teams <- function(m, k, same) outer(whole$team, whole$team, function(a, b)
  ifelse(a == b, same, m * k / (12 * 11)))
joint_teams <- rbind(cbind(of_teams(8, 7, 8 / 12), of_teams(8, 4, 0)),
                     cbind(of_teams(4, 8, 0), of_teams(4, 3, 4 / 12)))
ht_teams <- horvitz_thompson(y ~ treated, data = whole, clusters = team, condition_pr_mat = joint_teams)
trial$weight <- ifelse(trial$treated == 1, 1 / trial$chance, 1 / (1 - trial$chance))
hajek <- function(type) { f <- lm_robust(y ~ treated, data = trial, weights = weight, se_type = type)
  list(estimate = unname(f$coefficients["treated"]), std_error = unname(f$std.error["treated"])) }

trial$scored <- factor(trial$answer, ordered = TRUE)
trial$z <- trial$before
cl <- clm(scored ~ arm + z, data = trial, control = clm.control(gradTol = 1e-13, maxIter = 100))
polr_fit <- polr(scored ~ arm + z, data = trial, Hess = TRUE, control = list(reltol = 1e-15, maxit = 1000))
kept <- c("armhigh", "armlow")
at <- match(kept, names(coef(cl)))
clustered <- vcovCL(cl, cluster = trial$team, type = "HC0", cadjust = FALSE)
robust <- sandwich(cl)

marginal <- function(theta) {
  cuts <- theta[1:4]; b <- theta[5:6]; s <- theta[7]
  mean_of <- function(shift) {
    below <- sapply(cuts, function(cut) plogis(cut - shift - s * trial$z))
    mean(5 - rowSums(below))
  }
  c(mean_of(0), mean_of(b[1]), mean_of(b[2]))
}
density_of <- function(theta, shift, own) {   # analytic derivatives of the mean score in the parameters
  d <- sapply(theta[1:4], function(cut) dlogis(cut - shift - theta[7] * trial$z))
  total <- rowSums(d)
  c(-colMeans(d), if (own == 1) mean(total) else 0, if (own == 2) mean(total) else 0, mean(total * trial$z))
}
theta <- unname(coef(cl))
gradient <- density_of(theta, theta[5], 1) - density_of(theta, 0, 0)

out <- list(
  versions = list(R = R.version.string, estimatr = as.character(packageVersion("estimatr")),
                  sandwich = as.character(packageVersion("sandwich")), MASS = as.character(packageVersion("MASS")),
                  ordinal = as.character(packageVersion("ordinal"))),
  two_way = errors(two), one_way = errors(one), CR3 = errors(hc3),
  lin_HC2 = lin(covariates = ~ before, se_type = "HC2"),
  lin_CR2 = lin(covariates = ~ before, clusters = team, se_type = "CR2"),
  lin_CR2_strata = lin(covariates = ~ before + factor(site), clusters = team, se_type = "CR2"),
  horvitz_thompson = list(estimate = unname(ht$coefficients), std_error = unname(ht$std.error)),
  horvitz_thompson_complete = list(estimate = unname(ht_complete$coefficients),
                                   std_error = unname(ht_complete$std.error)),
  horvitz_thompson_teams = list(estimate = unname(ht_teams$coefficients), std_error = unname(ht_teams$std.error)),
  hajek_HC0 = hajek("HC0"), hajek_HC2 = hajek("HC2"),
  clm = list(thresholds = unname(cl$alpha), coefficients = unname(coef(cl)[kept]),
             HC0 = unname(sqrt(diag(robust))[at]), CR0 = unname(sqrt(diag(clustered))[at]),
             means = marginal(theta), effect_HC0 = sqrt(c(gradient %*% robust %*% gradient)),
             effect_CR0 = sqrt(c(gradient %*% clustered %*% gradient))),
  polr = list(thresholds = unname(polr_fit$zeta), coefficients = unname(coef(polr_fit)[kept]))
)
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "designs_reference.json")
