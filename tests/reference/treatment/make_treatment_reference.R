# Reference values for factorials, moderators, waves and ratings, made once; the tests read the stored output.
# Run in this folder: Rscript make_treatment_reference.R
# Needs clubSandwich, sandwich, emmeans, car, jsonlite (Debian: r-cran-clubsandwich r-cran-emmeans r-cran-car).
suppressMessages({library(clubSandwich); library(sandwich); library(emmeans); library(car); library(jsonlite)})

set.seed(11)
n <- 260
people <- data.frame(cluster = sample(1:28, n, replace = TRUE), age = round(rnorm(n, 41, 9), 1))
people$site <- letters[1 + people$cluster %% 3]
people$bonus <- sample(c("none", "small", "large"), n, replace = TRUE, prob = c(2, 1, 1))
people$texts <- sample(c("no", "yes"), n, replace = TRUE)
shock <- rnorm(28)[people$cluster]; person <- rnorm(n)
mean_ <- 2 + 0.03 * people$age + 0.5 * (people$texts == "yes") * (1 + 0.03 * (people$age - 41)) +
  0.4 * (people$bonus == "large") + 0.3 * (people$bonus == "large") * (people$texts == "yes") + shock
for (wave in 1:3) people[[paste0("y", wave)]] <-
  round(ifelse(runif(n) < 0.15 * (wave > 1), NA, mean_ + person + 0.2 * wave * (people$texts == "yes") + rnorm(n)), 4)
write.csv(people, "people.csv", row.names = FALSE, na = "")
people$bonus <- factor(people$bonus, c("none", "small", "large"))
people$texts <- factor(people$texts, c("no", "yes")); people$site <- factor(people$site)

rows_of <- function(test) list(estimate = test$beta, std_error = test$SE, dof = test$df)
joint <- function(fit, names, v) {
  test <- Wald_test(fit, constraints = constrain_zero(names, coef(fit)), vcov = v, test = "HTZ")
  list(F = test$Fstat, dof = test$df_denom, p = test$p_val)
}
combined <- function(fit, weights, v) {
  test <- linear_contrast(fit, contrasts = matrix(weights, 1), vcov = v, test = "Satterthwaite")
  list(estimate = test$Est, std_error = test$SE, dof = test$df)
}

# Factorial: cell means with a covariate; effects by emmeans, joint tests by Anova of type III on effect coding.
cells <- lm(y1 ~ bonus * texts + age, data = people)
hc2 <- vcovHC(cells, type = "HC2")
means <- function(what, weights) {
  grid <- emmeans(cells, what, weights = weights, vcov. = hc2)
  found <- as.data.frame(contrast(grid, "trt.vs.ctrl1"))
  list(estimate = found$estimate, std_error = found$SE)
}
crossed <- as.data.frame(contrast(emmeans(cells, ~ bonus * texts, vcov. = hc2),
                                  interaction = c("trt.vs.ctrl1", "trt.vs.ctrl1")))
sums <- lm(y1 ~ bonus * texts + age, data = people, contrasts = list(bonus = contr.sum, texts = contr.sum))
anova3 <- Anova(sums, type = 3, vcov. = vcovHC(sums, type = "HC2"))
within <- lm(y1 ~ bonus * texts + age + site, data = people, contrasts = list(bonus = contr.sum, texts = contr.sum))
cr2 <- vcovCR(within, cluster = people$cluster, type = "CR2")
both <- grep(":", names(coef(within)), value = TRUE)
factorial <- list(
  bonus_equal = means("bonus", "equal"), texts_equal = means("texts", "equal"),
  texts_shares = means("texts", c(2, 1, 1)),
  interaction = list(estimate = crossed$estimate, std_error = crossed$SE),
  F_bonus = anova3["bonus", "F"], F_texts = anova3["texts", "F"], F_interaction = anova3["bonus:texts", "F"],
  clustered_bonus = joint(within, c("bonus1", "bonus2"), cr2), clustered_interaction = joint(within, both, cr2)
)

# Moderator: a line, and the binning estimator written out.
people$t <- as.numeric(people$texts == "yes")
line <- lm(y1 ~ t * age + site, data = people)
vline <- vcovCR(line, cluster = people$cluster, type = "CR2")
cuts <- quantile(people$age, c(1, 2) / 3)
people$bin <- factor(1 + (people$age > cuts[1]) + (people$age > cuts[2]))
middle <- tapply(people$age, people$bin, median)
people$away <- people$age - middle[as.character(people$bin)]
bins <- lm(y1 ~ 0 + bin + bin:t + bin:away + bin:t:away + site, data = people)
vbins <- vcovCR(bins, cluster = people$cluster, type = "CR2")
effect <- match(paste0("bin", 1:3, ":t"), names(coef(bins)))
nested <- lm(y1 ~ t * age + bin + bin:age + bin:t + bin:t:age + site, data = people)
vnested <- vcovCR(nested, cluster = people$cluster, type = "CR2")
bent <- grep("t:.*bin|t:age:bin|bin.*t", names(coef(nested)), value = TRUE)
bent <- bent[!is.na(coef(nested)[bent]) & grepl("bin", bent) & grepl("\\bt\\b", bent)]
at <- quantile(people$age, c(0.1, 0.5, 0.9))
moderator <- list(
  slope = rows_of(coef_test(line, vcov = vline, test = "Satterthwaite")["t:age", ]),
  at = lapply(unname(at), function(a) {
    w <- setNames(numeric(length(coef(line))), names(coef(line))); w["t"] <- 1; w["t:age"] <- a
    c(list(value = a), combined(line, w, vline))
  }),
  medians = unname(middle), bins = rows_of(coef_test(bins, vcov = vbins, test = "Satterthwaite")[effect, ]),
  bent = bent, linearity = joint(nested, bent, vnested)
)

