"""The commands before and after the records: new (a study.yml to fill in, and later its chapter), schema, kinds."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from asprinted.cli.output import CODES, FINE, show, tell_next
from asprinted.paper import draft, places, plan, questions, reference
from asprinted.study import StudyError, families, meanings, schema

NEW = """\
examples:
  asprinted new my-trial                            asks for arms, visits and outcomes; < goes back to the question before
  asprinted new my-trial --arm course=120 --arm waiting=118 --visits 0,3,12 \\
      --outcome score:wellbeing:14-70 --outcome yes-no:employed --outcome time:days:returned
  asprinted new my-review --pool smd:wellbeing
  asprinted new --chapter my-trial                  once records are there: the chapter and its tests
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the commands of this module."""
    raw = argparse.RawDescriptionHelpFormatter
    new = commands.add_parser("new", help="write a study.yml to fill in from a paper; later, with --chapter, its chapter and tests", epilog=f"{NEW}{CODES}", formatter_class=raw,
                              description="Write a study.yml to fill in: what is not given as an option is asked for on a terminal. Nothing that is there is overwritten.")  # fmt: skip
    new.add_argument("target", type=Path, metavar="folder", help="a new folder, such as my-trial; inside the book's repository data/<slug>")
    new.add_argument("--chapter", action="store_true", help="write chapter and tests for the study.yml and the records that are there; one that nobody has edited is made anew")
    new.add_argument("--title", help="what the study is called")
    new.add_argument("--reference", help="authors, title, journal, year")
    new.add_argument("--doi")
    new.add_argument("--arm", action="append", default=[], metavar="NAME[=PEOPLE]", help="an arm and the people randomised to it; the arm that others are held against comes last")
    new.add_argument("--design", choices=["parallel", "clusters", "groups"], help="who is randomised: people; whole clusters; or people, of whom the first arm meets in groups")
    new.add_argument("--clusters", metavar="N[,N]", help="clusters in each arm")
    new.add_argument("--visits", metavar="[COLUMN:]0,3,12", help="times of the visits, the first before treatment")
    new.add_argument("--outcome", action="append", default=[], metavar="FORM", help=f"one of {', '.join(plan.FORMS.values())}")
    new.add_argument("--analysis", action="append", default=[], metavar="OUTCOME=ANALYSIS", help="another analysis than the usual one; several can be asked for: " + "; ".join(f"{kind}: {', '.join(names)}" for kind, names in plan.ANALYSES.items()))
    new.add_argument("--pool", action="append", default=[], metavar="MEASURE:OUTCOME", help=f"of a meta-analysis: an outcome and the measure of its effects ({', '.join(plan.MEASURES)})")
    new.set_defaults(run=_new)
    prints = commands.add_parser("schema", help="print the JSON Schema of study.yml, for editors", description="Print the JSON Schema of study.yml.", epilog=f"example: asprinted schema --path\n{CODES}", formatter_class=raw)
    prints.add_argument("--path", action="store_true", help="print where the schema stands instead")
    prints.add_argument("--markdown", type=Path, metavar="PAGE", help="make the reference of every field anew in this page, after its marker")
    prints.set_defaults(run=_schema)
    kinds = commands.add_parser("kinds", help="list the kinds of designs and outcomes that can be made, or the statistics that can be asked for", epilog=f"examples:\n  asprinted kinds clusters\n  asprinted kinds --statistics\n{CODES}", formatter_class=raw,
                                description="List the kinds of designs and outcomes that can be made, and which are refused together; or what each statistic is.")  # fmt: skip
    kinds.add_argument("name", nargs="?", help="one kind, to see how it is written in study.yml")
    kinds.add_argument("--statistics", action="store_true", help="list what `by` can ask for as its statistic, with what each is, of a table, a model or a pool of trials")
    kinds.set_defaults(run=_kinds)
    for command in (new, prints, kinds):
        command.add_argument("--json", action="store_true", help="print JSON instead of text")


def _new(*, options: argparse.Namespace) -> int:
    if options.chapter:
        return _chapter(options)
    where = places.of(options.target)
    if where.study.exists():
        raise StudyError(where.study, "file", None, "It is there already: give another folder. (A chapter for it: asprinted new --chapter.)")
    try:
        wanted = _plan(options)
    except EOFError:
        raise plan.fault("questions", "end of input", "The answers ended before the questions: give options instead. asprinted new --help has examples.") from None
    text = draft.study_text(wanted, where.schema.name if not where.in_book else "../../asprinted/study.schema.json")
    files = {where.study: text} | ({} if where.in_book else {where.schema: _schema_text()})
    places.write_new(files)
    show(options, {"files": [str(file) for file in files]}, [*map(str, files), f'fill in every "?" of {where.study}, or delete the claim'])
    tell_next(options, "asprinted", "check", options.target)
    return FINE


def _chapter(options: argparse.Namespace) -> int:
    from asprinted.paper import pages

    wrote, left, unwritten = pages.write(options.target)
    lines = [*map(str, wrote), *(f"left as it is, since it was edited: {file}" for file in left)]
    lines += [f"no cell could be written for {id} ({why}): the chapter says where to add it" for id, why in unwritten]
    show(options, {"files": [*map(str, wrote)], "left": [*map(str, left)], "unwritten": [id for id, _ in unwritten]}, lines)
    tell_next(options, *(["make", "chapters", f"ARGS={options.target.name}"] if places.of(options.target).in_book else [sys.executable, "-m", "pytest", options.target]))
    return FINE


def _plan(options: argparse.Namespace) -> plan.Plan:
    """The plan of the options, and of the answers where there is a terminal to ask on. Raises StudyError."""
    enough = options.pool or (options.arm and options.outcome)
    asking = not enough and not options.json and sys.stdin.isatty()
    if not asking and not enough:
        raise plan.fault("--arm and --outcome", "none", "There is no terminal to ask on: give two or more --arm and one or more --outcome, or --pool for a meta-analysis. asprinted new --help has examples.")
    given = _Given(
        options.title or "", options.reference or "", plan.doi(options.doi or ""), tuple(plan.pool(text) for text in options.pool), tuple(plan.arm(text) for text in options.arm),
        options.design or ("clusters" if options.clusters else ""), options.clusters or "", options.visits or "", tuple(plan.outcome(text) for text in options.outcome), tuple(options.analysis),
    )  # fmt: skip
    usual = options.target.resolve().name.replace("-", " ").replace("_", " ")
    if asking:
        print(questions.HINT)
        return questions.Dialogue(input, functools.partial(print, file=sys.stderr)).held(lambda dialogue: _planned(_answered(dialogue, given, usual)))
    return _planned(replace(given, title=given.title or usual))


@dataclass(frozen=True)
class _Given:
    """What options and answers give of a plan; empty where they give nothing."""

    title: str
    reference: str
    doi: str
    pools: tuple[plan.Pool, ...]
    arms: tuple[tuple[str, str], ...]
    design: str
    clusters: str
    visits: str
    outcomes: tuple[plan.Outcome, ...]
    analyses: tuple[str, ...]


def _answered(dialogue: questions.Dialogue, given: _Given, usual: str) -> _Given:
    """What the options give, and the answers to what they leave open; each answer is held against those before it."""
    given = replace(
        given,
        title=given.title or dialogue.asked(lambda text: text if text == usual else plan.title(text), "Title", usual),
        reference=given.reference or dialogue.asked(plan.reference, "Authors, title, journal, year", "?"),
        doi=given.doi or dialogue.asked(plan.doi, "DOI, if there is one"),
    )
    if not (given.arms or given.outcomes) and dialogue.asked(questions.kind_of_paper, "Trial or meta-analysis", "trial"):
        return replace(given, pools=dialogue.several(lambda text, found: _fitting(given, plan.pool(text), found, "pools"), "Pool", 1, "smd:wellbeing"))
    if given.arms:
        plan.distinct(given.arms)
    if len(given.arms) == 1:
        raise plan.fault("--arm", given.arms[0][0], "Give two arms or more, the one that the others are held against last; or none, to be asked for them.")
    dialogue.tell("Name the arm that the others are held against last.")
    given = replace(given, arms=given.arms or dialogue.several(_arm, "Arm", 2, "course=120"))
    given = replace(given, design=given.design or dialogue.asked(questions.design, "Design: parallel, clusters or groups", "parallel"))
    if given.design == "clusters" and not given.clusters:
        given = replace(given, clusters=dialogue.asked(lambda text: text if plan.clusters(text, len(given.arms)) else "", "Clusters in each arm", "?", "12,11"))
    given = replace(given, visits=given.visits or dialogue.asked(lambda text: text if not text or plan.visits(text) else "", "Times of visits, if there are several", "", "0,3,12"))
    _unchecked(replace(given, analyses=()))  # what options give is at fault here, and no answer
    dialogue.tell("Outcomes: " + ", ".join(plan.FORMS.values()))
    times = plan.visits(given.visits)[1] if given.visits else ()
    if not given.outcomes:
        found = dialogue.several(
            lambda text, found: _fitting(given, plan.outcome(text), found, "outcomes"), "Outcome", 1, "score:wellbeing:14-70", lambda found: plan.with_visits(times, found)
        )  # fmt: skip
        given = replace(given, outcomes=found)
    for each in given.outcomes:
        known = plan.fitting(each, bool(given.clusters), len(times))
        if len(known) > 1 and not any(text.partition("=")[0].strip() == each.column for text in given.analyses):
            given = replace(given, analyses=dialogue.asked(functools.partial(_analyses, given, each, known), f"Analysis of {each.column}: {', '.join(known)}", known[0]))
    return given


def _arm(text: str, found: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    arm = plan.arm(text)
    plan.distinct((*found, arm))
    return arm


def _fitting(given: _Given, new: plan.Pool | plan.Outcome, found: tuple[Any, ...], field: str) -> Any:
    """The pool or the outcome itself. Raises StudyError where it does not go with what was given before it."""
    columns = {each.column for each in (*found, new) if isinstance(each, plan.Outcome)}
    own = tuple(text for text in given.analyses if text.partition("=")[0].strip() in columns)
    plan.checked(_unchecked(replace(given, analyses=own, **{field: (*found, new)})))
    return new


def _analyses(given: _Given, outcome: plan.Outcome, known: Sequence[str], text: str) -> tuple[str, ...]:
    """The analyses given before, and those that the answer names. Raises StudyError where one cannot be."""
    analyses = (*given.analyses, *plan.analyses(text, outcome, known))
    _planned(replace(given, analyses=analyses))
    return analyses


def _planned(given: _Given) -> plan.Plan:
    """The plan of what was given. Raises StudyError where it cannot be one."""
    made = _unchecked(given)
    plan.with_visits(made.times, made.outcomes)
    return plan.checked(made)


def _unchecked(given: _Given) -> plan.Plan:
    """The plan, of which not everything may have been given yet. Raises StudyError where a part of it cannot be read."""
    clusters = given.clusters or ("?" if given.design == "clusters" else "")
    in_clusters = plan.clusters(clusters, len(given.arms)) if clusters else ()
    if in_clusters and given.design in ("parallel", "groups"):
        raise plan.fault("--clusters", clusters, f"The design is {given.design}: give --design clusters, or leave --clusters out.")
    visit, times = plan.visits(given.visits) if given.visits else ("", ())
    outcomes = plan.with_analyses(given.outcomes, given.analyses, bool(in_clusters), len(times))
    return plan.Plan(given.title, given.reference or "?", given.doi, given.arms, in_clusters, given.design == "groups", visit, times, outcomes, given.pools)


def _schema_text() -> str:
    return resources.files("asprinted").joinpath("study.schema.json").read_text("utf-8")


def _schema(*, options: argparse.Namespace) -> int:
    if options.markdown:
        changed = reference.rewrite(options.markdown, schema())
        show(options, {"page": str(options.markdown), "changed": changed}, [f"{options.markdown}: {'made anew' if changed else 'as it was'}"])
        return FINE
    file = str(resources.files("asprinted").joinpath("study.schema.json"))
    show(options, {"path": file} if options.path else schema(), [file if options.path else _schema_text().rstrip("\n")])
    return FINE


def _kinds(*, options: argparse.Namespace) -> int:
    """The table of kinds, or one of them: what each covers, what it is refused with, and how it is written."""
    from asprinted import kinds

    if options.statistics:
        return _statistics(options)
    known = {each.name: each for each in kinds.KINDS}
    if options.name is not None and options.name not in known:
        raise StudyError("asprinted kinds", "name", options.name, f"There is no such kind. Known: {', '.join(known)}.")
    asked = [options.name] if options.name else []
    refused = [{"kinds": list(each.kinds), "reason": each.reason} for each in kinds.REFUSED if options.name in (None, *each.kinds)]
    rows = [{field: row[field] for field in ("name", "covers", "written")} for row in kinds.as_rows(asked)]
    listed = [] if asked else [*(f"{row['name']:<12}  {row['covers']}" for row in rows), "", "How each is written:", ""]
    show(options, {"kinds": rows, "refused": refused}, [*listed, kinds.as_text(asked)])
    return FINE


def _statistics(options: argparse.Namespace) -> int:
    """What each statistic is, by what `by` can name; of models also the families that give it."""
    lines = []
    for of, names in meanings.GROUPS.items():
        lines += [f"of {of}:", *(f"  {name:<16}  {said}{f' ({_givers(name)})' if of == 'a model' else ''}" for name, said in names.items()), ""]
    show(options, {of.partition(" ")[2]: names for of, names in meanings.GROUPS.items()}, lines[:-1])
    return FINE


def _givers(name: str) -> str:
    """The families of models that give a statistic, in words."""
    given, usual = families.GIVEN_BY[name], families.WITH_CONTRASTS
    return ", ".join(["every family with contrasts", *(family for family in given if family not in usual)] if set(usual) <= set(given) else given)
