# Writes tests/reference/peer-support-meta-analysis.csv: what R makes of the records in data/peer-support-meta-analysis.
# Run it from the repository root:  Rscript --vanilla tests/reference/peer-support-meta-analysis.R   (or: make reference)
#
# effect       each row's Hedges' g and variance, written out in shared/effects.R; escalc: metafor's own definition of both
# pool         metafor::rma, each estimator and each test; I² from Q; prediction interval after Riley (k − 2 degrees of freedom)
# pool escalc  the same of metafor's effects; metafor: its I² and H², from tau²
# profile      metafor::confint, the Q profile of tau²
# holm         stats::p.adjust over the outcomes
# settings, quality       meta-regressions of personal recovery: REML, Knapp and Hartung
# egger, pet, peese       stats::lm with weights 1/v, for pet and peese one over the part of v that depends on sizes alone; regtest: metafor's, on the standard error
# trimfill, without, until, weights   metafor's trimfill, leave1out, cumul (by year and id) and weights, all of DL
# variant      personal recovery with one choice changed at a time
# smd          what a standardised mean difference of the printed size means
# claim        the number that each claim of study.yml comes to, by the claim's id

suppressPackageStartupMessages(library(metafor))

folder <- file.path("data", "peer-support-meta-analysis")
files <- c("trials.csv", "outcomes.csv")
if (!file.exists(file.path(folder, "outcomes.csv"))) stop("run this from the repository root")

names_of_rows <- c("outcome", "setting", "model", "term")
source(file.path("tests", "reference", "shared", "files.R"))
source(file.path("tests", "reference", "shared", "effects.R"))

# The records, and the effect of each row

trials <- read.csv(file.path(folder, "trials.csv"), na.strings = "")
table <- read.csv(file.path(folder, "outcomes.csv"), na.strings = "")
table$row <- seq_len(nrow(table))
table <- merge(table, trials, by = "id")
table <- with_effects(table[order(table$row), ])
for (at in seq_len(nrow(table))) {
  each <- table[at, ]
  keep(c(each$outcome, each$setting, "effect", paste(each$id, each$instrument)), g = each$g, v = each$v)
  keep(c(each$outcome, each$setting, "effect escalc", paste(each$id, each$instrument)), g = each$yi, v = each$vi)
}
used <- table[table$in_pool == 1, ]
recovery <- used[used$outcome == "personal recovery", ]
k <- nrow(recovery)

# Pools

exact <- list(threshold = 1e-14, tol = 1e-14, maxiter = 100000)
estimators <- c(common = "FE", DL = "DL", PM = "PM", REML = "REML")
tests <- c("wald-z" = "z", "knapp-hartung" = "knha", "knapp-hartung-at-least-wald" = "adhoc")
fit_of <- function(y, v, estimator = "DL", test = "wald-z", ...) {
  method <- if (length(y) == 1) "FE" else estimators[[estimator]] # one trial is its own pool
  suppressWarnings(rma(y, v, method = method, test = tests[[test]], control = exact, ...))
}
line <- function(fit) c(est = fit$beta[[1]], se = fit$se[[1]], lo = fit$ci.lb[[1]], hi = fit$ci.ub[[1]], p = fit$pval[[1]])
i2_of_q <- function(fit) if (fit$k > 1) 100 * max(0, (fit$QE - (fit$k - 1)) / fit$QE) else 0
parts <- function(fit) c(line(fit), tau2 = fit$tau2, k = fit$k, q = fit$QE, q_p = if (fit$k > 1) fit$QEp else NA, i2 = i2_of_q(fit))

keep_pool <- function(outcome, setting, rows_of, estimator = "DL", test = "wald-z") {
  fit <- fit_of(rows_of$g, rows_of$v, estimator, test)
  model <- paste("pool", estimator, test)
  keep(c(outcome, setting, model, ""), parts(fit), n = sum(rows_of$people))
  if (fit$k > 2 && estimator != "common") {
    riley <- predict(fit, pi.type = "riley")
    keep(c(outcome, setting, model, ""), prediction_lo = riley$pi.lb, prediction_hi = riley$pi.ub)
  }
  fit
}