# Waves: arm by wave on answers below each other, errors by person.
long <- reshape(people[c("texts", "age", "cluster", "y1", "y2", "y3")], direction = "long",
                varying = c("y1", "y2", "y3"), v.names = "y", timevar = "wave", idvar = "person")
long <- long[!is.na(long$y), ]; long$wave <- factor(long$wave); long$t <- as.numeric(long$texts == "yes")
waves <- lm(y ~ 0 + wave + wave:t, data = long)
vwaves <- vcovCR(waves, cluster = long$person, type = "CR2")
terms <- paste0("wave", 1:3, ":t"); weight <- c(-1, 0, 1) / 2
trend <- setNames(numeric(6), names(coef(waves))); trend[terms] <- weight
alike <- rbind(c(0, 0, 0, -1, 1, 0), c(0, 0, 0, -1, 0, 1))
equal <- Wald_test(waves, constraints = alike, vcov = vwaves, test = "HTZ")
learning <- list(
  waves = rows_of(coef_test(waves, vcov = vwaves, test = "Satterthwaite")[terms, ]),
  trend = combined(waves, trend, vwaves), equality = list(F = equal$Fstat, dof = equal$df_denom, p = equal$p_val)
)

# Ratings: attributes with unequal shares, uneven numbers of ratings, stimuli named within an attribute.
raters <- 60
each <- sample(3:8, raters, replace = TRUE)
ratings <- data.frame(respondent = rep(seq_len(raters), each), position = sequence(each))
m <- nrow(ratings)
ratings$origin <- sample(c("home", "near", "far"), m, replace = TRUE, prob = c(2, 1, 1))
ratings$grade <- sample(c("low", "high"), m, replace = TRUE)
ratings$stimulus <- paste0(ratings$origin, sample(1:4, m, replace = TRUE))
ratings$score <- round(5 - 0.4 * (ratings$origin == "far") + 0.8 * (ratings$grade == "high") +
  0.5 * (ratings$grade == "high") * (ratings$origin == "near") + rnorm(raters)[ratings$respondent] +
  0.5 * rnorm(12)[as.integer(factor(ratings$stimulus))] + rnorm(m), 3)
write.csv(ratings, "ratings.csv", row.names = FALSE)
ratings$origin <- factor(ratings$origin, c("home", "near", "far")); ratings$grade <- factor(ratings$grade, c("low", "high"))
additive <- lm(score ~ origin + grade + position, data = ratings)
va <- vcovCR(additive, cluster = ratings$respondent, type = "CR2")
product <- lm(score ~ origin * grade + position, data = ratings)
vp <- vcovCR(product, cluster = ratings$respondent, type = "CR2")
alone <- lm(score ~ 0 + origin, data = ratings)
ia <- c("originnear:gradehigh", "originfar:gradehigh")
# Two-way: each part CR1 with the factor of its own number of clusters.
two_way <- vcovCL(additive, ~ respondent, type = "HC1") + vcovCL(additive, ~ stimulus, type = "HC1") -
  vcovCL(additive, interaction(ratings$respondent, ratings$stimulus, drop = TRUE), type = "HC1")
components <- c("originnear", "originfar", "gradehigh")
conjoint <- list(
  effects = rows_of(coef_test(additive, vcov = va, test = "Satterthwaite")[components, ]),
  joint = joint(additive, components[1:2], va),
  two_way = unname(sqrt(diag(two_way))[components]),
  means = rows_of(coef_test(alone, vcov = vcovCR(alone, cluster = ratings$respondent, type = "CR2"),
                            test = "Satterthwaite")),
  interaction = rows_of(coef_test(product, vcov = vp, test = "Satterthwaite")[ia, ]),
  interaction_joint = joint(product, ia, vp)
)
versions <- sapply(c("clubSandwich", "sandwich", "emmeans", "car"), function(p) as.character(packageVersion(p)))
out <- list(versions = c(list(R = R.version.string), as.list(versions)), factorial = factorial,
            moderator = moderator, learning = learning, conjoint = conjoint)
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "treatment_reference.json")
