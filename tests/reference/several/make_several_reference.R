# Reference values for several claims, made once; the tests read the stored output.
# Run in this folder: Rscript make_several_reference.R
# Needs multcomp, mvtnorm, clubSandwich, jsonlite (Debian: r-cran-multcomp r-cran-clubsandwich).
suppressMessages({library(multcomp); library(mvtnorm); library(clubSandwich); library(jsonlite)})

p_values <- list(c(0.001, 0.012, 0.03, 0.2), c(0.05, 0.05, 0.05), c(0.04, 0.01, 0.9, 0.01, 0.3, 0.07), 0.02,
                 c(0, 1, 0.5))
methods <- c("holm", "hochberg", "hommel", "bonferroni", "BH", "BY")

set.seed(7)
n <- c(18, 23, 15, 30)
trial <- data.frame(arm = factor(rep(c("control", "a", "b", "c"), n), levels = c("control", "a", "b", "c")))
trial$site <- factor(sample(c("north", "south", "west"), sum(n), TRUE))
trial$age <- round(rnorm(sum(n), 40, 8))
latent <- rnorm(sum(n))
shift <- c(control = 0, a = 0.9, b = 0.5, c = 0.1)[as.character(trial$arm)]
trial$one <- round(50 + 8 * (latent + rnorm(sum(n)) + shift), 2)
trial$two <- round(3 + latent + rnorm(sum(n)) - shift, 2)
trial$three <- round(rnorm(sum(n)), 2)
trial$two[c(4, 30, 61)] <- NA
write.csv(trial, "several_trial.csv", row.names = FALSE)

one <- lm(one ~ arm, data = trial)
dunnett <- summary(glht(one, linfct = mcp(arm = "Dunnett")),
                   test = adjusted("single-step", algorithm = GenzBretz(maxpts = 5e6, abseps = 1e-9)))
beyond <- function(t, l, df) {
  corr <- outer(l, l); diag(corr) <- 1
  1 - as.numeric(pmvt(lower = rep(-t, length(l)), upper = rep(t, length(l)), corr = corr, df = df, algorithm = if (df > 0) GenzBretz(abseps = 1e-12) else Miwa(4096)))
}
exact <- lapply(list(list(2.1, c(0.6, 0.8), 3), list(2.5, c(0.7, 0.7), 10), list(3.2, c(0.5, 0.9), 40),
                     list(2.4, c(0.7, 0.7, 0.7), 0)),
                function(x) list(t = x[[1]], l = x[[2]], dof = x[[3]], p = beyond(x[[1]], x[[2]], x[[3]])))

# The outcomes in SDs, stacked; a person is a cluster.
stack <- do.call(rbind, lapply(c("one", "two", "three"), function(k) {
  known <- !is.na(trial[[k]])
  data.frame(y = as.numeric(scale(trial[[k]]))[known], which = k, person = which(known), trial[known, c("arm", "site", "age")])
}))
stack$which <- factor(stack$which)
wald <- function(formula) {
  fit <- lm(formula, data = stack)
  test <- Wald_test(fit, constraints = constrain_zero("arma$|armb$|armc$", reg_ex = TRUE), vcov = vcovCR(fit, cluster = stack$person, type = "CR2"), test = "HTZ")
  list(F = test$Fstat, dof = test$df_denom, p = test$p_val, q = test$df_num)
}
out <- list(
  versions = list(R = R.version.string, multcomp = as.character(packageVersion("multcomp")),
                  mvtnorm = as.character(packageVersion("mvtnorm")),
                  clubSandwich = as.character(packageVersion("clubSandwich"))),
  p_adjust = lapply(p_values, function(p) c(list(p = I(p)), sapply(methods, function(m) I(p.adjust(p, m)), simplify = FALSE))),
  dunnett = list(t = unname(dunnett$test$tstat), p = as.numeric(dunnett$test$pvalues), dof = one$df.residual, n = n),
  exact = exact,
  joint = wald(y ~ 0 + which + which:arm),
  joint_adjusted = wald(y ~ 0 + which:site + which:arm + which:age)
)
write(toJSON(out, digits = 17, auto_unbox = TRUE, pretty = TRUE), "several_reference.json")