pools <- list()
for (outcome in unique(used$outcome)) {
  of_outcome <- used[used$outcome == outcome, ]
  for (estimator in names(estimators)) {
    for (test in names(tests)) fit <- keep_pool(outcome, "", of_outcome, estimator, test)
    if (estimator != "common") keep(c(outcome, "", paste("metafor", estimator), ""), i2 = fit$I2, h2 = fit$H2)
  }
  keep(c(outcome, "", "pool escalc DL wald-z", ""), parts(fit_of(of_outcome$yi, of_outcome$vi)))
  pools[[outcome]] <- fit_of(of_outcome$g, of_outcome$v)
  profile <- confint(pools[[outcome]], control = list(tol = 1e-14, maxiter = 100000, tau2.max = 10000))$random
  keep(c(outcome, "", "profile", ""), lo = profile["tau^2", "ci.lb"], hi = profile["tau^2", "ci.ub"])
  for (setting in unique(of_outcome$setting)) {
    rows_of <- of_outcome[of_outcome$setting == setting, ]
    pools[[paste(outcome, setting)]] <- keep_pool(outcome, setting, rows_of)
  }
}
outcomes <- unique(used$outcome)
holm <- p.adjust(sapply(outcomes, function(outcome) pools[[outcome]]$pval), "holm")
for (outcome in outcomes) keep(c(outcome, "", "holm", ""), p = holm[[outcome]])

# Personal recovery: what goes with the effect, and small trials

keep_recovery <- function(where, ...) keep(c("personal recovery", "", where), ...)
keep_regression <- function(model, fit, names) {
  for (at in seq_along(names)) keep_recovery(c(model, names[at]), est = fit$beta[at], se = fit$se[at], lo = fit$ci.lb[at], hi = fit$ci.ub[at], p = fit$pval[at])
  keep_recovery(c(model, ""), tau2 = fit$tau2, q = fit$QE, f = fit$QM, df1 = fit$QMdf[1], df2 = fit$QMdf[2], p = fit$QMp)
}
settings <- c("hospital services", "non-hospital settings", "online groups")
by_setting <- fit_of(recovery$g, recovery$v, "REML", "knapp-hartung", mods = ~ factor(setting, settings), btt = 2:3, data = recovery)
keep_regression("settings", by_setting, settings)
high <- as.numeric(recovery$risk_of_bias == "high")
decades <- (recovery$year - mean(recovery$year)) / 10
keep_regression("quality", fit_of(recovery$g, recovery$v, "REML", "knapp-hartung", mods = cbind(high, decades)), c("average", "high", "decades"))

keep_line <- function(outcome, model, y, v, x) {
  fit <- lm(y ~ x, weights = 1 / v)
  for (at in 1:2) {
    found <- c(coef(summary(fit))[at, ], confint(fit)[at, ])
    names(found) <- c("est", "se", "t", "p", "lo", "hi")
    keep(c(outcome, "", model, c("limit", "slope")[at]), found)
  }
  keep(c(outcome, "", model, ""), df = fit$df.residual)
}
for (outcome in outcomes) {
  of_outcome <- used[used$outcome == outcome, ]
  if (nrow(of_outcome) >= 10) keep_line(outcome, "egger", of_outcome$g, of_outcome$v, of_outcome$unit)
}
funnel <- regtest(pools[["personal recovery"]], model = "lm")
keep_recovery(c("regtest", ""), t = funnel$zval, p = funnel$pval, limit = funnel$est)
keep_line("personal recovery", "pet", recovery$g, recovery$unit^2, recovery$unit)
keep_line("personal recovery", "peese", recovery$g, recovery$unit^2, recovery$unit^2)

filled <- suppressWarnings(trimfill(pools[["personal recovery"]], control = exact))
keep_recovery(c("trimfill", filled$side), filled = filled$k0, parts(filled))
for (at in seq_len(filled$k0)) keep_recovery(c("trimfill", at), g = filled$yi.f[k + at], v = filled$vi.f[k + at])

without <- leave1out(pools[["personal recovery"]])
heavy <- weights(pools[["personal recovery"]])
heavy_common <- weights(fit_of(recovery$g, recovery$v, "common"))
line_at <- function(fits, at) c(est = fits$estimate[at], se = fits$se[at], lo = fits$ci.lb[at], hi = fits$ci.ub[at], p = fits$pval[at])
for (at in seq_len(k)) {
  keep_recovery(c("without", recovery$id[at]), line_at(without, at))
  keep_recovery(c("weights", recovery$id[at]), common = heavy_common[[at]], random = heavy[[at]])
}
in_time <- order(recovery$year, recovery$id, method = "radix")
until <- cumul(pools[["personal recovery"]], order = in_time)
for (at in seq_len(k)) keep_recovery(c("until", at), year = recovery$year[in_time][at], line_at(until, at))

# Personal recovery, one choice changed at a time

