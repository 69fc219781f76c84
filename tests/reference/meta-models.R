# Writes tests/reference/meta-models-data.csv and meta-models-counts.csv, small made-up meta-analyses of scores and of events, and
# tests/reference/meta-models.csv: what R makes of them.
# Run it from the repository root:  Rscript --vanilla tests/reference/meta-models.R   (or: make reference)
#
# pool      metafor::rma, each estimator and each test, with tight convergence; its prediction interval after Riley
# without, until     metafor::leave1out and cumul
# tau2      metafor::confint, the Q profile of tau² and of I²
# mods      metafor::rma with a factor of three levels, and with a factor and a number
# egger, pet, peese  stats::lm with weights 1/v; egger by metafor::regtest(model = "lm") as well
# filled    metafor::trimfill, L0
# escalc    metafor::escalc("SMD"), whose definition is another one; then "MD", "RR", "OR" and "RD", whose definitions are ours:
#           0.5 is added to every cell of a table with an empty one; of a ratio, tables without events or of nothing else are left out
# pool MD …, pool RR …  metafor::rma of these; est, lo, hi and the prediction interval of a ratio by predict(transf = exp)
#
# g and v are Hedges' g with the factor 1 − 3/(4N − 9) and its variance N/(n1 n2) + g²/(2(N − 3.94)), written out below.

suppressPackageStartupMessages(library(metafor))

folder <- file.path("tests", "reference")
if (!dir.exists(folder)) stop("run this from the repository root")

source(file.path("tests", "reference", "shared", "files.R"))

digits <- function(values) formatC(values, digits = 15, format = "g", width = 1)

# The data

