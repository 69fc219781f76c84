# Writes tests/reference/harp-trial.csv: what R makes of the records in data/harp-trial.
# Run it from the repository root:  Rscript --vanilla tests/reference/harp-trial.R   (or: make reference)
#
# mixed   lme4::lmer, REML, one random intercept a person; Satterthwaite t from lmerTest
# linear  stats::lm on the same rows, t on the residual degrees of freedom
# gee     stats::glm on the pilot, covariance robust by person, written out below
# ratio   relative risk of the pilot, interval on the log scale, written out below

suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
})

folder <- file.path("data", "harp-trial")
files <- c("participants.csv", "visits.csv", "pilot.csv")
if (!file.exists(file.path(folder, "visits.csv"))) stop("run this from the repository root")

source(file.path("tests", "reference", "shared", "files.R"))

rows <- list()
keep <- function(outcome, model, term, ...) {
  values <- c(...)
  rows[[length(rows) + 1]] <<- data.frame(
    outcome = outcome, model = model, term = term, part = names(values),
    value = if (is.character(values)) values else formatC(values, digits = 12, format = "g", width = 1)
  )
}

keep("", "made by", "R", version = paste(R.version$major, R.version$minor, sep = "."))
for (package in c("lme4", "lmerTest")) keep("", "made by", package, version = format(packageVersion(package)))
for (file in files) keep("", "made from", file, sha256 = sha256(file.path(folder, file)))

people <- read.csv(file.path(folder, "participants.csv"), na.strings = "")
visits <- read.csv(file.path(folder, "visits.csv"), na.strings = "")
long <- merge(visits, people[c("id", "arm")], by = "id")
long$arm <- relevel(factor(long$arm), "usual care")
long$visit <- factor(long$visit)

# Coefficients: 1, visit 3, visit 6, HARP, visit 3 in HARP, visit 6 in HARP
contrasts_of_interest <- list(
  harp = c(0, 0, 1, 0, 0, 1), usual_care = c(0, 0, 1, 0, 0, 0), change = c(0, 0, 0, 0, 0, 1)
)
tight <- lmerControl(
  optimizer = "nloptwrap",
  optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-12, xtol_rel = 0, ftol_abs = 1e-14, ftol_rel = 0, maxeval = 10000)
)

for (outcome in setdiff(names(visits), c("id", "visit"))) {
  model <- lmer(reformulate("visit * arm + (1 | id)", outcome), data = long, REML = TRUE, control = tight)
  stopifnot(is.null(model@optinfo$conv$lme4$messages))
  table <- coef(summary(model))
  for (term in rownames(table)) {
    keep(outcome, "mixed", term, est = table[[term, "Estimate"]], se = table[[term, "Std. Error"]])
  }
  keep(outcome, "mixed", "", sigma = sigma(model), tau = attr(VarCorr(model)$id, "stddev")[[1]], n = nobs(model))
  for (name in names(contrasts_of_interest)) {
    test <- contest1D(model, contrasts_of_interest[[name]], ddf = "Satterthwaite")
    z <- test$Estimate / test$`Std. Error`
    keep(outcome, "mixed", name,
      est = test$Estimate, se = test$`Std. Error`, z_p = 2 * pnorm(-abs(z)), t_df = test$df, t_p = test$`Pr(>|t|)`
    )
  }
  model <- lm(reformulate("visit * arm", outcome), data = long)
  for (name in names(contrasts_of_interest)) {
    weights <- contrasts_of_interest[[name]]
    estimate <- sum(weights * coef(model))
    error <- sqrt(drop(weights %*% vcov(model) %*% weights))
    keep(outcome, "linear", name,
      est = estimate, se = error, t_df = df.residual(model), t_p = 2 * pt(-abs(estimate / error), df.residual(model))
    )
  }
}

pilot <- read.csv(file.path(folder, "pilot.csv"), na.strings = "")
pilot$arm <- relevel(factor(pilot$arm), "usual care")
stacked <- rbind(
  data.frame(id = pilot$id, arm = pilot$arm, time = 0, seen = pilot$seen_before),
  data.frame(id = pilot$id, arm = pilot$arm, time = 6, seen = pilot$seen_after)
)
stacked <- stacked[!is.na(stacked$seen), ]
model <- glm(seen ~ factor(time) * arm, family = binomial, data = stacked, control = glm.control(epsilon = 1e-14, maxit = 100))
bread <- vcov(model)
scores <- rowsum(model.matrix(model) * (stacked$seen - fitted(model)), stacked$id)
robust <- bread %*% crossprod(scores) %*% bread
estimate <- coef(model)[[4]]
error <- sqrt(robust[4, 4])
keep("seen", "gee", "interaction", log_est = estimate, se = error, z_p = 2 * pnorm(-abs(estimate / error)))

yes <- tapply(pilot$seen_after, pilot$arm, sum, na.rm = TRUE)
all <- table(pilot$arm)
log_ratio <- log(yes[["HARP"]] / all[["HARP"]]) - log(yes[["usual care"]] / all[["usual care"]])
error <- sqrt(sum(1 / yes - 1 / all))
half <- qnorm(0.975) * error
keep("seen_after", "ratio", "ratio", est = exp(log_ratio), lo = exp(log_ratio - half), hi = exp(log_ratio + half), se = error)

save(do.call(rbind, rows), "harp-trial.csv")
