# Writes tests/reference/care-management-review.csv: what R makes of the records in data/care-management-review.
# Run it from the repository root:  Rscript --vanilla tests/reference/care-management-review.R   (or: make reference)
#
# rule         which studies a review's rule takes: their number, people, and how many are in two reviews or in three
# effect       each row's Hedges' g and variance, in the direction of the outcome, written out in shared/effects.R
# pool         metafor::rma of the rows that a claim or the chapter pools: DL with Wald's interval; KH: with Knapp and Hartung's, never below Wald's
# tost         the equivalence test of the people of one trial, and from effects and intervals as printed
# claim        the number that each claim of study.yml comes to, by the claim's id

suppressPackageStartupMessages(library(metafor))

study <- "care-management-review"
folder <- file.path("data", study)
files <- c("studies.csv", "outcomes.csv", "attrition.csv", "scores.csv")
if (!file.exists(file.path(folder, "outcomes.csv"))) stop("run this from the repository root")

names_of_rows <- c("outcome", "place", "model", "term")
source(file.path("tests", "reference", "shared", "files.R"))
source(file.path("tests", "reference", "shared", "effects.R"))

read <- function(file) read.csv(file.path(folder, file), na.strings = "")
studies <- read("studies.csv")
table <- merge(with_effects(read("outcomes.csv")), studies, by = "id", suffixes = c("", ".study"))
attrition <- merge(read("attrition.csv"), studies, by = "id", suffixes = c("", ".study"))
scores <- read("scores.csv")
table$raw <- table$direction * table$g # peers less comparator on the instrument's own scale

# Which studies each rule takes

professionals <- "professionals in the same role"
employed <- c("peers added to services", "peers in existing roles")
people_outcomes <- c("recovery and wellbeing", "symptoms", "service use", "satisfaction")
taken <- list(
  chinman = with(studies, year >= 1995 & year <= 2012 & service %in% c(employed, "peers delivering curricula")),
  pitt = with(studies, year <= 2012 & design == "randomised" & service %in% employed & comparator %in% c("usual care", professionals)),
  lloyd = with(studies, year <= 2013 & design == "randomised" & main_outcome %in% people_outcomes)
)
for (rule in names(taken)) keep(c("", rule, "rule", ""), n = sum(taken[[rule]]), people = sum(studies$n[taken[[rule]]]))
both <- list(chinman.pitt = c("chinman", "pitt"), pitt.lloyd = c("pitt", "lloyd"), chinman.lloyd = c("chinman", "lloyd"), all = names(taken))
for (name in names(both)) {
  matrix <- sapply(taken[both[[name]]], identity)
  cited <- sum(rowSums(matrix) > 0)
  keep(c("", name, "rule", "overlap"), n = sum(rowSums(matrix) == ncol(matrix)), cca = (sum(matrix) - cited) / (cited * (ncol(matrix) - 1)))
}
of_rule <- function(frame, rule) frame[frame$id %in% studies$id[taken[[rule]]], ]

# Pools

exact <- list(threshold = 1e-14, tol = 1e-14, maxiter = 100000)
parts_of <- function(fit) {
  c(est = fit$beta[[1]], se = fit$se[[1]], lo = fit$ci.lb[[1]], hi = fit$ci.ub[[1]], p = fit$pval[[1]], tau2 = fit$tau2, k = fit$k)
}
fitted <- function(y, v, test = "z") rma(y, v, method = if (length(y) == 1) "FE" else "DL", test = test, control = exact)
pooled <- function(where, y, v) {
  found <- parts_of(fitted(y, v))
  keep(c(where, "pool", ""), found)
  if (length(y) > 1) keep(c(where, "pool KH", ""), parts_of(fitted(y, v, "adhoc")))
  found
}
end <- table[table$time == "end of intervention", ]
later <- table[table$time == "follow-up", ]
against <- of_rule(end[end$comparator == professionals, ], "pitt")
adjunct <- of_rule(end[end$comparator == "usual care", ], "pitt")
pick <- function(frame, outcome) frame[frame$outcome == outcome, ]

