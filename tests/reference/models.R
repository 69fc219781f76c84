# Writes tests/reference/models-data.csv, small made-up data sets, and tests/reference/models.csv: what R makes of them.
# Run it from the repository root:  Rscript --vanilla tests/reference/models.R   (or: make reference)
#
# logistic  stats::glm, binomial; robust by worker written out below
# cox       survival::coxph, Efron's and Breslow's rule for ties; robust with cluster; followed to day 40 only
# median    survival::survfit, as it prints; curve: its survival at each event
#
# The set "trial" has ties, censoring, missing values, a factor with three levels, and workers in one arm alone;
# a person without a worker is a cluster of their own.

suppressPackageStartupMessages(library(survival))

folder <- file.path("tests", "reference")
if (!dir.exists(folder)) stop("run this from the repository root")

source(file.path("tests", "reference", "shared", "files.R"))

# The data

set.seed(2018, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
n <- 160
arm <- rep(c("peers", "usual"), each = n / 2)
site <- sample(c("east", "north", "west"), n, replace = TRUE)
worker <- ifelse(arm == "peers", paste0("w", sample(14, n, replace = TRUE)), NA)
age <- round(rnorm(n, 40, 12))
leaning <- -0.5 * (arm == "peers") + 0.4 * (site == "west") + 0.02 * (age - 40) + ifelse(is.na(worker), 0, rnorm(14, 0, 0.6)[as.integer(sub("w", "", worker))])
yes <- rbinom(n, 1, plogis(leaning))
yes[sample(n, 9)] <- NA
until_event <- ceiling(rweibull(n, 0.9, 45 * exp(-leaning)))
followed <- ceiling(runif(n, 20, 90))
time <- pmin(until_event, followed)
event <- as.integer(until_event <= followed)
time[sample(n, 4)] <- NA

small <- function(set, time, event) {
  data.frame(set = set, id = seq_along(time), arm = NA, site = NA, worker = NA, age = NA, yes = NA, time = time, event = event)
}
data <- rbind(
  data.frame(set = "trial", id = seq_len(n), arm, site, worker, age, yes, time, event),
  small("half then an event", c(1, 2, 2.5, 3, 4, 7), c(1, 1, 1, 0, 0, 1)),
  small("half to the end", c(1, 2, 3, 4), c(1, 1, 0, 0)),
  small("half after censoring", c(2, 3, 3, 5, 6, 8, 9), c(0, 1, 1, 1, 0, 1, 0)),
  small("just below half", c(1, 2, 3, 4, 5), c(1, 1, 1, 0, 1)),
  small("not reached", c(1, 2, 3, 4), c(1, 0, 0, 0)),
  small("no event", c(1, 2), c(0, 0)),
  small("times alike", c(0.3, 0.1 + 0.2, 0.5, 0.9), c(1, 1, 1, 0))
)
data$time <- formatC(data$time, digits = 17, format = "g", width = 1)
data$time[data$time == "NA"] <- NA
data_file <- save(data, "models-data.csv")

# What R makes of it

data <- read.csv(data_file, na.strings = "")
rows <- list()
keep <- function(label, model, term, ...) {
  values <- c(...)
  rows[[length(rows) + 1]] <<- data.frame(
    set = label, model = model, term = term, part = names(values),
    value = if (is.character(values)) values else formatC(values, digits = 15, format = "g", width = 1)
  )
}
keep_terms <- function(model, estimates, errors) {
  for (term in names(estimates)) {
    z <- estimates[[term]] / errors[[term]]
    keep("trial", model, term, est = estimates[[term]], se = errors[[term]], p = 2 * pnorm(-abs(z)))
  }
}

keep("", "made by", "R", version = paste(R.version$major, R.version$minor, sep = "."))
keep("", "made by", "survival", version = format(packageVersion("survival")))
keep("", "made from", "models-data.csv", sha256 = sha256(data_file))

trial <- data[data$set == "trial", ]
trial$arm <- relevel(factor(trial$arm), "usual")
trial$site <- factor(trial$site)
trial$cluster <- ifelse(is.na(trial$worker), paste("alone", trial$id), trial$worker)
formulas <- list(arm = "arm", adjusted = "arm + site + age")

for (name in names(formulas)) {
  used <- trial[!is.na(trial$yes), ]
  model <- glm(reformulate(formulas[[name]], "yes"), binomial, used, control = glm.control(epsilon = 1e-15, maxit = 100))
  bread <- summary(model)$cov.unscaled
  scores <- rowsum(model.matrix(model) * (used$yes - fitted(model)), used$cluster)
  keep_terms(paste("logistic", name), coef(model), sqrt(diag(bread)))
  keep_terms(paste("logistic", name, "robust"), coef(model), sqrt(diag(bread %*% crossprod(scores) %*% bread)))
  keep("trial", paste("logistic", name), "", n = nobs(model))
}

exact <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100)
trial <- trial[!is.na(trial$time), ]
cut <- transform(trial, event = ifelse(time > 40, 0, event), time = pmin(time, 40))
for (name in names(formulas)) {
  formula <- reformulate(formulas[[name]], "Surv(time, event)")
  for (ties in c("efron", "breslow")) {
    model <- coxph(formula, trial, ties = ties, control = exact)
    keep_terms(paste("cox", name, ties), coef(model), sqrt(diag(vcov(model))))
    keep("trial", paste("cox", name, ties), "", n = model$n, events = model$nevent)
    model <- coxph(formula, trial, ties = ties, cluster = cluster, control = exact)
    keep_terms(paste("cox", name, ties, "robust"), coef(model), sqrt(diag(vcov(model))))
    model <- coxph(formula, cut, ties = ties, control = exact)
    keep_terms(paste("cox", name, ties, "cut"), coef(model), sqrt(diag(vcov(model))))
    keep("trial", paste("cox", name, ties, "cut"), "", n = model$n, events = model$nevent)
  }
}

data$label <- ifelse(data$set == "trial", paste("trial", data$arm), data$set)
for (label in unique(data$label)) {
  curve <- survfit(Surv(time, event) ~ 1, data[data$label == label, ])
  median <- summary(curve)$table[["median"]]
  keep(label, "median", "", median = if (is.na(median)) NaN else median)
  for (place in which(curve$n.event > 0)) {
    keep(label, "curve", formatC(curve$time[place], digits = 15, format = "g", width = 1), survival = curve$surv[place])
  }
}

save(do.call(rbind, rows), "models.csv")
