"""The bootstrap: which Pythons it takes, when it trusts an environment, and what it says when a step fails."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import book.__main__ as entry
from book import environment
from book.errors import BookError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "requirements.lock").write_text("a==1 \\\n    --hash=sha256:0\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


@pytest.fixture
def steps(monkeypatch, repository):
    """The steps that would run, by name; each that makes the environment leaves its Python behind."""
    done = []

    def step(what, command, root, prefix, **_):
        done.append(what.split()[0])
        python = environment.interpreter(prefix)
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    monkeypatch.setattr(environment, "step", step)
    monkeypatch.setattr(environment, "site_packages", lambda python: "")
    return done


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 0), (3, 10, 13), (3, 14, 0), (4, 0, 0)])
def test_other_pythons_are_refused_in_one_line_with_the_remedy(version):
    told = entry.refusal(version)
    assert "3.11, 3.12 or 3.13" in told and "make book PYTHON=python3.12" in told and "\n" not in told


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 9), (3, 13, 1)])
def test_supported_pythons_are_not_refused(version):
    assert entry.refusal(version) == ""


def test_refusal_ends_with_exit_code_2(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    assert entry.main(["book"]) == 2
    assert "PYTHON=" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["__init__", "__main__", "commands", "environment", "errors", "files"])
def test_bootstrap_can_be_read_by_python_3_8(name):
    ast.parse((ROOT / "book" / f"{name}.py").read_text(encoding="utf-8"), feature_version=(3, 8))


def test_environment_without_a_stamp_is_made_from_the_start(repository, steps):
    prefix = repository / ".venv"
    environment.make(repository, prefix)
    assert steps == ["an", "about", "the", "bytecode,", "the"]
    assert environment.stamped(prefix) == environment.wanted(repository)


def test_finished_environment_is_left_alone(repository, steps):
    prefix = repository / ".venv"
    environment.make(repository, prefix)
    steps.clear()
    environment.make(repository, prefix)
    assert steps == []


@pytest.mark.parametrize("damage", ["", "requirements.lock 0\n", "\x00\xff nonsense"])
def test_environment_with_a_damaged_stamp_is_made_from_the_start(repository, steps, damage):
    prefix = repository / ".venv"
    environment.make(repository, prefix)
    steps.clear()
    (prefix / environment.STAMP).write_text(damage, encoding="latin-1")
    environment.make(repository, prefix)
    assert steps[:2] == ["an", "about"]


def test_change_of_pyproject_alone_installs_only_the_library_again(repository, steps):
    prefix = repository / ".venv"
    environment.make(repository, prefix)
    steps.clear()
    (repository / "pyproject.toml").write_text("[project]\nname = 'b'\n")
    environment.make(repository, prefix)
    assert steps[0] == "the" and "about" not in steps


def test_change_of_the_lock_makes_it_from_the_start(repository, steps):
    prefix = repository / ".venv"
    environment.make(repository, prefix)
    steps.clear()
    (repository / "requirements.lock").write_text("a==2\n")
    environment.make(repository, prefix)
    assert steps[:2] == ["an", "about"]


def test_run_killed_in_a_step_leaves_no_stamp(repository, steps, monkeypatch):
    prefix = repository / ".venv"
    environment.make(repository, prefix)
    (repository / "requirements.lock").write_text("a==2\n")

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        environment.make(repository, prefix)
    assert environment.stamped(prefix) == {}


def test_failing_step_names_step_command_last_lines_and_remedy(repository):
    command = [sys.executable, "-c", "print('no route to host'); raise SystemExit(3)"]
    with pytest.raises(BookError) as problem:
        environment.step("packages", command, repository, repository, remedy="Check the network.")
    told = str(problem.value)
    assert all(part in told for part in ("packages", "raise SystemExit", "no route to host", "Check the network."))


def test_python_without_venv_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else name)
    with pytest.raises(BookError, match=r"apt install python3\.\d+-venv"):
        environment.demand_venv()


def test_children_see_this_repository_first_and_no_settings_of_the_user(repository, monkeypatch):
    for name in ("PYTHONWARNINGS", "MPLBACKEND", "MATPLOTLIBRC"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["elsewhere", str(repository)]))
    given = environment.variables(repository, repository / ".venv")
    assert given["PYTHONPATH"].split(os.pathsep) == [str(repository), "elsewhere"]
    assert not {"PYTHONWARNINGS", "MPLBACKEND", "MATPLOTLIBRC"} & set(given)


POSIX_ONLY = {"fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "posix", "syslog", "crypt", "readline"}
POSIX_CALLS = {"fork", "execv", "execve", "execvp", "execl", "execlp", "killpg", "setsid", "getuid", "geteuid", "mkfifo"}


@pytest.mark.parametrize("path", sorted((ROOT / "book").glob("*.py")), ids=lambda path: path.stem)
def test_builder_uses_nothing_that_only_posix_has(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    shells = [
        keyword
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in {"shell", "preexec_fn"}
    ]
    assert not imported & POSIX_ONLY and not called & POSIX_CALLS and not shells


@pytest.mark.parametrize("arguments", [["help"], ["book", "--help"], ["test", "--help"], []])
def test_help_needs_neither_make_nor_any_program_nor_the_environment(arguments, tmp_path):
    bare = {"PATH": str(tmp_path), "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
    done = subprocess.run([sys.executable, "-S", "-m", "book", *arguments], cwd=ROOT, env=bare, capture_output=True, text=True)
    assert done.returncode == 0 and "usage: python -m book" in done.stdout


def test_makefile_only_calls_the_builder():
    recipes = [line.strip() for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t")]
    assert recipes == ["@$(PYTHON) -m book $@ $(ARGS)"]


def test_every_command_can_be_called_through_make():
    from book import commands

    named = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("COMMANDS"))
    offered = next(action for action in commands.parser()._actions if action.dest == "command").choices
    assert set(named.partition("=")[2].split()) == set(offered)
