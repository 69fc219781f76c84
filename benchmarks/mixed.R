# Times lme4's REML fit of a mixed model of visits:  Rscript --vanilla benchmarks/mixed.R visits.csv CALLS
# visits.csv has the columns id, month, arm and y. Prints names and values: the versions, the median seconds of the calls after one that
# is not counted, and the fit's estimates and standard errors in the order of the model matrix.

if (!requireNamespace("lme4", quietly = TRUE)) quit()
suppressPackageStartupMessages(library(lme4))

arguments <- commandArgs(trailingOnly = TRUE)
visits <- read.csv(arguments[1], stringsAsFactors = TRUE)
visits$month <- factor(visits$month)
once <- function(call) {
  began <- Sys.time()
  lmer(y ~ month * arm + (1 | id), data = visits, REML = TRUE)
  as.numeric(difftime(Sys.time(), began, units = "secs"))
}
seconds <- vapply(seq_len(1 + as.integer(arguments[2])), once, 0)[-1]
fit <- lmer(y ~ month * arm + (1 | id), data = visits, REML = TRUE, control = lmerControl(optCtrl = list(ftol_abs = 1e-14, xtol_abs = 1e-14)))

cat("R", format(getRversion()), "\n")
cat("lme4", format(packageVersion("lme4")), "\n")
cat("seconds", median(seconds), "\n")
cat("beta", format(fixef(fit), digits = 15), "\n")
cat("se", format(sqrt(diag(as.matrix(vcov(fit)))), digits = 15), "\n")
