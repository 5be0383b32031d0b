# Reference values for effects among compliers, made once; the tests read the stored output.
# Run in this folder: Rscript make_complier_reference.R
# Needs AER, estimatr, clubSandwich, jsonlite (Debian: r-cran-aer r-cran-estimatr r-cran-clubsandwich).
suppressMessages({library(AER); library(estimatr); library(clubSandwich); library(jsonlite)})

set.seed(7)
n <- 330
trial <- data.frame(cluster = sample(1:36, n, replace = TRUE, prob = c(rep(1, 30), rep(4, 6))))
trial$stratum <- letters[1 + trial$cluster %% 5]
trial$arm <- c("control", "letters", "calls")[1 + sample(0:2, 36, replace = TRUE)[trial$cluster]]
trial$age <- round(rnorm(n, 40, 9), 2)
shock <- rnorm(36)[trial$cluster]
willing <- rnorm(n) + 0.4 * shock
trial$taken <- as.integer(willing + 1.1 * (trial$arm == "letters") + 1.9 * (trial$arm == "calls") > 1)
trial$minutes <- round(pmax(0, 10 + 6 * willing + 9 * (trial$arm == "calls") + 3 * (trial$arm == "letters")), 3)
trial$hardly <- as.integer(willing + 0.12 * (trial$arm == "letters") - 0.05 * (trial$arm == "calls") > 0.3)
trial$y <- round(3 + 0.05 * trial$age + 1.5 * trial$taken + 1.2 * willing + shock + rnorm(n), 4)
write.csv(trial, "complier_trial.csv", row.names = FALSE)
trial$stratum <- factor(trial$stratum); trial$arm <- relevel(factor(trial$arm), "control")
trial$letters <- as.numeric(trial$arm == "letters"); trial$calls <- as.numeric(trial$arm == "calls")
# The contrast calls - control is the one instrument; letters, against the two's mean, stays in the model.
trial$z <- trial$calls / 2 - (trial$arm == "control") / 2

robust <- function(formula, term, ..., type) {
  fit <- iv_robust(formula, data = trial, se_type = type, ...)
  list(estimate = unname(fit$coefficients[term]), std_error = unname(fit$std.error[term]), dof = unname(fit$df[term]))
}
plain <- y ~ taken | calls
full <- y ~ taken + letters + age + stratum | z + letters + age + stratum
within <- y ~ taken + letters + age | z + letters + age
types <- c("classical", "HC0", "HC1", "HC2", "HC3")
sets <- c("CR0", "stata", "CR2")

ivreg_full <- ivreg(full, data = trial)
club <- function(type) {
  test <- coef_test(ivreg_full, vcov = vcovCR(ivreg_full, cluster = trial$cluster, type = type),
                    test = "Satterthwaite")
  at <- which(rownames(test) == "taken" | test$Coef == "taken")[1]
  list(estimate = test$beta[at], std_error = test$SE[at], dof = test$df[at])
}
rows <- function(type) {
  test <- coef_test(ivreg_full, vcov = vcovCR(ivreg_full, cluster = seq_len(n), type = type), test = "Satterthwaite")
  at <- which(test$Coef == "taken" | rownames(test) == "taken")[1]
  list(std_error = test$SE[at], dof = test$df[at])
}
over <- y ~ taken + age | letters + calls + age
over_fit <- ivreg(over, data = trial)

# Anderson-Rubin: the ends of what is not rejected, found by root search on the test itself.
ar_test <- function(b, take, instruments, cluster, exogenous) {
  trial$left <- trial$y - b * trial[[take]]
  fit <- lm(reformulate(c(instruments, exogenous), "left"), data = trial)
  Wald_test(fit, constraints = constrain_zero(instruments, coef(fit)),
            vcov = vcovCR(fit, cluster = cluster, type = "CR2"), test = "HTZ")
}
crossings <- function(take, instruments, cluster, exogenous, span) {
  away <- function(b) {
    test <- ar_test(b, take, instruments, cluster, exogenous)
    test$Fstat - qf(0.95, length(instruments), test$df_denom)
  }
  grid <- seq(span[1], span[2], length.out = 81)
  value <- sapply(grid, away)
  at <- which(diff(sign(value)) != 0)
  list(roots = sapply(at, function(i) uniroot(away, grid[i + 0:1], tol = 1e-12)$root),
       kept_at_zero = away(0) <= 0)
}
person <- seq_len(n)
first <- lm(taken ~ letters + calls + age, data = trial)
v <- as.matrix(vcovCR(first, cluster = trial$cluster, type = "CR2"))[c("letters", "calls"), c("letters", "calls")]
z <- as.matrix(trial[c("letters", "calls")]); x <- cbind(1, trial$age)
moved <- lm.fit(x, z)$residuals; q <- crossprod(moved); pi <- coef(first)[c("letters", "calls")]
wald <- Wald_test(first, constraints = constrain_zero(c("letters", "calls"), coef(first)),
                  vcov = vcovCR(first, cluster = trial$cluster, type = "CR2"), test = "HTZ")

out <- list(
  versions = list(R = R.version.string, AER = as.character(packageVersion("AER")),
                  estimatr = as.character(packageVersion("estimatr")),
                  clubSandwich = as.character(packageVersion("clubSandwich"))),
  two_arms = lapply(setNames(types, types), function(t) {
    fit <- iv_robust(plain, data = subset(trial, arm != "letters"), se_type = t)
    list(estimate = unname(fit$coefficients["taken"]), std_error = unname(fit$std.error["taken"]))
  }),
  full = lapply(setNames(types, types), function(t) robust(full, "taken", type = t)),
  full_clustered = lapply(setNames(sets, sets), function(t) robust(full, "taken", clusters = cluster, type = t)),
  within = lapply(setNames(c("HC0", "HC1", "HC2"), c("HC0", "HC1", "HC2")),
                  function(t) robust(within, "taken", fixed_effects = ~stratum, type = t)),
  ivreg = list(estimate = unname(coef(ivreg_full)["taken"]),
               std_error = unname(sqrt(diag(vcov(ivreg_full)))["taken"])),
  club = list(CR2 = club("CR2"), CR3 = club("CR3")), rows = list(HC2 = rows("CR2"), HC3 = rows("CR3")),
  over = list(estimate = unname(coef(over_fit)["taken"]), std_error = unname(sqrt(diag(vcov(over_fit)))["taken"]),
              HC2 = robust(over, "taken", type = "HC2")),
  minutes = robust(y ~ minutes + letters + age | z + letters + age, "minutes", clusters = cluster, type = "CR2"),
  strength = list(F = wald$Fstat, dof = wald$df_denom, p = wald$p_val,
                  effective = drop(t(pi) %*% q %*% pi) / sum(diag(v %*% q))),
  ar_one = crossings("taken", "z", trial$cluster, c("letters", "age", "stratum"), c(-20, 20)),
  ar_people = crossings("taken", "z", person, c("letters", "age", "stratum"), c(-20, 20)),
  ar_two = crossings("taken", c("letters", "calls"), trial$cluster, "age", c(-20, 20)),
  ar_weak = crossings("hardly", "z", trial$cluster, c("letters", "age", "stratum"), c(-400, 400)),
  ar_weak_two = crossings("hardly", c("letters", "calls"), trial$cluster, "age", c(-400, 400))
)
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "complier_reference.json")
