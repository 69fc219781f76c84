# Times metafor's REML fit:  Rscript --vanilla benchmarks/pools.R effects.csv CALLS
# effects.csv has the columns y and v. Prints names and values: the versions, the median seconds of the calls after one that is not
# counted, and the fit. The seconds are those of the fit as it is; the values those of one that is carried to convergence.

if (!requireNamespace("metafor", quietly = TRUE)) quit()
suppressPackageStartupMessages(library(metafor))

arguments <- commandArgs(trailingOnly = TRUE)
effects <- read.csv(arguments[1])
once <- function(call) {
  began <- Sys.time()
  rma(y, v, data = effects, method = "REML")
  as.numeric(difftime(Sys.time(), began, units = "secs"))
}
seconds <- vapply(seq_len(1 + as.integer(arguments[2])), once, 0)[-1]
fit <- rma(y, v, data = effects, method = "REML", control = list(threshold = 1e-12, maxiter = 1000))

cat("R", format(getRversion()), "\n")
cat("metafor", format(packageVersion("metafor")), "\n")
cat("BLAS", basename(extSoftVersion()[["BLAS"]]), "\n")
cat("seconds", median(seconds), "\n")
for (name in c("beta", "se", "ci.lb", "ci.ub", "tau2")) cat(name, format(c(fit[[name]]), digits = 15), "\n")
