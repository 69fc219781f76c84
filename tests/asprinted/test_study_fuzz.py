"""Whatever stands in a study file, a user reads a sentence and never a traceback, and nothing is left half written."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asprinted import cli
from asprinted.synthesis.outcomes import search
from tests.asprinted.kinds import printed_trial

DATA = Path(__file__).parents[2] / "data"
PAPERS = Path(__file__).parents[1] / "papers"
MIXED = ("clusters", "score"), ("visits", "score"), ("yes-no", "count"), ("time", "ordinal"), ("baseline", "subgroups", "words")
FILES = [printed_trial(kinds, seed=1, size=30) for kinds in MIXED] + [yaml.safe_load(file.read_text("utf-8").replace("<<:", "merged:")) for file in sorted(DATA.glob("*/study.yml"))]
CODES = {cli.BAD_INPUT, cli.DIFFERS, cli.FINE, cli.OPEN}

TEXTS = st.sampled_from(["", " ", "~", "y ~", "a ~ b ~ c", "C(arm", "<0.001", ">1", "−0", "1e999", "NaN", "-1", "0.05", "1,234,5", "½", "٣", "arm", "\u0000", "é" * 300, "../x", "=1+1", "yes", "p<.05", "0." + "0" * 400 + "1"])
NUMBERS = st.sampled_from([0, -1, 1, 2, 3.5, 1e308, 10**30, float("inf"), float("nan"), -0.0])
VALUES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.just([]), st.just({}), st.just([None]), st.just({"a": {"b": []}}), st.text(max_size=12))


def places(node: Any, path: tuple = ()) -> list[tuple]:
    """The path of every value below `node`."""
    found = [path] if path else []
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        found += places(value, (*path, key))
    return found


class Broken:
    """A study file, and what was done to it: that alone is shown."""

    def __init__(self, number: int, data: dict[str, Any]):
        self.data, self.done = data, [f"file {number}"]

    def __repr__(self) -> str:
        return "; ".join(self.done)


@st.composite
def broken(draw: st.DrawFn, number: int) -> Broken:
    """A study file of which one to three places were taken out, exchanged, renamed or copied elsewhere; one of the first `number`."""
    file = draw(st.integers(0, number - 1))
    made = Broken(file, copy.deepcopy(FILES[file]))
    data = made.data
    for _ in range(draw(st.integers(1, 3))):
        every = places(data)
        if not every:
            break
        *way, last = every[draw(st.integers(0, len(every) - 1))]
        node = data
        for key in way:
            node = node[key]
        how = draw(st.sampled_from(["drop", "value", "text", "rename", "copy"]))
        if how == "drop":
            del node[last]
        elif how == "rename" and isinstance(node, dict):
            node[draw(st.one_of(TEXTS, st.text(max_size=8)))] = node.pop(last)
        elif how == "copy":
            *other, end = every[draw(st.integers(0, len(every) - 1))]
            source = data
            with contextlib.suppress(LookupError, TypeError):  # the place may be gone with an earlier change
                for key in other:
                    source = source[key]
                node[last] = copy.deepcopy(source[end])
        elif how == "text":
            node[last] = str(node[last])
        else:
            node[last] = draw(VALUES)
        made.done.append(f"{how} {' › '.join(map(str, (*way, last)))}" + (f" = {node[last]!r:.80}" if how in ("value", "text", "copy") else ""))
    return made


def run(command: str, content: bytes) -> tuple[int, str, set[str]]:
    """The exit code of a command on a folder with this study.yml, what it said, and the files in the folder then."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "some-trial"
        folder.mkdir()
        (folder / "study.yml").write_bytes(content)
        said, shown = io.StringIO(), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(shown):
            code = cli.main([command, str(folder)])
        left = {file.relative_to(place).as_posix() for file in Path(place).rglob("*") if file.is_file()}
        return code, said.getvalue(), left


def as_yaml(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=True).encode("utf-8")  # JSON is YAML


def assert_said(code: int, said: str) -> None:
    assert code in CODES
    assert "Traceback" not in said
    if code == cli.BAD_INPUT:
        assert "error: " in said and said.strip().endswith((".", "?", ")", "”", "'")), said


QUIET = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@settings(QUIET, max_examples=250)
@given(broken(len(FILES)))
def test_a_broken_study_file_is_answered_in_words(made):
    code, said, left = run("check", as_yaml(made.data))
    assert_said(code, said)
    assert left == {"some-trial/study.yml"}


@settings(QUIET, max_examples=40)
@given(broken(len(MIXED)))
def test_records_are_written_whole_or_not_at_all(made):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "SECONDS", 0.5)
        code, said, left = run("synthesise", as_yaml(made.data))
    assert_said(code, said)
    if code == cli.FINE:
        wanted = {f"some-trial/{table['file']}" for table in made.data["tables"].values()}
        assert left == {"some-trial/study.yml", "some-trial/datapackage.json"} | wanted
    else:
        assert left == {"some-trial/study.yml"}


@settings(QUIET, max_examples=150)
@given(st.sampled_from([file.read_bytes() for file in sorted(PAPERS.glob("*/study.yml"))]), st.data())
def test_bytes_exchanged_in_a_file_are_answered_in_words(content, data):
    place = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.sampled_from([0, 1, 2, 40]))
    new = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from([b"\t", b"\r", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b": ", b"- ", b"&a ", b"*a ", b"!!python/object:os.system ", b"<<: *ancova", b"{", b"]", b"'", b'"', b"|\n"])))
    code, said, _ = run("check", content[:place] + new + content[place + length :])
    assert_said(code, said)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252", "utf-7"])
def test_a_file_in_another_encoding_is_read_or_refused_in_words(encoding):
    text = next(iter(sorted(PAPERS.glob("*/study.yml")))).read_text("utf-8").replace("−", "-").replace("–", "-").replace("’", "'")
    code, said, _ = run("check", text.replace("community", "communité").encode(encoding, "replace"))
    assert_said(code, said)


@pytest.mark.parametrize("content", [b"", b"\n", b"[]", b"1", b"{}", b"a: b", b"? [a]\n: b", b"a: &a [*a]", b"schema: 1\n" * 2, b"\x00", b"%YAML 9.9\n---\na: b", b"--- a\n--- b", b"{" * 2000])
def test_what_is_no_study_file_is_refused_in_words(content):
    code, said, left = run("synthesise", content)
    assert code == cli.BAD_INPUT and left == {"some-trial/study.yml"}
    assert_said(code, said)


def test_a_file_that_is_not_there_is_named():
    folder = Path(tempfile.mkdtemp())
    try:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            assert cli.main(["check", str(folder / "nowhere")]) == cli.BAD_INPUT
        assert "nowhere" in said.getvalue() and "Traceback" not in said.getvalue()
    finally:
        shutil.rmtree(folder)
