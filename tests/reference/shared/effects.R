# What the scripts on pools of trials share: rows with four names each, and the effects of a table of outcomes. Sourced after files.R
# and metafor; `folder` and `files` are the records, `names_of_rows` the names.

rows <- list()
keep <- function(where, ...) {
  values <- c(...)
  named <- as.data.frame(setNames(as.list(where), names_of_rows))
  rows[[length(rows) + 1]] <<- cbind(named, part = names(values), value = as_text(values))
}

keep(c("", "", "made by", "R"), version = paste(R.version$major, R.version$minor, sep = "."))
keep(c("", "", "made by", "metafor"), version = format(packageVersion("metafor")))
for (file in files) keep(c("", "", "made from", file), sha256 = sha256(file.path(folder, file)))

# The table with people, g and v (Hedges' g with the factor 1 − 3/(4N − 9) and its variance N/(n1 n2) + g²/(2(N − 3.94)), in the
# direction of the outcome), unit (√(1/n1 + 1/n2)), and yi and vi, which metafor's own definition gives
with_effects <- function(table) {
  people <- table$n_peer + table$n_control
  sd <- with(table, sqrt(((n_peer - 1) * sd_peer^2 + (n_control - 1) * sd_control^2) / (people - 2)))
  table$people <- people
  table$g <- table$direction * (1 - 3 / (4 * people - 9)) * (table$mean_peer - table$mean_control) / sd
  table$v <- people / (table$n_peer * table$n_control) + table$g^2 / (2 * (people - 3.94))
  table$unit <- sqrt(1 / table$n_peer + 1 / table$n_control)
  theirs <- escalc("SMD", n1i = n_peer, m1i = mean_peer, sd1i = sd_peer, n2i = n_control, m2i = mean_control, sd2i = sd_control, data = table)
  table$yi <- table$direction * as.numeric(theirs$yi)
  table$vi <- as.numeric(theirs$vi)
  table
}
