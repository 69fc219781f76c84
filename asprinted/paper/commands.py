"""The commands before and after the records: new (a study.yml to fill in, and later its chapter), schema, kinds."""

from __future__ import annotations

import argparse
import functools
import sys
from importlib import resources
from pathlib import Path

from asprinted.cli.output import CODES, FINE, show, tell_next
from asprinted.paper import draft, places, plan, questions, reference
from asprinted.study import StudyError, families, meanings, schema

NEW = """\
examples:
  asprinted new my-trial                            asks for arms, visits and outcomes
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
    tell = functools.partial(print, file=sys.stderr)
    usual = options.target.resolve().name.replace("-", " ").replace("_", " ")
    title, reference, doi = options.title or usual, options.reference or "?", options.doi or ""
    pools, arms, outcomes = [plan.pool(text) for text in options.pool], [plan.arm(text) for text in options.arm], [plan.outcome(text) for text in options.outcome]
    kind, clusters, times = options.design or ("clusters" if options.clusters else ""), options.clusters or "", options.visits or ""
    if asking:
        ask = input
        title = options.title or questions.asked(ask, tell, str, "Title", usual)
        reference = options.reference or questions.asked(ask, tell, str, "Authors, title, journal, year", "?")
        doi = options.doi or questions.asked(ask, tell, str, "DOI, if there is one")
        if not (arms or outcomes) and questions.asked(ask, tell, questions.kind_of_paper, "Trial or meta-analysis", "trial"):
            pools = questions.several(ask, tell, plan.pool, "Pool", 1, "smd:wellbeing")
        else:
            tell("Name the arm that the others are held against last.")
            arms = arms or questions.several(ask, tell, plan.arm, "Arm", 2, "course=120")
            kind = kind or questions.asked(ask, tell, questions.design, "Design: parallel, clusters or groups", "parallel")
            if kind == "clusters" and not clusters:
                clusters = questions.asked(ask, tell, lambda text: text if plan.clusters(text, len(arms)) else "", "Clusters in each arm", "?", "12,11")
            times = times or questions.asked(ask, tell, lambda text: text if not text or plan.visits(text) else "", "Times of visits, if there are several", "", "0,3,12")
            tell("Outcomes: " + ", ".join(plan.FORMS.values()))
            outcomes = outcomes or questions.several(ask, tell, plan.outcome, "Outcome", 1, "score:wellbeing:14-70")
    in_many, number = kind == "clusters" or bool(clusters), len(plan.visits(times)[1]) if times else 0
    analyses = list(options.analysis)
    for each in outcomes if asking else ():
        known = plan.fitting(each.kind, in_many, number)
        if len(known) > 1 and not any(text.partition("=")[0].strip() == each.column for text in analyses):
            analyses += questions.asked(ask, tell, lambda text: plan.analyses(text, each, known), f"Analysis of {each.column}: {', '.join(known)}", known[0])
    if kind == "clusters" and not clusters:
        clusters = "?"
    in_clusters = plan.clusters(clusters, len(arms)) if clusters else ()
    if in_clusters and kind in ("parallel", "groups"):
        raise plan.fault("--clusters", clusters, f"The design is {kind}: give --design clusters, or leave --clusters out.")
    visit, numbers = plan.visits(times) if times else ("", ())
    if numbers and not any(each.kind == "score" for each in outcomes):
        raise plan.fault("--visits", times, "What is drafted at every visit is scores: add --outcome score:NAME:LOWEST-HIGHEST, or leave --visits out.")
    return plan.checked(plan.Plan(
        title, reference, doi, tuple(arms), in_clusters, kind == "groups", visit, numbers,
        plan.with_analyses(outcomes, analyses, bool(in_clusters), len(numbers)), tuple(pools),
    ))  # fmt: skip


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