everything <- table[table$outcome == "personal recovery", ]
second <- everything[everything$in_pool == 0, ]
twice <- recovery$id %in% second$id
middle <- recovery
middle$g[twice] <- sapply(recovery$id[twice], function(id) mean(everything$g[everything$id == id]))
low_risk <- recovery[recovery$risk_of_bias == "low", ]
turned_back <- transform(recovery, g = g * direction)
variants <- list(
  "DL" = list(recovery),
  "PM" = list(recovery, "PM"),
  "REML" = list(recovery, "REML"),
  "knapp-hartung" = list(recovery, "DL", "knapp-hartung"),
  "common" = list(recovery, "common"),
  "second questionnaire" = list(rbind(recovery[!twice, ], second)),
  "both questionnaires" = list(rbind(recovery, second)),
  "mean of the questionnaires" = list(middle),
  "directions forgotten" = list(turned_back),
  "directions forgotten common" = list(turned_back, "common"),
  "without the largest" = list(recovery[-which.max(recovery$people), ]),
  "larger half" = list(recovery[recovery$people >= median(recovery$people), ]),
  "without waiting lists" = list(recovery[recovery$comparator != "waiting list", ]),
  "without high risk" = list(recovery[recovery$risk_of_bias != "high", ]),
  "low risk" = list(low_risk),
  "low risk knapp-hartung" = list(low_risk, "DL", "knapp-hartung"),
  "low risk knapp-hartung-at-least-wald" = list(low_risk, "DL", "knapp-hartung-at-least-wald")
)
for (name in names(variants)) {
  choice <- variants[[name]]
  fit <- do.call(fit_of, c(list(choice[[1]]$g, choice[[1]]$v), choice[-1]))
  keep_recovery(c("variant", name), line(fit), tau2 = fit$tau2, k = fit$k)
}

# What a standardised mean difference of the printed size means, and how many more trials of a hundred people an arm would do

printed <- number_of("peer-support-meta-analysis", "recovery.all.est")
response <- pnorm(qnorm(0.2) + printed)
keep_recovery(c("smd", ""), overlap = 2 * pnorm(-printed / 2), superiority = pnorm(printed / sqrt(2)), response = response, needed = 1 / (response - 0.2))
fit <- pools[["personal recovery"]]
keep_recovery(c("below zero", ""), share = pt(-fit$beta[[1]] / sqrt(fit$tau2 + fit$se^2), k - 2))
variance <- 2 / 100 + fit$beta[[1]]^2 / (2 * (200 - 3.94))
for (more in c(0, 10, 400)) {
  se <- 1 / sqrt(1 / fit$se^2 + more / (variance + fit$tau2))
  keep_recovery(c("more trials", more), width = se / fit$se, prediction_lo = fit$beta[[1]] - qt(0.975, k + more - 2) * sqrt(fit$tau2 + se^2))
}

# The claims of study.yml

pooled <- function(outcome, setting = NULL) line(pools[[paste(c(outcome, setting), collapse = " ")]])
est <- function(...) pooled(...)[["est"]]
values <- function(column) paste(sort(unique(trials[[column]]), method = "radix"), collapse = "; ")
recovery_by <- sapply(settings, function(setting) est("personal recovery", setting))
claims <- list(
  trials.all.n = nrow(trials),
  people.all.n = sum(trials$n),
  settings.all.words = values("setting"),
  delivery.all.words = values("delivery"),
  conditions.all.words = values("condition"),
  waiting_list.all.words = sum(trials$comparator == "waiting list"),
  usual_care.all.words = sum(trials$comparator == "usual care"),
  risk.all.words = 100 * mean(trials$risk_of_bias == "high"),
  hospital.trials.words = 100 * mean(trials$setting == "hospital services"),
  recovery.all = pooled("personal recovery")[c("est", "lo", "hi")],
  recovery.all.words = est("personal recovery"),
  anxiety.all = pooled("anxiety")[c("est", "lo", "hi")],
  anxiety.all.words = est("anxiety"),
  hope.all.direction = est("hope"),
  advocacy.all.direction = est("self-advocacy"),
  hospital.recovery.words = recovery_by[[1]],
  hospital.recovery.lead = recovery_by[[1]] - max(recovery_by[-1]),
  hospital.self_efficacy.words = est("self-efficacy", "hospital services"),
  hospital.symptoms.words = est("overall symptoms", "hospital services"),
  nonhospital.advocacy.words = est("self-advocacy", "non-hospital settings"),
  online.recovery.words = recovery_by[[3]],
  online.recovery.p = pooled("personal recovery", "online groups")[["p"]],
  established.trials.n = sum(trials$setting == "established positions"),
  established.data.n = sum(table$setting == "established positions")
)
for (id in names(claims)) {
  found <- claims[[id]]
  for (at in seq_along(found)) keep(c("", "", "claim", paste(c(id, names(found)[at]), collapse = ".")), value = found[[at]])
}

save(do.call(rbind, rows), "peer-support-meta-analysis.csv")
