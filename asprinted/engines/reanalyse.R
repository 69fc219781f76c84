# Answers questions about tables with R: Rscript --vanilla reanalyse.R questions.json answers.json
#
# questions.json holds {"questions": [...]}. A question has a file (CSV) and either a column and a statistic, or a family, a formula and the terms of
# its contrasts (weight, at). answers.json holds for each question {"value": …} or {"cannot": "…"}.

suppressPackageStartupMessages(library(jsonlite))
paths <- commandArgs(trailingOnly = TRUE)
job <- fromJSON(paths[1], simplifyVector = FALSE)

cannot <- function(...) stop(structure(class = c("cannot", "error", "condition"), list(message = paste0(...), call = NULL)))
need <- function(package) if (!requireNamespace(package, quietly = TRUE)) cannot("the R package ", package, " is not installed")

tables <- new.env()
table_of <- function(file) {
  if (is.null(tables[[file]])) {
    read <- read.csv(file, na.strings = "", stringsAsFactors = TRUE, check.names = FALSE)
    assign(file, read, envir = tables)
  }
  tables[[file]]
}

# -- statistics of a column

of_column <- function(q, d) {
  if (q$statistic == "observed") return(sum(!is.na(d[[q$column]])))
  if (q$statistic == "percent_observed") return(100 * mean(!is.na(d[[q$column]])))
  x <- as.numeric(d[[q$column]])
  keep <- !is.na(x)
  if (q$statistic == "smallest_count") return(min(table(as.character(d[[q$column]]))))
  if (q$statistic == "largest_count") return(max(table(as.character(d[[q$column]]))))
  if (q$statistic == "distinct") return(length(unique(na.omit(d[[q$column]]))))
  if (q$statistic == "percent_equal") return(100 * mean(na.omit(as.character(d[[q$column]])) == as.character(q$equals)))
  if (q$statistic %in% c("survival", "incidence", "survival_median")) {
    need("survival")
    fit <- survival::survfit(survival::Surv(x[keep], d[[q$event]][keep]) ~ 1)
    if (q$statistic == "survival_median") return(unname(summary(fit)$table["median"]))
    left <- 100 * summary(fit, times = q$at, extend = TRUE)$surv
    return(if (q$statistic == "survival") left else 100 - left)
  }
  x <- x[keep]
  limits <- function() t.test(x)$conf.int
  switch(q$statistic,
    sum = sum(x), mean = mean(x), percent = 100 * mean(x), sd = sd(x), se = sd(x) / sqrt(length(x)),
    lo = limits()[1], hi = limits()[2], median = median(x), q1 = unname(quantile(x, .25)), q3 = unname(quantile(x, .75)), iqr = IQR(x),
    minimum = min(x), maximum = max(x), percent_at_least = 100 * mean(x >= q$at_least),
    rate = (if (is.null(q$per)) 1 else q$per) * sum(x) / sum(as.numeric(d[[q$exposure]])[keep]),
    cannot(q$statistic))
}

# -- models

complete <- function(q, d) {
  vars <- intersect(c(all.vars(as.formula(q$formula)), q$time, q$exposure, if (isTRUE(q$drops_groups)) q$groups), names(d))
  d <- droplevels(d[stats::complete.cases(d[vars]), , drop = FALSE])
  if (!is.null(q$groups)) {
    g <- as.character(d[[q$groups]])
    alone <- is.na(g)
    g[alone] <- paste0("\u0001", seq_len(sum(alone)))
    d$.groups <- factor(g)
  }
  d
}

# The weights of one contrast on the columns of a fit; what a term leaves out takes its value in the first row
weights_of <- function(terms, m) {
  total <- 0
  for (term in terms) {
    at <- m$d[1, , drop = FALSE]
    for (name in names(term$at)) {
      value <- term$at[[name]]
      at[[name]] <- if (is.factor(m$d[[name]])) factor(value, levels = levels(m$d[[name]])) else value
    }
    total <- total + term$weight * model.matrix(m$right, model.frame(m$right, at, xlev = m$xlev))[1, ]
  }
  total
}

# The sandwich by group, from the scores of the rows
clustered <- function(d, scores, bread, small) {
  sums <- rowsum(scores, d$.groups)
  k <- ncol(scores); n <- nrow(scores); G <- nrow(sums)
  V <- bread %*% crossprod(sums) %*% bread
  if (small) V * G / (G - 1) * (n - 1) / (n - k) else V
}

