# More reference values for mixed models, from data that make_mixed_reference.R made and two further trials.
# Run in this folder: Rscript make_mixed_more_reference.R
# Needs lme4, lmerTest, pbkrtest, nlme, jsonlite (Debian: r-cran-lme4 r-cran-lmertest r-cran-pbkrtest r-cran-nlme).
suppressMessages({library(lme4); library(lmerTest); library(pbkrtest); library(nlme); library(jsonlite)})
set.seed(20261125)

# A cluster crossover: 14 clusters, 2 arms in 4 periods in two orders, other people in each period (3 to 8).
crossed <- expand.grid(cluster = 1:14, period = 1:4)
crossed$arm <- c("a", "b")[(crossed$period + crossed$cluster) %% 2 + 1]
crossed <- crossed[-c(5, 33), ]
crossed <- crossed[rep(seq_len(nrow(crossed)), sample(3:8, nrow(crossed), replace = TRUE)), ]
pair <- interaction(crossed$cluster, crossed$period, drop = TRUE)
crossed$before <- round(rnorm(nrow(crossed), 50, 10), 3)
crossed$y <- round(10 + 0.3 * crossed$period + 0.8 * (crossed$arm == "b") + 0.05 * crossed$before + rnorm(14, 0, 1.5)[crossed$cluster] +
                   rnorm(nlevels(pair), 0, 0.8)[pair] + rnorm(nrow(crossed), 0, 2), 4)
write.csv(crossed, "cluster_crossover.csv", row.names = FALSE)

# Three waves of 96 people in 16 teams of 2 to 11, teams drawn to two arms; a score before; some waves missing.
size <- c(2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 8, 9, 11)
people <- data.frame(person = seq_len(sum(size)), team = rep(seq_along(size), size))
people$arm <- c("a", "b")[people$team %% 2 + 1]; people$before <- round(rnorm(nrow(people), 5, 2), 3)
teams <- merge(expand.grid(wave = 1:3, person = people$person), people); teams <- teams[order(teams$person, teams$wave), ]
root <- chol(matrix(c(2, 1.2, .9, 1.2, 2.5, 1.5, .9, 1.5, 3), 3))
teams$y <- round(c(t(matrix(rnorm(3 * nrow(people)), ncol = 3) %*% root)) + 0.4 * teams$before +
                 0.5 * (teams$arm == "b") * teams$wave + rnorm(16, 0, 0.9)[teams$team], 4)
teams <- teams[runif(nrow(teams)) > 0.06 * teams$wave, ]
write.csv(teams, "team_waves.csv", row.names = FALSE)

exact <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-12, maxfun = 1e5), calc.derivs = FALSE,
                     check.conv.singular = "ignore")
read <- function(name) read.csv(paste0(name, ".csv"), stringsAsFactors = TRUE)
joint <- function(formula, data, names) {
  fit <- lmer(formula, data, control = exact)
  L <- diag(length(fixef(fit)))[match(names, names(fixef(fit))), , drop = FALSE]
  test <- function(ddf) {
    found <- contestMD(fit, L, ddf = ddf)
    list(statistic = found[["F value"]], numerator = found[["NumDF"]], denominator = found[["DenDF"]], p = found[["Pr(>F)"]])
  }
  list(kenward_roger = test("Kenward-Roger"), satterthwaite = test("Satterthwaite"))
}
one <- function(formula, data, wanted) {
  fit <- lmer(formula, data, control = exact)
  L <- as.numeric(names(fixef(fit)) == wanted)
  test <- function(ddf) {
    found <- contest1D(fit, L, ddf = ddf)
    list(estimate = found[["Estimate"]], std_error = found[["Std. Error"]], dof = found[["df"]])
  }
  parts <- as.data.frame(VarCorr(fit))
  list(variances = as.list(setNames(parts$vcov, parts$grp)), log_likelihood = as.numeric(logLik(fit)),
       kenward_roger = test("Kenward-Roger"), satterthwaite = test("Satterthwaite"))
}
clusters <- read("clusters"); wedge <- read("wedge"); wedge$step <- factor(wedge$exposure)
crossover <- read("crossover"); crossed <- read("cluster_crossover")

teams <- read("team_waves"); teams$when <- factor(teams$wave)
strict <- lmeControl(tolerance = 1e-13, msTol = 1e-15, maxIter = 1000, msMaxIter = 1000, niterEM = 50)
repeated <- function(correlation, weights = NULL) {
  fit <- lme(y ~ 0 + when:arm + when:before, teams, random = ~ 1 | team, correlation = correlation, weights = weights, control = strict)
  b <- fixef(fit)
  at <- function(wave, arm) as.numeric(names(b) == paste0("when", wave, ":arm", arm))
  L <- list(last = at(3, "b") - at(3, "a"), average = rowMeans(sapply(1:3, function(w) at(w, "b") - at(w, "a"))))
  list(log_likelihood = as.numeric(logLik(fit)), team = as.numeric(VarCorr(fit)[1, 1]),
       estimate = sapply(L, function(l) sum(l * b)), std_error = sapply(L, function(l) sqrt(c(l %*% vcov(fit) %*% l))))
}
versions <- sapply(c("lme4", "lmerTest", "pbkrtest", "nlme"), function(p) as.character(packageVersion(p)))
out <- list(
  versions = as.list(c(R = R.version.string, versions)),
  joint_cluster = joint(y ~ arm + before + stratum + (1 | cluster), clusters, c("armhigh", "armlow")),
  joint_crossed = joint(y ~ arm + before + (1 | cluster) + (1 | rater), clusters, c("armhigh", "armlow")),
  joint_wedge = joint(y ~ factor(period) + step + (1 | cluster) + (1 | cluster:period), wedge, paste0("step", 1:4)),
  joint_crossover = joint(y ~ factor(period) + arm + (1 | person), crossover, c("armb", "armc")),
  cluster_crossover = one(y ~ factor(period) + arm + (1 | cluster) + (1 | cluster:period), crossed, "armb"),
  cluster_crossover_adjusted = one(y ~ factor(period) + before + arm + (1 | cluster) + (1 | cluster:period), crossed, "armb"),
  team_unstructured = repeated(corSymm(form = ~ wave | team/person), varIdent(form = ~ 1 | when)),
  team_ar1 = repeated(corAR1(0.4, form = ~ wave | team/person))
)
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "mixed_more_reference.json")
