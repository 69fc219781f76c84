# Writes tests/reference/model-families-data.csv, a small made-up trial, and tests/reference/model-families.csv: what R makes of it.
# Run it from the repository root:  Rscript --vanilla tests/reference/model-families.R   (or: make reference)
#
# linear             stats::lm, robust by practice and by row, written out below; stats::t.test (Welch); anova of site
# counts             stats::glm, poisson, robust by practice; MASS::glm.nb
# ordinal            MASS::polr
# tests              survival::survdiff, stats::wilcox.test, kruskal.test, chisq.test, fisher.test, prop.test, cor.test
# survival           survival::survfit at some days

suppressPackageStartupMessages({
  library(survival)
  library(MASS)
})

folder <- file.path("tests", "reference")
if (!dir.exists(folder)) stop("run this from the repository root")

source(file.path("tests", "reference", "shared", "files.R"))

# The data

set.seed(1954, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
n <- 180
arm <- rep(c("peers", "usual"), each = n / 2)
site <- sample(c("east", "north", "west"), n, replace = TRUE)
practice <- ifelse(arm == "peers", sample(8, n, replace = TRUE), 8 + sample(8, n, replace = TRUE))
age <- round(rnorm(n, 42, 11))
lean <- -0.5 * (arm == "peers") + 0.3 * (site == "west") + rnorm(16, 0, 0.4)[practice]
score <- round(15 + 2 * lean + rnorm(n, 0, ifelse(arm == "peers", 2, 4)), 1)
years <- round(runif(n, 0.3, 2), 2)
visits <- rnbinom(n, mu = 3 * years * exp(lean), size = 1.5)
better <- findInterval(lean + rlogis(n), c(-1.5, -0.2, 0.8))
yes <- rbinom(n, 1, plogis(lean))
days <- ceiling(rexp(n, exp(lean) / 40))
event <- rbinom(n, 1, 0.7)
score[sample(n, 7)] <- NA
visits[sample(n, 5)] <- NA
data_file <- save(data.frame(id = seq_len(n), arm, site, practice, age, score, years, visits, better, yes, days, event), "model-families-data.csv")

# What R makes of it

trial <- read.csv(data_file, na.strings = "")
trial$arm <- relevel(factor(trial$arm), "usual")
trial$site <- factor(trial$site)
rows <- list()
keep <- function(model, term, ...) {
  values <- c(...)
  rows[[length(rows) + 1]] <<- data.frame(model = model, term = term, part = names(values), value = as_text(values))
}
keep_terms <- function(model, estimates, errors) {
  for (term in names(estimates)) keep(model, term, est = unname(estimates[term]), se = unname(errors[term]))
}
robust <- function(bread, scores, groups) sqrt(diag(bread %*% crossprod(rowsum(scores, groups)) %*% bread))

keep("made by", "R", version = paste(R.version$major, R.version$minor, sep = "."))
for (package in c("survival", "MASS")) keep("made by", package, version = format(packageVersion(package)))
keep("made from", "model-families-data.csv", sha256 = sha256(data_file))

formulas <- list(arm = "arm", adjusted = "arm + site + age")
for (name in names(formulas)) {
  seen <- trial[!is.na(trial$score), ]
  model <- lm(reformulate(formulas[[name]], "score"), seen)
  X <- model.matrix(model)
  p <- ncol(X)
  groups <- length(unique(seen$practice))
  by_practice <- sqrt(groups / (groups - 1) * (nrow(X) - 1) / (nrow(X) - p)) * robust(solve(crossprod(X)), X * resid(model), seen$practice)
  keep_terms(paste("linear", name, "by practice"), coef(model), by_practice)
  keep(paste("linear", name, "by practice"), "armpeers p", p = 2 * pt(-abs(coef(model)[["armpeers"]] / by_practice[["armpeers"]]), groups - 1))
  keep_terms(paste("linear", name, "by row"), coef(model), sqrt(nrow(X) / (nrow(X) - p)) * robust(solve(crossprod(X)), X * resid(model), seq_len(nrow(X))))

  seen <- trial[!is.na(trial$visits), ]
  exact <- glm.control(epsilon = 1e-15, maxit = 200)
  model <- glm(update(reformulate(formulas[[name]], "visits"), . ~ . + offset(log(years))), poisson, seen, control = exact)
  X <- model.matrix(model)
  keep_terms(paste("poisson", name), coef(model), sqrt(diag(summary(model)$cov.unscaled)))
  keep_terms(paste("poisson", name, "by practice"), coef(model), robust(summary(model)$cov.unscaled, X * (seen$visits - fitted(model)), seen$practice))
  model <- glm.nb(update(reformulate(formulas[[name]], "visits"), . ~ . + offset(log(years))), seen, control = exact)
  keep_terms(paste("negative-binomial", name), coef(model), sqrt(diag(vcov(model))))
  keep(paste("negative-binomial", name), "", alpha = 1 / model$theta)

  model <- polr(reformulate(formulas[[name]], "factor(better)"), trial, Hess = TRUE, control = list(reltol = 1e-15, maxit = 1000))
  keep_terms(paste("ordinal", name), coef(model), sqrt(diag(vcov(model)))[names(coef(model))])
}

welch <- t.test(score ~ arm == "usual", trial)
keep("welch", "", statistic = unname(welch$statistic), df = unname(welch$parameter), p = welch$p.value, lo = welch$conf.int[1], hi = welch$conf.int[2])
adjusted <- lm(score ~ arm + site + age, trial)
joint <- anova(lm(score ~ arm + age, model.frame(adjusted)), adjusted)
keep("joint test of site", "", f = joint$F[2], p = joint$`Pr(>F)`[2])

log_rank <- survdiff(Surv(days, event) ~ arm, trial)
keep("log-rank", "arm", chi2 = log_rank$chisq, p = pchisq(log_rank$chisq, 1, lower.tail = FALSE))
log_rank <- survdiff(Surv(days, event) ~ site, trial)
keep("log-rank", "site", chi2 = log_rank$chisq, p = pchisq(log_rank$chisq, 2, lower.tail = FALSE))
keep("rank-sum", "arm", p = wilcox.test(visits ~ arm, trial, exact = FALSE)$p.value)
for (by in c("arm", "site")) {
  test <- kruskal.test(reformulate(by, "visits"), trial)
  keep("kruskal-wallis", by, chi2 = unname(test$statistic), p = test$p.value)
}
table <- table(trial$yes, trial$arm)
for (correct in c(FALSE, TRUE)) {
  test <- chisq.test(table, correct = correct)
  keep(if (correct) "yates" else "pearson", "arm", chi2 = unname(test$statistic), p = test$p.value)
}
test <- chisq.test(table(trial$better, trial$site), correct = FALSE)
keep("pearson", "site", chi2 = unname(test$statistic), p = test$p.value)
keep("fisher", "arm", p = fisher.test(table)$p.value)
counts <- tapply(trial$yes, trial$arm, sum)[c("peers", "usual")]
people <- table(trial$arm)[c("peers", "usual")]
difference <- prop.test(as.vector(counts), as.vector(people), correct = FALSE)
keep("risk-difference", "", est = -100 * unname(diff(difference$estimate)), lo = 100 * difference$conf.int[1], hi = 100 * difference$conf.int[2])
for (method in c("pearson", "spearman")) {
  test <- suppressWarnings(cor.test(trial$score, trial$age, method = method, exact = FALSE))
  keep(method, "", est = unname(test$estimate), p = test$p.value)
  if (method == "pearson") keep(method, "", lo = test$conf.int[1], hi = test$conf.int[2])
}

for (at in c(5, 20, 50)) {
  for (group in c("peers", "usual")) {
    curve <- summary(survfit(Surv(days, event) ~ 1, trial[trial$arm == group, ]), times = at)
    keep("survival", paste(group, at), survival = curve$surv)
  }
}

save(do.call(rbind, rows), "model-families.csv")
