# Writes tests/reference/lloyd-evans-2014.csv: what R makes of the records in data/lloyd-evans-2014.
# Run it from the repository root:  Rscript --vanilla tests/reference/lloyd-evans-2014.R   (or: make reference)
#
# effect       each row's Hedges' g and variance, written out in shared/effects.R; escalc: metafor's own definition of both
# pool         metafor::rma of an outcome at a time, DL with Wald's interval, one trial as its own pool; I² from Q; escalc: of metafor's effects
# claim        the number that each claim of study.yml comes to, by the claim's id

suppressPackageStartupMessages(library(metafor))

folder <- file.path("data", "lloyd-evans-2014")
files <- c("trials.csv", "outcomes.csv")
if (!file.exists(file.path(folder, "outcomes.csv"))) stop("run this from the repository root")

names_of_rows <- c("outcome", "time", "model", "term")
source(file.path("tests", "reference", "shared", "files.R"))
source(file.path("tests", "reference", "shared", "effects.R"))

trials <- read.csv(file.path(folder, "trials.csv"), na.strings = "")
table <- with_effects(read.csv(file.path(folder, "outcomes.csv"), na.strings = ""))
for (at in seq_len(nrow(table))) {
  each <- table[at, ]
  keep(c(each$outcome, each$time, "effect", each$id), g = each$g, v = each$v)
  keep(c(each$outcome, each$time, "effect escalc", each$id), g = each$yi, v = each$vi)
}

# The ten rows

exact <- list(threshold = 1e-14, tol = 1e-14, maxiter = 100000)
parts_of <- function(y, v) {
  fit <- rma(y, v, method = if (length(y) == 1) "FE" else "DL", control = exact)
  several <- fit$k > 1
  c(
    est = fit$beta[[1]], se = fit$se[[1]], lo = fit$ci.lb[[1]], hi = fit$ci.ub[[1]], p = fit$pval[[1]], tau2 = fit$tau2, k = fit$k,
    q = if (several) fit$QE else 0, q_p = if (several) fit$QEp else NA, i2 = if (several) 100 * max(0, (fit$QE - (fit$k - 1)) / fit$QE) else 0
  )
}
names_of <- c(
  recovery = "recovery", hope = "hope", mood = "depression and anxiety", psychosis = "symptoms of psychosis", quality = "quality of life",
  symptoms = "overall psychiatric symptoms", empowerment = "empowerment"
)
times_of <- c(end = "end of intervention", later = "follow-up")
pools <- list()
for (outcome in names(names_of)) {
  for (time in names(times_of)) {
    rows_of <- table[table$outcome == names_of[[outcome]] & table$time == times_of[[time]], ]
    if (nrow(rows_of) == 0) next
    found <- c(parts_of(rows_of$g, rows_of$v), n = sum(rows_of$people))
    keep(c(names_of[[outcome]], times_of[[time]], "pool", ""), found)
    keep(c(names_of[[outcome]], times_of[[time]], "pool escalc", ""), parts_of(rows_of$yi, rows_of$vi))
    pools[[paste(outcome, time, sep = ".")]] <- found
  }
}
stopifnot(sum(sapply(pools, function(pool) pool[["k"]])) == nrow(table)) # every row is in a pool

# The claims of study.yml

of_type <- function(type) sum(trials$type == type)
later <- function(outcome) sum(table$outcome == outcome & table$time == "follow-up")
claims <- list(
  trials.all.n = nrow(trials),
  people.all.n = sum(trials$n),
  trials.mutual.n = of_type("mutual support"),
  trials.services.n = of_type("peer support service"),
  trials.delivered.n = of_type("peer-delivered mental health service"),
  hospitalisation.later.k = later("hospitalisation"),
  employment.later.k = later("employment"),
  satisfaction.later.k = later("satisfaction"),
  symptoms.later.words = pools$symptoms.later[["p"]],
  recovery.end.direction = pools$recovery.end[["est"]],
  recovery.later.direction = pools$recovery.later[["est"]],
  hope.end.direction = pools$hope.end[["est"]],
  hope.later.direction = pools$hope.later[["est"]],
  empowerment.later.direction = pools$empowerment.later[["est"]]
)
for (row in names(pools)) { # the heterogeneity of one trial is not printed
  for (part in if (pools[[row]][["k"]] > 1) c("k", "n", "est", "lo", "hi", "q", "q_p", "i2") else c("k", "n", "est", "lo", "hi")) {
    claims[[paste(row, part, sep = ".")]] <- pools[[row]][[part]]
  }
}
for (id in names(claims)) keep(c("", "", "claim", id), value = claims[[id]])

save(do.call(rbind, rows), "lloyd-evans-2014.csv")