set.seed(2014, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")

made <- function(set, k, tau, size = 60, spread = 0.6, slope = 0) {
  n <- pmax(8, round(exp(rnorm(k, log(size), spread))))
  n1 <- n %/% 2 + sample(0:2, k, replace = TRUE)
  n2 <- n - n1 + sample(0:2, k, replace = TRUE)
  mean2 <- round(rnorm(k, 20, 3), 2)
  sd1 <- round(runif(k, 4, 8), 2)
  sd2 <- round(sd1 * exp(rnorm(k, 0, 0.1)), 2)
  effect <- rnorm(k, 0.2, tau) + slope * sqrt(1 / n1 + 1 / n2) + rnorm(k) * sqrt(1 / n1 + 1 / n2)
  data.frame(set, trial = seq_len(k), group = rep_len(c("a", "b", "b", "c"), k), n1, mean1 = round(mean2 + effect * sd1, 2), sd1, n2, mean2, sd2)
}
data <- rbind(
  made("two", 2, 0.3),
  made("three", 3, 0.3),
  made("five", 5, 0.4),
  made("alike", 12, 0),
  made("twelve", 12, 0.3),
  made("outlier", 12, 0.1),
  made("unequal", 15, 0.3, spread = 2),
  made("small studies", 20, 0.1, slope = 1.5),
  made("large studies", 20, 0.1, slope = -1.5),
  made("49", 49, 0.2),
  made("200", 200, 0.25)
)
alike <- data$set == "alike"  # Q below its degrees of freedom: every tau² is 0
data$mean1[alike] <- with(data[alike, ], round(mean2 + 0.2 * sd1 + 0.5 * (mean1 - mean2 - 0.2 * sd1), 2))
far <- which(data$set == "outlier")[5]
data$mean1[far] <- data$mean2[far] + 6 * data$sd1[far]

total <- data$n1 + data$n2
pooled_sd <- with(data, sqrt(((n1 - 1) * sd1^2 + (n2 - 1) * sd2^2) / (total - 2)))
g <- (1 - 3 / (4 * total - 9)) * (data$mean1 - data$mean2) / pooled_sd
v <- total / (data$n1 * data$n2) + g^2 / (2 * (total - 3.94))
data <- cbind(data, g = formatC(g, digits = 17, format = "g", width = 1), v = formatC(v, digits = 17, format = "g", width = 1))
data_file <- save(data, "meta-models-data.csv")

counted <- function(set, k, risk, tau, size = 60) {
  n1 <- pmax(8, round(exp(rnorm(k, log(size), 0.5))))
  n2 <- pmax(8, n1 + sample(-3:3, k, replace = TRUE))
  level <- qlogis(risk) + rnorm(k, 0, 0.3)
  data.frame(set, trial = seq_len(k), n1, events1 = rbinom(k, n1, plogis(level - 0.3 + rnorm(k, 0, tau))), n2, events2 = rbinom(k, n2, plogis(level)))
}
counts <- rbind(counted("frequent", 8, 0.3, 0.4), counted("rare", 9, 0.04, 0), counted("many", 20, 0.15, 0.6))
rare <- which(counts$set == "rare")
counts$events1[rare[1:4]] <- c(0, 3, counts$n1[rare[3]], 0)
counts$events2[rare[1:4]] <- c(0, 0, counts$n2[rare[3]], 2)
counts_file <- save(counts, "meta-models-counts.csv")

# What R makes of it

data <- read.csv(data_file)
counts <- read.csv(counts_file)
rows <- list()
keep <- function(label, model, row, ...) { # no name that begins with a part's, such as se: R would take the part for it
  values <- c(...)
  rows[[length(rows) + 1]] <<- data.frame(
    set = label, model, term = row, part = names(values),
    value = if (is.character(values)) values else digits(values)
  )
}

keep("", "made by", "R", version = paste(R.version$major, R.version$minor, sep = "."))
keep("", "made by", "metafor", version = format(packageVersion("metafor")))
for (file in c(data_file, counts_file)) keep("", "made from", basename(file), sha256 = sha256(file))

exact <- list(threshold = 1e-14, tol = 1e-14, maxiter = 100000)
estimators <- c(common = "FE", DL = "DL", PM = "PM", REML = "REML")
tests <- c("wald-z" = "z", "knapp-hartung" = "knha", "knapp-hartung-at-least-wald" = "adhoc")
fit_of <- function(y, v, estimator, test = "wald-z", ...) suppressWarnings(rma(y, v, method = estimators[[estimator]], test = tests[[test]], control = exact, ...))

for (set in unique(data$set)) {
  rows_of <- data[data$set == set, ]
  y <- rows_of$g
  v <- rows_of$v
  k <- length(y)
  for (estimator in names(estimators)) {
    for (test in names(tests)) {
      model <- fit_of(y, v, estimator, test)
      name <- paste("pool", estimator, test)
      keep(set, name, "", est = c(model$beta), se = model$se, lo = model$ci.lb, hi = model$ci.ub, p = model$pval, tau2 = model$tau2, q = model$QE, q_p = model$QEp)
      if (estimator != "common" && k > 2) {
        riley <- predict(model, pi.type = "riley")
        keep(set, name, "", prediction_lo = riley$pi.lb, prediction_hi = riley$pi.ub)
      }
    }
    model <- fit_of(y, v, estimator)
    if (estimator == "DL") keep(set, "pool DL wald-z", "", i2 = model$I2)  # metafor's I² is tau²'s; with DL it is Q's as well
    if (k > 1 && estimator != "common") keep(set, paste("i2 of tau2", estimator), "", i2 = model$I2)
    if (set %in% c("five", "twelve", "unequal") && estimator %in% c("DL", "REML")) {
      without <- leave1out(model)
      until <- cumul(model)
      for (place in seq_len(k)) {
        keep(set, paste("without", estimator), place, est = without$estimate[place], se = without$se[place], p = without$pval[place], tau2 = without$tau2[place], q = without$Q[place])
        keep(set, paste("until", estimator), place, est = until$estimate[place], se = until$se[place], p = until$pval[place], tau2 = until$tau2[place])
      }
    }
  }
  profile <- confint(fit_of(y, v, "DL"), control = list(tol = 1e-14, maxiter = 100000, tau2.max = 10000))$random
  keep(set, "tau2", "", lo = profile["tau^2", "ci.lb"], hi = profile["tau^2", "ci.ub"], i2_lo = profile["I^2(%)", "ci.lb"], i2_hi = profile["I^2(%)", "ci.ub"])

  if (set %in% c("five", "twelve", "unequal", "49")) {
    groups <- factor(rows_of$group)
    log_n <- log(rows_of$n1 + rows_of$n2)
    for (formula in if (k > 5) c("group", "group + log n") else "group") {
      mods <- if (formula == "group") ~groups else ~ groups + log_n
      for (estimator in names(estimators)) {
        for (test in names(tests)) {
          model <- fit_of(y, v, estimator, test, mods = mods, btt = 2:3)
          name <- paste("mods", formula, estimator, test)
          for (place in seq_along(model$beta)) keep(set, name, place, est = model$beta[place], se = model$se[place])
          keep(set, name, "", tau2 = model$tau2, q = model$QE, q_p = model$QEp, statistic = model$QM, p = model$QMp, covariance = vcov(model)[1, 2])
        }
      }
    }
  }
  if (k > 2) {
    unit <- sqrt(1 / rows_of$n1 + 1 / rows_of$n2)
    predictors <- list(egger = sqrt(v), "egger by unit" = unit, pet = sqrt(v), peese = v)
    for (name in names(predictors)) {
      x <- predictors[[name]]
      model <- lm(y ~ x, weights = 1 / v)
      line <- coef(summary(model))
      keep(set, name, "", slope = line[2, 1], se = line[2, 2], t = line[2, 3], p = line[2, 4], df = model$df.residual)
      keep(set, name, "", limit = line[1, 1], limit_se = line[1, 2], limit_p = line[1, 4], lo = confint(model)[1, 1], hi = confint(model)[1, 2])
    }
    funnel <- regtest(fit_of(y, v, "DL"), model = "lm")
    keep(set, "regtest", "", t = funnel$zval, p = funnel$pval, limit = funnel$est, lo = funnel$ci.lb, hi = funnel$ci.ub)
    for (estimator in names(estimators)) {
      for (side in c("", "left", "right")) {
        model <- suppressWarnings(trimfill(fit_of(y, v, estimator), side = if (nzchar(side)) side, control = exact))
        name <- paste("filled", estimator, side)
        keep(set, name, "", filled = model$k0, right = as.integer(model$side == "right"), est = c(model$beta), se = model$se, tau2 = model$tau2, q = model$QE)
        if (model$k0 > 0 && side == "") for (place in seq_len(model$k0)) keep(set, name, place, y = model$yi.f[k + place], v = model$vi.f[k + place])
      }
    }
  }
}

five <- data[data$set == "five", ]
theirs <- escalc("SMD", n1i = n1, m1i = mean1, sd1i = sd1, n2i = n2, m2i = mean2, sd2i = sd2, data = five)
for (place in seq_len(nrow(five))) keep("five", "escalc", place, y = theirs$yi[place], v = theirs$vi[place])

measured <- function(set, measure, of, ratio) {
  for (place in which(!is.na(of$yi))) keep(set, paste("escalc", measure), place, y = of$yi[place], v = of$vi[place])
  shown <- if (ratio) exp else identity
  for (estimator in names(estimators)) {
    model <- fit_of(of$yi, of$vi, estimator)
    riley <- predict(model, transf = shown, pi.type = "riley")
    name <- paste("pool", measure, estimator)
    keep(set, name, "", est = riley$pred, lo = riley$ci.lb, hi = riley$ci.ub, se = model$se, p = model$pval, tau2 = model$tau2, q = model$QE, q_p = model$QEp, k = model$k)
    if (estimator != "common") keep(set, name, "", prediction_lo = riley$pi.lb, prediction_hi = riley$pi.ub)
  }
}
for (set in c("five", "twelve", "alike", "unequal")) {
  measured(set, "MD", escalc("MD", n1i = n1, m1i = mean1, sd1i = sd1, n2i = n2, m2i = mean2, sd2i = sd2, data = data[data$set == set, ]), FALSE)
}
for (set in unique(counts$set)) {
  for (measure in c("RR", "OR", "RD")) {
    ratio <- measure != "RD"
    of <- escalc(measure, ai = events1, n1i = n1, ci = events2, n2i = n2, data = counts[counts$set == set, ], add = 1 / 2, to = "only0", drop00 = ratio)
    measured(set, measure, of, ratio)
  }
}

save(do.call(rbind, rows), "meta-models.csv")