for (at in seq_len(nrow(table))) keep(c(table$outcome[at], table$time[at], "effect", table$id[at]), g = table$g[at], v = table$v[at])

symptoms <- "overall psychiatric symptoms"
crisis_use <- "crisis and emergency service use"
of_pitt <- list()
for (name in c(symptoms = symptoms, satisfaction = "satisfaction", crisis = crisis_use, hospital = "hospitalisation")) {
  rows_of <- pick(against, name)
  of_pitt[[name]] <- pooled(c(name, "pitt professionals"), rows_of$raw, rows_of$v)
}
life <- pick(against, "quality of life")
md <- escalc("MD", n1i = n_peer, m1i = mean_peer, sd1i = sd_peer, n2i = n_control, m2i = mean_control, sd2i = sd_control, data = life)
of_pitt[["quality of life"]] <- pooled(c("quality of life", "pitt professionals"), md$yi, md$vi)
left <- of_rule(attrition[attrition$comparator == professionals, ], "pitt")
rr <- escalc("RR", ai = left_peer, n1i = n_peer, ci = left_control, n2i = n_control, data = left)
of_pitt[["attrition"]] <- pooled(c("attrition", "pitt professionals"), rr$yi, rr$vi)
of_adjunct <- lapply(setNames(nm = c(symptoms, "satisfaction")), function(name) {
  rows_of <- pick(adjunct, name)
  pooled(c(name, "pitt usual care"), rows_of$raw, rows_of$v)
})
first <- of_rule(end, "chinman")
of_first <- list()
for (service in c("peers added to services", "peers delivering curricula")) {
  for (name in c("recovery", "empowerment", "hope")) {
    rows_of <- pick(first[first$service == service, ], name)
    of_first[[paste(service, name)]] <- pooled(c(name, paste("chinman", service)), rows_of$g, rows_of$v)
  }
}
inpatient <- pick(first[first$comparator == professionals, ], "hospitalisation")
of_first[["inpatient"]] <- pooled(c("hospitalisation", "chinman professionals"), inpatient$g, inpatient$v)
third <- of_rule(later, "lloyd")
of_third <- lapply(setNames(nm = c(symptoms, "depression and anxiety", "hope", "empowerment")), function(name) {
  rows_of <- pick(third, name)
  pooled(c(name, "lloyd follow-up"), rows_of$g, rows_of$v)
})

# Votes: studies with an interval wholly on the side of peers for one of six outcomes

counted <- c("recovery", "hope", "empowerment", symptoms, "satisfaction", "hospitalisation")
votes <- of_rule(table[table$outcome %in% counted, ], "chinman")
votes$favours <- votes$g + qnorm(0.975) * sqrt(votes$v) < 0
share <- function(service) {
  of_service <- votes[votes$service == service, ]
  100 * mean(tapply(of_service$favours, of_service$id, any))
}

# Equivalence

margin <- number_of(study, "margin.smd", "value")
peers <- scores$score[scores$arm == "peers"]
staff <- scores$score[scores$arm == "professionals"]
n <- c(length(peers), length(staff))
bound <- margin * number_of(study, "instrument.sat_8", "sd") # the usual standard deviation of the questionnaire, assumed
one_sided <- function(mu, side) t.test(peers, staff, mu = mu, alternative = side, var.equal = TRUE)$p.value
keep(
  c("satisfaction", "people", "tost", ""),
  n1 = n[1], n2 = n[2], mean1 = mean(peers), mean2 = mean(staff), sd1 = sd(peers), sd2 = sd(staff), bound = bound,
  p = max(one_sided(-bound, "greater"), one_sided(bound, "less")), t_p = t.test(peers, staff, var.equal = TRUE)$p.value
)
as_printed <- lapply(
  c(symptoms = "symptoms", satisfaction = "satisfaction", crisis = "crisis"),
  function(row) unname(sapply(c("est", "lo", "hi"), function(part) number_of(study, paste("pitt", row, part, sep = "."))))
)
for (name in names(as_printed)) {
  row <- as_printed[[name]]
  se <- (row[3] - row[2]) / (2 * qnorm(0.975))
  ends <- row[1] + c(-1, 1) * qnorm(0.95) * se
  keep(c(name, "printed", "tost", ""), se = se, lo = ends[1], hi = ends[2], p = max(pnorm((row[1] + margin) / se, lower.tail = FALSE), pnorm((row[1] - margin) / se)))
}
everybody <- number_of(study, "pitt.professionals.n")
two_sided <- function(n1, n2) { # both tails of the noncentral t
  ncp <- margin / sqrt(1 / n1 + 1 / n2)
  limit <- qt(0.975, n1 + n2 - 2)
  pt(limit, n1 + n2 - 2, ncp, lower.tail = FALSE) + pt(-limit, n1 + n2 - 2, ncp)
}
keep(c("", "", "power", ""), margin = margin, difference = two_sided(everybody %/% 2, everybody - everybody %/% 2), n_difference = power.t.test(delta = margin, power = 0.9)$n)

