# Data and reference values for mixed models, made once; the tests read the stored files.
# Run in this folder: Rscript make_mixed_reference.R
# Needs lme4, lmerTest, pbkrtest, nlme, jsonlite (Debian: r-cran-lme4 r-cran-lmertest r-cran-pbkrtest r-cran-nlme).
suppressMessages({library(lme4); library(lmerTest); library(pbkrtest); library(nlme); library(jsonlite)})
set.seed(20260401)

# 19 clusters of 1 to 15 people in three arms and four strata (one stratum is a single cluster), crossed raters.
size <- c(1, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 9, 10, 11, 12, 13, 14, 15, 4)
cluster <- rep(seq_along(size), size)
clusters <- data.frame(cluster = cluster)
clusters$arm <- c("control", "low", "high")[(clusters$cluster %% 3) + 1]
clusters$stratum <- ifelse(clusters$cluster == 19, "d", c("a", "b", "c")[(clusters$cluster %/% 4) %% 3 + 1])
n <- nrow(clusters)
clusters$rater <- sample(6, n, replace = TRUE)
clusters$half <- sample(2, n, replace = TRUE)
clusters$before <- round(rnorm(n, 50, 10), 3)
noise <- rnorm(n, 0, 3)
shared <- rnorm(length(size), 0, 2)[cluster] + rnorm(6, 0, 1.5)[clusters$rater]
effect <- c(control = 0, low = 1, high = 2.5)[clusters$arm]
halves <- interaction(clusters$cluster, clusters$half)
clusters$y <- round(20 + effect + 0.3 * (clusters$before - 50) + shared + rnorm(nlevels(halves), 0, 2)[halves] + noise, 4)
# Without likeness in clusters: the deviations add up to nothing in each, so the variance is at its boundary.
clusters$flat <- round(20 + effect + noise - ave(noise, cluster), 4)
write.csv(clusters, "clusters.csv", row.names = FALSE)

# 12 clusters, 5 periods, 4 sequences; 4 to 9 people of each cluster in each period, other people each time.
wedge <- expand.grid(cluster = 1:12, period = 1:5)
wedge$sequence <- (wedge$cluster - 1) %% 4 + 1
wedge$exposure <- pmax(0, wedge$period - wedge$sequence)
wedge <- wedge[rep(seq_len(nrow(wedge)), sample(4:9, nrow(wedge), replace = TRUE)), ]
pair <- interaction(wedge$cluster, wedge$period, drop = TRUE)
wedge$y <- round(10 + 0.4 * wedge$period + 0.6 * wedge$exposure + rnorm(12, 0, 1)[wedge$cluster] +
                 rnorm(nlevels(pair), 0, 0.7)[pair] + rnorm(nrow(wedge), 0, 2), 4)
write.csv(wedge, "wedge.csv", row.names = FALSE)

# The same people in each of 4 periods, one cluster measured once a period by 6 people, some absent.
cohort <- expand.grid(person = 1:60, period = 1:4)
cohort$cluster <- (cohort$person - 1) %% 9 + 1
cohort$sequence <- (cohort$cluster - 1) %% 3 + 1
cohort$exposure <- pmax(0, cohort$period - cohort$sequence)
pair <- interaction(cohort$cluster, cohort$period, drop = TRUE)
cohort$y <- round(10 + 0.4 * cohort$period + 0.6 * (cohort$exposure > 0) + rnorm(9, 0, 2)[cohort$cluster] +
                  rnorm(nlevels(pair), 0, 0.6)[pair] + rnorm(60, 0, 1.5)[cohort$person] + rnorm(240, 0, 1), 4)
cohort <- cohort[sample(nrow(cohort), 205), ]
write.csv(cohort, "cohort.csv", row.names = FALSE)

# Four waves of 80 people in three arms; a score before; many waves missing.
waves <- expand.grid(wave = 1:4, person = 1:80)
arm <- sample(c("a", "b", "c"), 80, replace = TRUE)
before <- round(rnorm(80, 5, 2), 3)
waves$arm <- arm[waves$person]; waves$before <- before[waves$person]
root <- chol(matrix(c(2, 1.2, 1, .5, 1.2, 3, 1.8, 1, 1, 1.8, 3.5, 2, .5, 1, 2, 4), 4))
waves$y <- round(c(t(matrix(rnorm(320), 80) %*% root)) + 0.4 * waves$before + 0.3 * waves$wave * (waves$arm == "c"), 4)
waves <- waves[runif(nrow(waves)) > 0.07 * waves$wave, ]
write.csv(waves, "waves.csv", row.names = FALSE)

# Three arms in three periods by a Latin square and its mirror image, 26 people, some without a period.
orders <- list(c("a","b","c"), c("b","c","a"), c("c","a","b"), c("a","c","b"), c("b","a","c"), c("c","b","a"))
crossover <- expand.grid(period = 1:3, person = 1:26)
crossover$arm <- mapply(function(person, period) orders[[(person - 1) %% 6 + 1]][period], crossover$person, crossover$period)
crossover$before <- ave(crossover$arm, crossover$person, FUN = function(x) c("none", head(x, -1)))
crossover$y <- round(c(a = 0, b = 1, c = 2)[crossover$arm] + 0.5 * crossover$period + rnorm(26, 0, 1.5)[crossover$person] +
                     rnorm(78), 4)
