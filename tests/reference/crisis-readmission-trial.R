# Writes tests/reference/crisis-readmission-trial.csv: what R makes of the records in data/crisis-readmission-trial.
# Run it from the repository root:  Rscript --vanilla tests/reference/crisis-readmission-trial.R   (or: make reference)
#
# Estimates, standard errors and intervals stand on the scale of the coefficient: logs of ratios for glm and coxph.
#
# glm, lm     stats, maximum likelihood and least squares; covariance robust by peer support worker written out below
# table       risk difference, logs of risk and odds ratio of a two-by-two table, with their errors, written out below
# coxph       survival, Efron's rule for ties unless Breslow's is named; robust with cluster, stratified with strata
# schoenfeld  correlation of Schoenfeld's residuals with the rank of time
# curve       survival::survfit; logrank: survival::survdiff; restricted: mean days up to the end of the year
# claim       the number that each claim of study.yml comes to, by the claim's id

suppressPackageStartupMessages(library(survival))

folder <- file.path("data", "crisis-readmission-trial")
files <- c("participants.csv", "visits.csv")
if (!file.exists(file.path(folder, "visits.csv"))) stop("run this from the repository root")

source(file.path("tests", "reference", "shared", "files.R"))

rows <- list()
keep <- function(outcome, model, term, ...) {
  values <- c(...)
  rows[[length(rows) + 1]] <<- data.frame(outcome = outcome, model = model, term = term, part = names(values), value = as_text(values))
}

# A named vector: estimate, standard error, 95% interval, two-sided p; by Student's t where df is finite
wald <- function(est, se, df = Inf) {
  half <- qt(0.975, df) * se
  c(est = est, se = se, lo = est - half, hi = est + half, p = 2 * pt(-abs(est / se), df))
}

# Keeps every coefficient of a fit with its error, that of the arm with interval and p; returns the arm's
keep_fit <- function(outcome, model, fit, covariance = vcov(fit), df = Inf) {
  se <- sqrt(diag(covariance))
  for (place in which(names(coef(fit)) != effect)) keep(outcome, model, names(coef(fit))[place], est = coef(fit)[[place]], se = se[[place]])
  of_arm <- wald(coef(fit)[[effect]], se[[which(names(coef(fit)) == effect)]], df)
  keep(outcome, model, effect, of_arm)
  keep(outcome, model, "", n = length(residuals(fit)))
  invisible(of_arm)
}

# Covariance robust by group, without a correction for few groups: scores are the design's rows times the residuals
sandwich <- function(fit, residual, group) {
  bread <- summary(fit)$cov.unscaled
  bread %*% crossprod(rowsum(model.matrix(fit) * residual, group)) %*% bread
}

keep("", "made by", "R", version = paste(R.version$major, R.version$minor, sep = "."))
keep("", "made by", "survival", version = format(packageVersion("survival")))
for (file in files) keep("", "made from", file, sha256 = sha256(file.path(folder, file)))

people <- read.csv(file.path(folder, "participants.csv"), na.strings = "")
visits <- read.csv(file.path(folder, "visits.csv"), na.strings = "")
arms <- c("peer support", "control")
effect <- "armpeer support" # what R calls the coefficient of the arm
people$arm <- relevel(factor(people$arm), "control")
people$group <- ifelse(is.na(people$peer_worker), people$id, people$peer_worker) # nobody's worker: a group of one
people$symptoms <- with(visits[visits$month == 0, ], symptoms[match(people$id, id)])

# Readmission within a year: logistic models

logistic <- function(formula, data) glm(formula, binomial, data, control = glm.control(epsilon = 1e-15, maxit = 100))
seen <- people[!is.na(people$readmitted), ]
adjusted <- logistic(readmitted ~ arm + team, seen)
crude <- logistic(readmitted ~ arm, seen)
odds_ratio <- keep_fit("readmitted", "readmission", adjusted)
keep_fit("readmitted", "readmission_crude", crude)
keep("readmitted", "readmission_crude", "", loglik = as.numeric(logLik(crude)))
keep_fit("readmitted", "readmission robust", adjusted, sandwich(adjusted, seen$readmitted - fitted(adjusted), seen$group))
keep("readmitted", "readmission robust", "", groups = length(unique(seen$group)))
keep_fit("readmitted", "readmission with symptoms", logistic(readmitted ~ arm + team + symptoms, seen))

unknown <- is.na(people$readmitted)
filled <- list(none = 0, worst = as.numeric(people$arm == "peer support"), best = as.numeric(people$arm == "control"))
for (name in names(filled)) {
  data <- transform(people, readmitted = ifelse(unknown, filled[[name]], readmitted))
  keep_fit("readmitted", paste("readmission unknown", name), logistic(readmitted ~ arm + team, data))
}
as_if <- sapply(arms, function(arm) mean(predict(adjusted, replace(seen, "arm", factor(arm, levels(seen$arm))), type = "response")))
keep("readmitted", "standardised", "", as_if, difference = as_if[["peer support"]] - as_if[["control"]])

# Readmission within a year: the two-by-two table