# The fit of a model: coefficients b and their covariance V on the columns X, degrees of freedom, residual variance, whether contrasts are
# exponentiated, and what a contrast needs. Questions on the same rows and model share it.
# glm.nb's own covariance takes theta for known; this one is of the coefficients and theta together (observed information).
with_dispersion <- function(X, y, mu, theta) {
  both <- crossprod(X, (y - mu) * mu / (theta + mu)^2)
  of_theta <- sum(trigamma(y + theta) - trigamma(theta) + 1 / theta - 2 / (theta + mu) + (y + theta) / (theta + mu)^2)
  solve(crossprod(X * sqrt(theta * mu * (y + theta) / (theta + mu)^2)) + both %*% t(both) / of_theta)
}

fit_of <- function(q, d0) {
  d <- complete(q, d0)
  f <- as.formula(q$formula)
  left <- all.vars(f)[1]
  right <- delete.response(terms(f))
  frame <- model.frame(right, d)
  X <- model.matrix(right, frame)
  one <- colnames(X) == "(Intercept)"
  y <- as.numeric(d[[left]])
  off <- if (!is.null(q$exposure)) log(as.numeric(d[[q$exposure]])) else rep(0, nrow(d))
  robust <- identical(q$covariance, "robust") || q$family == "gee-logistic"
  if (robust && is.null(d$.groups)) d$.groups <- factor(seq_len(nrow(d)))
  df <- Inf; scale <- NA; r2 <- NULL; unit <- NULL; dropped <- FALSE; ratio <- q$family %in% c("logistic", "gee-logistic", "poisson", "negative-binomial", "ordinal", "cox")
  if (q$family == "linear") {
    fit <- lm.fit(X, y); b <- coef(fit); df <- nrow(X) - ncol(X)
    scale <- sum(fit$residuals^2) / df
    r2 <- 1 - sum(fit$residuals^2) / sum((y - mean(y))^2); unit <- solve(crossprod(X))
    V <- scale * solve(crossprod(X))
    if (robust) {
      V <- clustered(d, X * fit$residuals, solve(crossprod(X)), TRUE)
      df <- nlevels(d$.groups) - 1
    }
    if (identical(q$test, "wald-z")) df <- Inf
  } else if (q$family == "mixed") {
    need("lme4")
    d$.y <- y
    fit <- lme4::lmer(.y ~ 0 + X + (1 | .groups), data = d, REML = !identical(q$estimator, "ML"))
    b <- lme4::fixef(fit); V <- as.matrix(vcov(fit))
  } else if (q$family %in% c("logistic", "gee-logistic", "poisson")) {
    family <- if (q$family == "poisson") poisson() else binomial()
    fit <- glm.fit(X, y, family = family, offset = off, control = list(epsilon = 1e-12, maxit = 100))
    b <- fit$coefficients; bread <- solve(crossprod(X * sqrt(fit$weights))); V <- bread
    if (robust) V <- clustered(d, X * (y - fit$fitted.values), bread, FALSE)
  } else if (q$family == "negative-binomial") {
    need("MASS")
    fit <- MASS::glm.nb(y ~ 0 + X + offset(off), control = glm.control(epsilon = 1e-12, maxit = 100))
    b <- coef(fit); V <- with_dispersion(X, y, fit$fitted.values, fit$theta)
  } else if (q$family == "ordinal") {
    need("MASS")
    Z <- X[, !one, drop = FALSE]; dropped <- TRUE
    fit <- suppressWarnings(MASS::polr(factor(y) ~ Z, Hess = TRUE, control = list(reltol = 1e-14)))
    b <- coef(fit); V <- vcov(fit)[seq_along(b), seq_along(b), drop = FALSE]
  } else if (q$family == "cox") {
    need("survival")
    time <- as.numeric(d[[q$time]])
    if (!is.null(q$until)) { y <- ifelse(time > q$until, 0, y); time <- pmin(time, q$until) }
    Z <- X[, !one, drop = FALSE]; dropped <- TRUE
    ties <- if (is.null(q$ties)) "efron" else q$ties
    S <- survival::Surv(time, y)
    fit <- if (robust) survival::coxph(S ~ Z, ties = ties, cluster = d$.groups) else survival::coxph(S ~ Z, ties = ties)
    b <- coef(fit); V <- vcov(fit)
  } else cannot("the family ", q$family)
  list(b = b, V = V, df = df, scale = scale, r2 = r2, unit = unit, n = nrow(X), ratio = ratio, d = d, right = right, xlev = .getXlevels(right, frame), keep = if (dropped) !one else rep(TRUE, ncol(X)))
}

