# Reference values for the synthesis of studies, made once; the tests read the stored output.
# Run in this folder: Rscript make_synthesis_reference.R
# Needs metafor, jsonlite (Debian: r-cran-metafor r-cran-jsonlite).
suppressMessages({library(metafor); library(jsonlite)})

tight <- list(threshold = 1e-14, maxiter = 1000)
one <- function(yi, vi, name) {
  fit <- rma(yi, vi, method = "REML", test = "adhoc", control = tight)
  plain <- rma(yi, vi, method = "REML", test = "knha", control = tight)
  zed <- rma(yi, vi, method = "REML", control = tight)
  shrunk <- blup(zed)
  list(name = name, y = I(as.numeric(yi)), v = I(as.numeric(vi)), estimate = as.numeric(fit$beta), std_error = fit$se,
       knha = plain$se, low = fit$ci.lb, high = fit$ci.ub, p = fit$pval, tau2 = fit$tau2, q = fit$QE, q_p = fit$QEp,
       i2 = fit$I2 / 100, tau2_interval = confint(fit, control = list(tol = 1e-12))$random[1, 2:3],
       blup = list(pred = I(shrunk$pred), se = I(shrunk$se), low = I(shrunk$pi.lb)))
}
bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
set.seed(3)
y <- round(rnorm(9, 0.2, 0.3), 3); v <- round(runif(9, 0.005, 0.09), 4)
studies <- list(one(bcg$yi, bcg$vi, "bcg"), one(y, v, "made"), one(y[1:4] / 10, v[1:4], "alike"), one(y[1:3], v[1:3], "three"))

# Comparisons 1 and 2, and 5 to 7, share their control.
study <- c(1, 1, 2, 3, 4, 4, 4, 5, 6); loading <- sqrt(c(.5, .4, .5, .5, .6, .6, .5, .5, .5))
V <- outer(seq_along(y), seq_along(y), function(i, j) ifelse(study[i] == study[j], sqrt(v[i] * v[j]) * loading[i] * loading[j], 0))
diag(V) <- v
id <- seq_along(y)
mv <- rma.mv(y, V, random = ~ 1 | id, method = "REML", control = list(rel.tol = 1e-11, iter.max = 1000))
W <- solve(V + diag(mv$sigma2, length(y)))
q <- as.numeric(t(y - as.numeric(mv$beta)) %*% W %*% (y - as.numeric(mv$beta))) / (length(y) - 1)
shared <- list(study = study, loading = loading, estimate = as.numeric(mv$beta), plain_error = mv$se, hk = max(1, q),
               tau2 = mv$sigma2, q = mv$QE)
out <- list(versions = list(R = R.version.string, metafor = as.character(packageVersion("metafor"))),
            studies = studies, shared = shared)
write(toJSON(out, digits = 17, auto_unbox = TRUE, pretty = TRUE), "synthesis_reference.json")