yes <- sapply(arms, function(arm) sum(seen$readmitted[seen$arm == arm]))
all <- sapply(arms, function(arm) sum(seen$arm == arm))
randomised <- sapply(arms, function(arm) sum(people$arm == arm))
lost <- randomised - all

difference <- function(risk, all) wald(risk[[1]] - risk[[2]], sqrt(sum(risk * (1 - risk) / all)))[c("est", "lo", "hi")]
keep_table <- function(model, yes, all) {
  risk <- yes / all
  odds <- yes / (all - yes)
  lines <- list(
    "risk difference" = difference(risk, all),
    "risk ratio" = wald(log(risk[[1]] / risk[[2]]), sqrt(sum(1 / yes - 1 / all))),
    "odds ratio" = wald(log(odds[[1]] / odds[[2]]), sqrt(sum(1 / yes + 1 / (all - yes))))
  )
  for (term in names(lines)) keep("readmitted", model, term, lines[[term]])
  invisible(lines)
}
by_hand <- keep_table("table", yes, all)
keep("readmitted", "readmission_ratio", effect, by_hand[["risk ratio"]])
keep("readmitted", "readmission_ratio", "", n = sum(all))
keep_table("table as reported", yes, c(all[["peer support"]], randomised[["control"]]))
keep_table("table unknown none", yes, randomised)
keep_table("table unknown worst", yes + lost * c(1, 0), randomised)
keep_table("table unknown best", yes + lost * c(0, 1), randomised)

likelihood_ratio <- function(counts) pchisq(2 * sum(counts * log(counts / chisq.test(counts)$expected)), 1, lower.tail = FALSE)
tests <- list(
  pearson = function(counts) chisq.test(counts, correct = FALSE)$p.value,
  yates = function(counts) chisq.test(counts)$p.value,
  "likelihood ratio" = likelihood_ratio,
  fisher = function(counts) fisher.test(counts)$p.value,
  wald = function(counts) wald(log(counts[1, 1] * counts[2, 2] / counts[1, 2] / counts[2, 1]), sqrt(sum(1 / counts)))[["p"]]
)
counts <- cbind(yes, all - yes)
for (name in names(tests)) {
  more <- 0 # events to add in the first arm until p is .05 or more: the fragility index
  while (tests[[name]](counts + more * rbind(c(1, -1), 0)) < 0.05) more <- more + 1
  keep("readmitted", "test", name, p = tests[[name]](counts), fragility = more)
}
keep("readmitted", "test", "likelihood ratio of models", p = anova(crude, test = "LRT")$`Pr(>Chi)`[2])

# Time to readmission

followed <- people[!is.na(people$days), ]
year <- transform(followed, readmission = ifelse(days <= 365, readmission, 0), days = pmin(days, 365))
exact <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100)
by_arm <- Surv(days, readmission) ~ arm
by_group <- Surv(days, readmission) ~ arm + cluster(group)
keep_cox <- function(model, formula, data, ties = "efron") {
  fit <- coxph(formula, data, ties = ties, control = exact)
  keep("readmission", model, "", events = fit$nevent)
  keep_fit("readmission", model, fit)
}
hazard_ratio <- keep_cox("time_to_readmission", by_arm, followed)
keep_cox("time_to_readmission_in_the_year", by_arm, year)
keep_cox("time_to_readmission_in_the_year_robust", by_group, year, ties = "breslow")
keep_cox("time_to_readmission_in_the_year_robust efron", by_group, year)
keep_cox("time_to_readmission by team", Surv(days, readmission) ~ arm + strata(team), followed)
early <- transform(followed, readmission = ifelse(days <= 90, readmission, 0), days = pmin(days, 90))
late <- transform(followed[followed$days > 90, ], entry = 90)
keep_cox("time_to_readmission to day 90", by_arm, early)
keep_cox("time_to_readmission from day 90", Surv(entry, days, readmission) ~ arm, late)

for (ties in c("efron", "breslow")) { # does the hazard ratio change with time?
  schoenfeld <- residuals(coxph(by_arm, followed, ties = ties, control = exact), "schoenfeld")
  trend <- cor.test(rank(as.numeric(names(schoenfeld))), schoenfeld)
  keep("readmission", "schoenfeld", ties, n = length(schoenfeld), r = trend$estimate[[1]], p = trend$p.value)
}

logrank <- survdiff(by_arm, followed)
keep("readmission", "logrank", "", chisq = logrank$chisq, p = pchisq(logrank$chisq, 1, lower.tail = FALSE))
for (arm in arms) {
  part <- followed[followed$arm == arm, ]
  curve <- survfit(Surv(days, readmission) ~ 1, part)
  at_year <- summary(curve, times = 365)
  table <- summary(curve, rmean = 365)$table
  keep("readmission", "curve", arm, survival = at_year$surv, se = at_year$std.err, median = table[["median"]], restricted = table[["rmean"]])
  marks <- c(0, 90, 180, 270, 365, 450, 540)
  keep("readmission", "at risk", arm, setNames(summary(curve, times = marks, extend = TRUE)$n.risk, marks))
}
welch <- t.test(days ~ arm, transform(year, arm = factor(arm, arms)))
keep("readmission", "restricted", "", est = -diff(welch$estimate)[[1]], lo = welch$conf.int[1], hi = welch$conf.int[2])

