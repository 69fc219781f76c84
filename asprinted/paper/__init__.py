"""From a paper to a chapter: a study.yml to fill in, and a chapter with its tests once the claims are known."""
