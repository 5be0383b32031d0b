# Reference values for the size of effects, made once; the tests read the stored output.
# Run in this folder: Rscript make_meaning_reference.R
# Needs clubSandwich, jsonlite (Debian: r-cran-clubsandwich r-cran-jsonlite).
suppressMessages({library(clubSandwich); library(jsonlite)})

set.seed(12)
size <- c(4, 7, 5, 9, 6, 8, 3, 10, 6, 7, 5, 4)
team <- rep(seq_along(size), size)
teams <- data.frame(team = paste0("t", team), arm = ifelse(team <= 6, 0, 1))
chance <- plogis(-0.4 + rep(rnorm(12, 0, 0.7), size) + 0.5 * teams$arm)
teams$yes <- rbinom(length(team), 1, chance)
teams$score <- round(50 + 4 * rep(rnorm(12), size) + rnorm(length(team), 0, 8) + 2 * teams$arm, 2)
write.csv(teams, "teams.csv", row.names = FALSE)

fit <- lm(yes ~ 0 + factor(arm), data = teams)
V <- as.matrix(vcovCR(fit, cluster = teams$team, type = "CR2"))
r <- unname(coef(fit))
error <- function(slope) { g <- c(-slope[1], slope[2]); sqrt(as.numeric(t(g) %*% V %*% g)) }
dof <- coef_test(lm(yes ~ arm, data = teams), vcov = "CR2", cluster = teams$team)$df[2]

counts <- matrix(c(30, 70, 18, 82), 2, byrow = TRUE)  # arm 1: 30 yes, arm 0: 18 yes
logit <- glm(cbind(c(18, 30), c(82, 70)) ~ c(0, 1), family = binomial, control = list(epsilon = 1e-13))
log_link <- glm(cbind(c(18, 30), c(82, 70)) ~ c(0, 1), family = binomial("log"), control = list(epsilon = 1e-13))
out <- list(versions = list(R = R.version.string, clubSandwich = as.character(packageVersion("clubSandwich"))),
            clusters = list(log_risk = log(r[2] / r[1]), risk_error = error(1 / r), log_odds = qlogis(r[2]) - qlogis(r[1]),
                            odds_error = error(1 / (r * (1 - r))), dof = dof),
            people = list(log_odds = unname(coef(logit)[2]), odds_error = summary(logit)$coefficients[2, 2],
                          log_risk = unname(coef(log_link)[2]), risk_error = summary(log_link)$coefficients[2, 2]))
write(toJSON(out, digits = 17, auto_unbox = TRUE, pretty = TRUE), "meaning_reference.json")