for (day in c(91, 182, 274, 365)) {
  by_then <- sapply(arms, function(arm) mean(with(followed[followed$arm == arm, ], days <= day & readmission == 1)))
  keep("readmission", "risk difference by day", format(day), difference(by_then, all))
}

# Satisfaction and the other scores

scores <- merge(visits, people[c("id", "arm")], by = "id")
baseline <- scores[scores$month == 0, ]
keep_linear <- function(outcome, model, fit) {
  keep(outcome, model, "", df = df.residual(fit))
  keep_fit(outcome, model, fit, df = df.residual(fit))
}
four <- scores[scores$month == 4 & !is.na(scores$satisfaction), ]
satisfaction <- keep_linear("satisfaction", "satisfaction_difference", lm(satisfaction ~ arm, four))
n <- nrow(four)
d <- satisfaction[["est"]] / sigma(lm(satisfaction ~ arm, four))
keep("satisfaction", "hedges", "", g = d * (1 - 3 / (4 * n - 9)))

others <- c("symptoms", "loneliness", "recovery", "self_management", "network") # in the chapter's order
smallest <- list()
all_p <- c()
for (month in c(4, 18)) {
  at <- scores[scores$month == month, ]
  for (outcome in others) {
    at$baseline <- baseline[[outcome]][match(at$id, baseline$id)]
    line <- keep_linear(outcome, paste0("difference_at_", month), lm(reformulate(c("arm", "baseline"), outcome), at))
    all_p[paste(outcome, month)] <- line[["p"]]
    smallest[[format(month)]] <- min(line[["p"]], smallest[[format(month)]])
  }
}
holm <- p.adjust(all_p, "holm")
for (name in names(holm)) keep(sub(" .*", "", name), "holm", sub(".* ", "", name), p = holm[[name]])

# Serious adverse events

keep_linear("serious_adverse_events", "adverse_difference", lm(serious_adverse_events ~ arm, people))
rate <- glm(serious_adverse_events ~ arm, poisson, people, control = glm.control(epsilon = 1e-15, maxit = 100))
keep_fit("serious_adverse_events", "poisson", rate)
keep_fit("serious_adverse_events", "poisson robust", rate, sandwich(rate, people$serious_adverse_events - fitted(rate), people$id))
events <- sapply(arms, function(arm) sum(people$serious_adverse_events[people$arm == arm]))
any <- sapply(arms, function(arm) sum(people$serious_adverse_events[people$arm == arm] > 0))
keep("serious_adverse_events", "any event", "fisher", p = fisher.test(cbind(any, randomised - any))$p.value)

# The claims of study.yml

ratio <- function(line) c(exp(line[c("est", "lo", "hi")]), line["p"])
reduction <- 100 * (1 - exp(by_hand[["risk ratio"]][["est"]]))
returned <- function(arm) median(seen$days[seen$readmitted == 1 & seen$arm == arm])
claims <- list(
  randomised.all.n = nrow(people),
  randomised.peer_support.n = randomised[["peer support"]],
  randomised.control.n = randomised[["control"]],
  analysed.peer_support.n = all[["peer support"]],
  analysed.control.n = all[["control"]],
  analysed.control.reported_n = all[["control"]],
  teams.all.n = length(unique(people$team)),
  interviews.all.schedule = paste(sort(unique(visits$month)), collapse = "; "),
  interviewed.all.n = nrow(four),
  readmitted.peer_support.events = yes[["peer support"]],
  readmitted.control.events = yes[["control"]],
  readmitted.peer_support.percent = 100 * yes[["peer support"]] / all[["peer support"]],
  readmitted.control.percent = 100 * yes[["control"]] / all[["control"]],
  readmitted.or = ratio(odds_ratio),
  readmitted.reduction.percent = reduction,
  readmitted.reduction.quarter = reduction,
  time.hr = ratio(hazard_ratio),
  time.hr.direction = exp(hazard_ratio[["est"]]),
  time.peer_support.median = returned("peer support"),
  time.control.median = returned("control"),
  satisfaction.diff = satisfaction[c("est", "lo", "hi", "p")],
  secondary.month_4.p = smallest[["4"]],
  secondary.month_18.p = smallest[["18"]],
  sessions.three_or_more.percent = 100 * mean(people$sessions >= 3, na.rm = TRUE),
  sessions.all_ten.percent = 100 * mean(people$sessions >= 10, na.rm = TRUE),
  sessions.offered.n = max(people$sessions, na.rm = TRUE),
  adverse.all.events = sum(people$serious_adverse_events),
  adverse.peer_support.events = events[["peer support"]],
  adverse.control.events = events[["control"]],
  adverse.difference.direction = events[["peer support"]] / randomised[["peer support"]] - events[["control"]] / randomised[["control"]]
)
for (id in names(claims)) {
  parts <- claims[[id]]
  for (place in seq_along(parts)) keep("", "claim", paste(c(id, names(parts)[place]), collapse = "."), value = parts[[place]])
}

save(do.call(rbind, rows), "crisis-readmission-trial.csv")