fits <- new.env()
of_model <- function(q, d) {
  if (q$family %in% c("log-rank", "rank-sum", "chi-squared", "correlation")) return(of_test(q, d))
  if (q$family %in% c("risk-ratio", "risk-difference")) return(of_two(q, d))
  if (q$family == "linear" && identical(q$test, "welch")) return(of_welch(q, d))
  key <- paste(c(q$file, q$formula, unlist(q[c("family", "groups", "estimator", "test", "covariance", "time", "until", "ties", "exposure")])), collapse = "\u0001")
  if (is.null(fits[[key]])) assign(key, fit_of(q, d), envir = fits)
  m <- fits[[key]]
  if (q$statistic == "r2") return(if (is.null(m$r2)) cannot("r2 of ", q$family) else m$r2)
  R <- do.call(rbind, lapply(q$contrasts, weights_of, m = m))[, m$keep, drop = FALSE]
  level <- if (is.null(q$level)) .95 else q$level
  if (q$statistic %in% c("f", "joint_p")) {
    e <- R %*% m$b; chi <- drop(t(e) %*% solve(R %*% m$V %*% t(R), e)); several <- nrow(R)
    if (q$statistic == "f") return(chi / several)
    return(if (is.finite(m$df)) pf(chi / several, several, m$df, lower.tail = FALSE) else pchisq(chi, several, lower.tail = FALSE))
  }
  est <- drop(R[1, ] %*% m$b); se <- sqrt(drop(R[1, , drop = FALSE] %*% m$V %*% R[1, ])); half <- qt(.5 + level / 2, m$df) * se
  shown <- if (m$ratio) exp else identity
  if (q$statistic %in% c("d_lo", "d_hi") && !is.null(m$unit)) {
    d <- est / sqrt(m$scale)
    return(d + (if (q$statistic == "d_lo") -1 else 1) * qnorm(.5 + level / 2) * sqrt(drop(R[1, ] %*% m$unit %*% R[1, ]) + d^2 / (2 * m$n)))
  }
  pick(q, list(est = shown(est), se = se, lo = shown(est - half), hi = shown(est + half), p = 2 * pt(-abs(est / se), m$df), t = est / se,
    reduction = 100 * (1 - shown(est)), d = est / sqrt(m$scale)))
}

of_welch <- function(q, d) {
  d <- complete(q, d)
  names <- all.vars(as.formula(q$formula)); y <- as.numeric(d[[names[1]]]); group <- d[[names[2]]]
  at <- sapply(q$contrasts[[1]], function(term) as.character(term$at[[1]])); w <- sapply(q$contrasts[[1]], function(term) term$weight)
  found <- t.test(y[group == at[w > 0]], y[group == at[w < 0]], conf.level = if (is.null(q$level)) .95 else q$level)
  pick(q, list(est = unname(found$estimate[1] - found$estimate[2]), se = found$stderr, lo = found$conf.int[1], hi = found$conf.int[2], p = found$p.value, t = unname(found$statistic)))
}

pick <- function(q, values) {
  value <- values[[q$statistic]]
  if (is.null(value)) cannot(q$statistic, " of ", q$family)
  value
}

of_two <- function(q, d) {
  y <- as.numeric(d[[q$outcome]])
  if (identical(q$missing, "as-zero")) y[is.na(y)] <- 0
  part <- function(sign) {
    term <- Filter(function(term) term$weight * sign > 0, q$contrasts[[1]])[[1]]
    keep <- !is.na(y)
    for (name in names(term$at)) keep <- keep & d[[name]] == term$at[[name]]
    c(sum(y[keep]), sum(keep))
  }
  a <- part(1); b <- part(-1); r <- c(a[1] / a[2], b[1] / b[2])
  level <- if (is.null(q$level)) .95 else q$level
  z <- qnorm(.5 + level / 2)
  if (q$family == "risk-ratio") {
    est <- log(r[1] / r[2]); se <- sqrt(1 / a[1] - 1 / a[2] + 1 / b[1] - 1 / b[2])
    return(pick(q, list(est = exp(est), se = se, lo = exp(est - z * se), hi = exp(est + z * se), p = 2 * pnorm(-abs(est / se)), reduction = 100 * (1 - exp(est)))))
  }
  est <- r[1] - r[2]; se <- sqrt(r[1] * (1 - r[1]) / a[2] + r[2] * (1 - r[2]) / b[2])
  pick(q, list(est = 100 * est, se = 100 * se, lo = 100 * (est - z * se), hi = 100 * (est + z * se), p = 2 * pnorm(-abs(est / se)), nnt = 1 / abs(est)))
}