# The claims of study.yml

count <- function(rule, ...) sum(taken[[rule]] & ...)
with_professionals <- studies$comparator == professionals
type_is <- function(type) studies$type == type
claims <- list(
  chinman.all.n = sum(taken$chinman),
  chinman.types.n = length(unique(studies$service[taken$chinman])),
  pitt.all.n = sum(taken$pitt),
  pitt.people.n = sum(studies$n[taken$pitt]),
  pitt.professionals.k = count("pitt", with_professionals),
  pitt.professionals.n = sum(studies$n[taken$pitt & with_professionals]),
  pitt.adjunct.k = count("pitt", !with_professionals),
  pitt.adjunct.n = sum(studies$n[taken$pitt & !with_professionals]),
  lloyd.all.n = sum(taken$lloyd),
  lloyd.people.n = sum(studies$n[taken$lloyd]),
  lloyd.mutual.n = count("lloyd", type_is("mutual support")),
  lloyd.services.n = count("lloyd", type_is("peer support service")),
  lloyd.delivered.n = count("lloyd", type_is("peer-delivered mental health service")),
  pitt.crisis.direction = of_pitt[[crisis_use]][["hi"]],
  pitt.hospital.words = of_pitt[["hospitalisation"]][["p"]],
  pitt.adjunct.symptoms = of_adjunct[[symptoms]][["est"]],
  pitt.adjunct.satisfaction = of_adjunct[["satisfaction"]][["est"]],
  chinman.added.majority = share("peers added to services"),
  chinman.curricula.majority = share("peers delivering curricula"),
  chinman.professionals.hospital = of_first[["inpatient"]][["est"]],
  equal.pitt.crisis = of_pitt[[crisis_use]][["p"]],
  equal.pitt.symptoms = of_pitt[[symptoms]][["p"]],
  lloyd.headline.symptoms = of_third[[symptoms]][["hi"]],
  lloyd.headline.hospitalisation = nrow(pick(third, "hospitalisation")),
  lloyd.fair.mood = of_third[["depression and anxiety"]][["hi"]],
  lloyd.hope.direction = of_third[["hope"]][["est"]],
  lloyd.empowerment.direction = of_third[["empowerment"]][["est"]]
)
in_words <- c(added = "peers added to services", curricula = "peers delivering curricula")
for (name in names(in_words)) {
  for (outcome in c("recovery", "empowerment", "hope")) {
    claims[[paste("chinman", name, outcome, sep = ".")]] <- of_first[[paste(in_words[[name]], outcome)]][["est"]]
  }
}
outcome_of <- c(quality = "quality of life", symptoms = symptoms, satisfaction = "satisfaction", attrition = "attrition", crisis = crisis_use)
for (row in names(outcome_of)) {
  for (part in c("est", "lo", "hi")) {
    value <- of_pitt[[outcome_of[[row]]]][[part]]
    claims[[paste("pitt", row, part, sep = ".")]] <- if (row == "attrition") exp(value) else value
  }
}
for (id in names(claims)) keep(c("", "", "claim", id), value = claims[[id]])

save(do.call(rbind, rows), "care-management-review.csv")
