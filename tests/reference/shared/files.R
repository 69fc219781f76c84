# What every reference script shares: the fingerprint of a file, numbers as text, and a table written whole.
# Sourced from the repository root:  source(file.path("tests", "reference", "shared", "files.R"))

sha256 <- function(file) {
  tool <- Sys.which(c("sha256sum", "shasum"))
  if (all(tool == "")) stop("neither sha256sum nor shasum is on PATH")
  words <- if (nzchar(tool[1])) file else c("-a", "256", file)
  substr(system2(tool[nzchar(tool)][1], words, stdout = TRUE), 1, 64)
}

# Text as it is, numbers with 15 digits, nothing where one is missing
as_text <- function(values) {
  unname(if (is.character(values)) values else ifelse(is.na(values), "", formatC(values, digits = 15, format = "g", width = 1)))
}

# Writes a table into tests/reference, beside its place first; its path
save <- function(table, name) {
  target <- file.path("tests", "reference", name)
  beside <- paste0(target, ".new")
  write.table(table, beside, sep = ",", row.names = FALSE, quote = FALSE, na = "", eol = "\n", fileEncoding = "UTF-8")
  invisible(file.rename(beside, target))
  cat(target, "\n")
  invisible(target)
}

# What an entry of a study file says in a field: field_of("some-study", "some.claim.est", "printed"), as text with a plain minus sign.
# So no printed number and no assumption is typed into a script twice.
field_of <- function(study, entry, field) {
  text <- readLines(file.path("data", study, "study.yml"), encoding = "UTF-8")
  at <- grep(paste0("^  ", gsub(".", "\\.", entry, fixed = TRUE), ":"), text)
  if (length(at) != 1) stop(study, ": no entry ", entry, " in study.yml")
  ends <- grep("^  [a-z]|^[a-z]|^$", text)
  rest <- paste(text[at:(min(ends[ends > at], length(text) + 1) - 1)], collapse = " ")
  found <- regmatches(rest, regexec(paste0("[ {]", field, ": \"([^\"]*)\""), rest))[[1]]
  if (length(found) != 2) stop(study, ": ", entry, " has no text in its field ", field)
  gsub(",", "", gsub("\u2212", "-", found[2], fixed = TRUE), fixed = TRUE)
}
number_of <- function(study, entry, field = "printed") as.numeric(field_of(study, entry, field))