of_test <- function(q, d) {
  names <- all.vars(as.formula(q$formula))
  d <- d[stats::complete.cases(d[c(names, q$time)]), ]
  y <- d[[names[1]]]; x <- d[[names[2]]]
  if (q$family == "log-rank") {
    need("survival")
    time <- d[[q$time]]; if (!is.null(q$until)) { y <- ifelse(time > q$until, 0, y); time <- pmin(time, q$until) }
    found <- survival::survdiff(survival::Surv(time, y) ~ x)
    return(pick(q, list(chi2 = found$chisq, p = pchisq(found$chisq, length(found$n) - 1, lower.tail = FALSE))))
  }
  if (q$family == "rank-sum") {
    x <- droplevels(factor(x))
    found <- if (nlevels(x) == 2) wilcox.test(as.numeric(y) ~ x, exact = FALSE, correct = TRUE) else kruskal.test(as.numeric(y), x)
    return(pick(q, list(p = found$p.value)))
  }
  if (q$family == "chi-squared") {
    counts <- table(y, droplevels(factor(x)))
    if (identical(q$test, "fisher")) return(pick(q, list(p = fisher.test(counts, workspace = 2e7)$p.value)))
    found <- suppressWarnings(chisq.test(counts, correct = identical(q$test, "yates")))
    return(pick(q, list(chi2 = unname(found$statistic), p = found$p.value)))
  }
  a <- as.numeric(y); b <- as.numeric(x)
  if (identical(q$test, "spearman")) {
    r <- cor(a, b, method = "spearman"); n <- length(a)
    return(pick(q, list(est = r, p = 2 * pt(-abs(r) * sqrt((n - 2) / (1 - r^2)), n - 2))))
  }
  found <- cor.test(a, b, conf.level = if (is.null(q$level)) .95 else q$level)
  pick(q, list(est = unname(found$estimate), lo = found$conf.int[1], hi = found$conf.int[2], p = found$p.value))
}

# -- pools of effects, taken over as they are

of_pool <- function(q, d) {
  need("metafor")
  method <- switch(q$estimator, common = "EE", q$estimator)
  test <- switch(q$test, "knapp-hartung" = "knha", "knapp-hartung-at-least-wald" = "adhoc", "z")
  level <- if (is.null(q$level)) .95 else q$level
  fit <- metafor::rma(d$g, d$v, method = method, test = test, level = 100 * level, control = if (method %in% c("REML", "PM")) list(threshold = 1e-10, maxiter = 1000) else list())
  fixed <- metafor::rma(d$g, d$v, method = "EE")
  shown <- if (isTRUE(q$ratio)) exp else identity
  pick(q, list(est = shown(c(fit$beta)), se = fit$se, lo = shown(fit$ci.lb), hi = shown(fit$ci.ub), p = fit$pval, tau2 = fit$tau2, q = fixed$QE, q_p = fixed$QEp,
    i2 = max(0, 100 * (fixed$QE - (nrow(d) - 1)) / fixed$QE), k = nrow(d), n = sum(d$n)))
}

answer <- function(q) {
  tryCatch({
    d <- if (!is.null(q$file)) table_of(q$file)
    value <- if (is.null(q$file)) cannot("several pools at once") else if (!is.null(q$pool)) of_pool(q, d) else if (!is.null(q$family)) of_model(q, d) else if (q$statistic == "count") nrow(d) else of_column(q, d)
    if (length(value) != 1 || !is.finite(value)) list(cannot = "no finite value") else list(value = unname(value))
  }, error = function(e) list(cannot = conditionMessage(e)))
}

answers <- lapply(job$questions, answer)
versions <- paste("R", getRversion())
for (package in intersect(c("survival", "lme4", "MASS", "metafor"), loadedNamespaces())) versions <- c(versions, paste(package, packageVersion(package)))
writeLines(toJSON(list(versions = versions, answers = answers), auto_unbox = TRUE, digits = NA), paths[2])
