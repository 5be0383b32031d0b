# Reference values for interim looks, made once; the tests read the stored output.
# Run in this folder: Rscript make_looks_reference.R
# Needs rpact, mvtnorm, jsonlite (Debian: r-cran-rpact r-cran-mvtnorm r-cran-jsonlite).
suppressMessages({library(rpact); library(mvtnorm); library(jsonlite)})

schedules <- list(c(0.5, 1), c(0.2, 0.4, 0.6, 0.8, 1), c(0.15, 0.55, 1), c(0.3, 0.35, 0.9, 1))
kinds <- c("obrien-fleming" = "asOF", "pocock" = "asP")
designs <- list()
for (rates in schedules) for (kind in names(kinds)) for (alpha in c(0.05, 0.01)) {
  d <- getDesignGroupSequential(typeOfDesign = kinds[[kind]], informationRates = rates, alpha = alpha, sided = 2, tolerance = 1e-10)
  designs[[length(designs) + 1]] <- list(kind = kind, rates = rates, alpha = alpha,
                                         spent = d$alphaSpent, bounds = d$criticalValues)
}

# The joint normal distribution itself: bounds where spending follows other times than information does.
corr <- function(i) outer(i, i, function(a, b) sqrt(pmin(a, b) / pmax(a, b)))
inside <- function(i, low, high, drift = 0) {
  k <- length(i); m <- drift * sqrt(i)
  as.numeric(pmvnorm(low - m, high - m, corr = corr(i), algorithm = Miwa(steps = 2048)))
}
of <- function(t, a) 2 * (1 - pnorm(qnorm(1 - a / 2) / sqrt(t)))
information <- c(0.3, 0.7, 1); times <- c(0.4, 0.6, 1)
total <- 2 * of(times, 0.025)
c1 <- qnorm(1 - total[1] / 2)
c2 <- uniroot(function(c) 1 - inside(information[1:2], c(-c1, -c), c(c1, c)) - total[2], c(1, 8), tol = 1e-12)$root
c3 <- uniroot(function(c) 1 - inside(information, c(-c1, -c2, -c), c(c1, c2, c)) - total[3], c(1, 8), tol = 1e-12)$root
bounds <- c(c1, c2, c3)

# The stage-wise ordering: the chance of a course above the one observed.
above <- function(drift, z) {
  first <- 1 - pnorm(c1 - drift * sqrt(information[1]))
  second <- inside(information[1:2], c(-c1, c2), c(c1, Inf), drift)
  first + second + inside(information, c(-c1, -c2, z), c(c1, c2, Inf), drift)
}
solve_for <- function(z, p) uniroot(function(d) above(d, z) - p, c(-8, 12), tol = 1e-11)$root
stopped <- lapply(c(-0.7, 1.4, 2.3, 3.1), function(z) list(z = z, estimate = solve_for(z, 0.5), low = solve_for(z, 0.025),
                  high = solve_for(z, 0.975), p = 2 * min(above(0, z), 1 - above(0, z))))

# Conditional power at the first look: the chance to cross at the second or the third.
conditional <- lapply(list(c(0.5, NA), c(1.5, NA), c(1, 3.2), c(-0.5, 2.5)), function(x) {
  z <- x[1]; drift <- if (is.na(x[2])) z / sqrt(information[1]) else x[2]
  more <- information[2:3] - information[1]; reached <- z * sqrt(information[1])
  high <- (bounds[2:3] * sqrt(information[2:3]) - reached) / sqrt(more)
  low <- (-bounds[2:3] * sqrt(information[2:3]) - reached) / sqrt(more)
  list(z = z, drift = x[2], power = 1 - inside(more, low, high, drift))
})

# One look left, by rpact.
d <- getDesignGroupSequential(typeOfDesign = "asOF", informationRates = c(0.5, 1), alpha = 0.025, sided = 1)
data <- getDataset(n1 = 40, n2 = 40, means1 = 0.35, means2 = 0, stDevs1 = 1, stDevs2 = 1)
stage <- getStageResults(getDesignGroupSequential(typeOfDesign = "asOF", informationRates = c(0.5, 1), alpha = 0.025,
                         sided = 1), data, normalApproximation = TRUE)
power <- getConditionalPower(stage, nPlanned = 80, thetaH1 = 0.5, assumedStDev = 1)$conditionalPower

out <- list(
  versions = list(R = R.version.string, rpact = as.character(packageVersion("rpact")),
                  mvtnorm = as.character(packageVersion("mvtnorm"))),
  designs = designs,
  other_times = list(information = information, times = times, bounds = bounds),
  stopped = stopped,
  conditional = conditional,
  rpact_power = list(z = as.numeric(stage$testStatistics[1]), bound = d$criticalValues[2], power = as.numeric(power[2]))
)
write(toJSON(out, digits = 17, auto_unbox = TRUE, pretty = TRUE, na = "null"), "looks_reference.json")
