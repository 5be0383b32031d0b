# Reference values for cluster-robust and HC2 inference, made once; the tests read the stored output.
# Run in this folder: Rscript make_cluster_reference.R
# Needs clubSandwich, estimatr, sandwich, jsonlite (Debian: r-cran-clubsandwich r-cran-estimatr r-cran-sandwich).
suppressMessages({library(clubSandwich); library(estimatr); library(sandwich); library(jsonlite)})

trial <- read.csv("cluster_trial.csv", stringsAsFactors = TRUE)
trial$stratum <- factor(trial$stratum)
full <- lm(y ~ arm + before + stratum, data = trial)
terms <- c("armhigh", "armlow", "before")

cr <- function(fit, type, target = NULL, constrained = terms[1:2]) {
  v <- if (is.null(target)) vcovCR(fit, cluster = trial$cluster, type = type) else
    vcovCR(fit, cluster = trial$cluster, type = type, target = target)
  test <- coef_test(fit, vcov = v, test = "Satterthwaite")
  joint <- Wald_test(fit, constraints = constrain_zero(constrained, coef(fit)), vcov = v, test = "HTZ")
  rows <- match(terms, rownames(as.matrix(v)))
  list(std_error = sqrt(diag(as.matrix(v)))[rows], dof = test$df[match(terms, rownames(test))],
       F = joint$Fstat, F_dof = joint$df_denom, F_p = joint$p_val)
}

rows <- function(type) {
  v <- vcovCR(full, cluster = seq_len(nrow(trial)), type = type)
  test <- coef_test(full, vcov = v, test = "Satterthwaite")
  list(std_error = sqrt(diag(as.matrix(v)))[match(terms, rownames(as.matrix(v)))],
       dof = test$df[match(terms, rownames(test))])
}

weighted <- lm(y ~ arm + before + stratum, data = trial, weights = weight)
hc <- function(type) sqrt(diag(vcovHC(full, type = type)))[terms]
lin <- lm_lin(y ~ arm, covariates = ~ before, data = trial, se_type = "HC2")
dim2 <- difference_in_means(y ~ arm, blocks = stratum, condition1 = "control", condition2 = "high",
                            data = subset(trial, arm != "low"))
robust <- lm_robust(y ~ arm + before, fixed_effects = ~ stratum, data = trial, se_type = "HC2")
clustered <- lm_robust(y ~ arm + before, fixed_effects = ~ stratum, clusters = cluster, data = trial, se_type = "CR2")

out <- list(
  versions = list(R = R.version.string, clubSandwich = as.character(packageVersion("clubSandwich")),
                  estimatr = as.character(packageVersion("estimatr")),
                  sandwich = as.character(packageVersion("sandwich"))),
  terms = terms,
  estimate = unname(coef(full)[terms]),
  CR0 = cr(full, "CR0"), CR1S = cr(full, "CR1S"), CR2 = cr(full, "CR2"), CR3 = cr(full, "CR3"),
  CR2_weighted = cr(weighted, "CR2", target = 1 / trial$weight),
  CR2_weighted_estimate = unname(coef(weighted)[terms]),
  rows_HC2 = rows("CR2"), rows_HC3 = rows("CR3"),
  HC0 = unname(hc("HC0")), HC1 = unname(hc("HC1")), HC2 = unname(hc("HC2")), HC3 = unname(hc("HC3")),
  lm_robust_HC2 = unname(robust$std.error[terms]),
  lm_robust_CR2 = list(std_error = unname(clustered$std.error[terms]), dof = unname(clustered$df[terms])),
  lm_lin = list(estimate = unname(lin$coefficients[c("armhigh", "armlow")]),
                std_error = unname(lin$std.error[c("armhigh", "armlow")])),
  blocked = list(estimate = unname(dim2$coefficients), std_error = unname(dim2$std.error), dof = unname(dim2$df))
)
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "cluster_reference.json")
