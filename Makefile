# Every command is python -m book; this file only gives it a shorter name.
#   make book PYTHON=python3.12        make test ARGS="-k claims"
PYTHON ?= python3
ARGS ?=

COMMANDS = book test chapters records serve pdf site-test sabotage reference bench vendored help

.PHONY: $(COMMANDS)

$(COMMANDS):
	@$(PYTHON) -m book $@ $(ARGS)

.DEFAULT_GOAL = help
