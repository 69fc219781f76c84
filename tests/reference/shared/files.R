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