crossover <- crossover[-c(4, 17, 30, 31, 60), ]
write.csv(crossover, "crossover.csv", row.names = FALSE)

exact <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-12, maxfun = 1e5), calc.derivs = FALSE,
                     check.conv.singular = "ignore")
read <- function(name) read.csv(paste0(name, ".csv"), stringsAsFactors = TRUE)

mixed <- function(formula, data, wanted, satterthwaite = TRUE) {
  fit <- lmer(formula, data, control = exact)
  contrast <- function(ddf) {
    found <- lapply(wanted, function(L) contest1D(fit, L(fixef(fit)), ddf = ddf))
    list(estimate = sapply(found, function(f) f[["Estimate"]]), std_error = sapply(found, function(f) f[["Std. Error"]]),
         dof = sapply(found, function(f) f[["df"]]), p = sapply(found, function(f) f[["Pr(>|t|)"]]))
  }
  parts <- as.data.frame(VarCorr(fit))
  out <- list(variances = as.list(setNames(parts$vcov, parts$grp)), log_likelihood = as.numeric(logLik(fit)),
              kenward_roger = contrast("Kenward-Roger"))
  if (satterthwaite) out$satterthwaite <- contrast("Satterthwaite")
  out
}
weigh <- function(...) { w <- c(...); function(b) { L <- setNames(numeric(length(b)), names(b)); L[names(w)] <- w; L } }

clusters <- read("clusters"); clusters$half <- factor(clusters$half)
arms <- list(weigh(armhigh = 1), weigh(armhigh = 1, armlow = -1))
adjusted <- y ~ arm + before + stratum
wedge <- read("wedge"); wedge$step <- factor(wedge$exposure)
cohort <- read("cohort"); cohort$step <- factor(cohort$exposure)
crossover <- read("crossover"); crossover$left <- relevel(factor(crossover$before), "none")
crossover$left_b <- as.numeric(crossover$before == "b"); crossover$left_c <- as.numeric(crossover$before == "c")

waves <- read("waves"); waves$when <- factor(waves$wave)
strict <- glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 1000, msMaxIter = 1000)
repeated <- function(data, correlation, weights = NULL) {
  fit <- gls(y ~ 0 + when:arm + when:before, data, correlation = correlation, weights = weights, control = strict)
  b <- coef(fit)
  at <- function(wave, arm) as.numeric(names(b) == paste0("when", wave, ":arm", arm))
  last <- max(data$wave)
  contrasts <- list(last = at(last, "c") - at(last, "a"),
                    average = rowMeans(sapply(1:last, function(w) at(w, "c") - at(w, "b"))))
  list(log_likelihood = as.numeric(logLik(fit)), estimate = sapply(contrasts, function(L) sum(L * b)),
       std_error = sapply(contrasts, function(L) sqrt(c(L %*% vcov(fit) %*% L))))
}
three <- droplevels(waves[waves$wave < 4, ])
versions <- sapply(c("lme4", "lmerTest", "pbkrtest", "nlme"), function(p) as.character(packageVersion(p)))

out <- list(
  versions = as.list(c(R = R.version.string, versions)),
  cluster = mixed(update(adjusted, . ~ . + (1 | cluster)), clusters, arms),
  nested = mixed(update(adjusted, . ~ . + (1 | cluster / half)), clusters, arms),
  crossed = mixed(update(adjusted, . ~ . + (1 | cluster) + (1 | rater)), clusters, arms),
  boundary = mixed(flat ~ arm + (1 | cluster), clusters, arms, satterthwaite = FALSE),
  wedge = mixed(y ~ factor(period) + step + (1 | cluster) + (1 | cluster:period), wedge,
                list(weigh(step1 = .25, step2 = .25, step3 = .25, step4 = .25), weigh(step3 = 1))),
  wedge_constant = mixed(y ~ factor(period) + I(exposure > 0) + (1 | cluster) + (1 | cluster:period), wedge,
                         list(weigh("I(exposure > 0)TRUE" = 1))),
  cohort = mixed(y ~ factor(period) + step + (1 | cluster) + (1 | cluster:period) + (1 | person), cohort,
                 list(weigh(step1 = 1/3, step2 = 1/3, step3 = 1/3))),
  crossover = mixed(y ~ factor(period) + arm + (1 | person), crossover, list(weigh(armc = 1), weigh(armc = 1, armb = -1))),
  carry_over = mixed(y ~ factor(period) + arm + left_b + left_c + (1 | person), crossover,
                     list(weigh(armc = 1), weigh(left_c = 1))),
  unstructured = repeated(waves, corSymm(form = ~ wave | person), varIdent(form = ~ 1 | when)),
  toeplitz = repeated(three, corARMA(form = ~ wave | person, p = 2)),
  ar1 = repeated(waves, corAR1(form = ~ wave | person))
)
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "mixed_reference.json")
