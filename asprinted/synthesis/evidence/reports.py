"""What studies report: rows of outcome tables whose pools print every claim that is about them alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from asprinted import records
from asprinted.models.effects import MEASURES
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.study.evidence import RISK, direction_of
from asprinted.study.trials import SCALE
from asprinted.synthesis.design import generator
from asprinted.synthesis.evidence.pool import able, seen
from asprinted.synthesis.trials import aims
from asprinted.synthesis.trials.arms import Trials, arms_that_print
from asprinted.synthesis.trials.measures import counts_that_print, differences_that_print
from asprinted.synthesis.trials.reports import BREADTH, FREE, LEAST, arms_of, best_liked, free, shares_left
from asprinted.synthesis.trials.rows import described, drawn, scale, with_arms
from asprinted.synthesis.trials.targets import Target

FREEDOMS = 6  # in which the people with an outcome are sought, each wider than the last
LEVELS = 1 / 4  # SD of the log-odds of an event between trials
OF_SCORES = {"smd": arms_that_print, "md": differences_that_print}


@dataclass(frozen=True)
class Report:
    """One report of the design: its position there, its model, the positions of its studies in their table, (k,), and its rows without arms."""

    number: int
    spec: Mapping[str, Any]
    model: Mapping[str, Any]
    members: np.ndarray
    frame: pd.DataFrame

    @property
    def key(self) -> tuple[str, ...]:
        return (self.spec["outcome"], *map(str, self.spec.get("values", {}).values()))

    @property
    def where(self) -> str:
        return SEPARATOR.join(("design", "evidence", "reports", str(self.number)))


def outcome_rows(study: Study, studies: pd.DataFrame, taken: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables of outcomes by name, rows taken among them as they are, in the order of studies and then of reports.

    Raises Unmet where too few studies meet what a report asks, or no arms of them print the claims about its rows.
    """
    spec, key = study.design["evidence"], study.tables[study.design["evidence"]["table"]]["key"][0]
    found: dict[str, list[pd.DataFrame]] = {}
    for table in dict.fromkeys([*(study.models[each["model"]]["table"] for each in spec["reports"]), *(name for name in taken if name != spec["table"])]):
        own = taken.get(table)
        found[table] = [] if own is None else [own.reindex(columns=list(study.tables[table]["columns"]))]
    there = seen(study, studies, taken)
    randomised = _randomised(study, studies, there)
    reports, stayed, made = _planned(study, studies, taken), randomised.copy(), {}
    for report in sorted(reports, key=lambda each: not each.spec.get("left", False)):
        made[report.number] = _made(study, report, randomised, stayed, list(_targets(study, studies, report, reports, taken)))
        if report.spec.get("left"):
            effect = report.model["effect"]
            stayed[report.members] -= made[report.number][list(effect["events"])].to_numpy()
            _room_left(study, studies, report, stayed, there)
    for report in reports:
        found[report.model["table"]].append(made[report.number])
    place = {id: at for at, id in enumerate(studies[key])}
    tables = {}
    for table, frames in found.items():
        rows = pd.concat(frames, ignore_index=True).reindex(columns=list(study.tables[table]["columns"]))
        tables[table] = rows.iloc[np.argsort(rows[study.tables[table]["key"][0]].map(place), kind="stable")].reset_index(drop=True)
    return tables


def _randomised(study: Study, studies: pd.DataFrame, there: np.ndarray) -> np.ndarray:
    """The people randomised to each arm of each study, (n, 2): about half of them, and no fewer than are `there` in rows taken."""
    sizes = studies[study.design["evidence"]["people"]["column"]].to_numpy()
    least, most = there[:, 0], sizes - there[:, 1]
    if (least > most).any():
        at = int((least > most).argmax())
        raise StudyError(study.file, SEPARATOR.join(("design", "evidence", "taken")), studies.iloc[at, 0], f"Its rows have {there[at].sum()} people, more than its {sizes[at]}: correct its records.")
    first = np.clip(arms_of(study, sizes)[:, 0], least, most)
    return np.column_stack([first, sizes - first])


def _room_left(study: Study, studies: pd.DataFrame, report: Report, stayed: np.ndarray, there: np.ndarray) -> None:
    """Raise Unmet where more people are `there` in a row taken than `stayed`, (n, 2) each."""
    short = (stayed < np.maximum(there, LEAST)).any(axis=1)
    if short.any():
        at = int(short.argmax())
        raise aims.Unmet(study.file, report.where, studies.iloc[at, 0], f"Of this study {stayed[at].sum()} people would stay, and {there[at].sum()} have an outcome: let fewer leave, or others report it.")


def _planned(study: Study, studies: pd.DataFrame, taken: Mapping[str, pd.DataFrame]) -> list[Report]:
    """The reports with their studies: at random, some studies report much and some little, among those that meet what is asked and have no such row."""
    spec = study.design["evidence"]
    keen = BREADTH * generator(study, "evidence", "breadth").standard_normal(len(studies))
    rows = dict(taken)
    reports = []
    for number, each in enumerate(spec["reports"]):
        model = study.models[each["model"]]
        there = records.asked(study, studies, each).to_numpy() & able(study, each, studies, taken, rows.get(model["table"]))
        count, possible = int(study.number(each["trials"])), np.flatnonzero(there)
        if len(possible) < count:
            where = SEPARATOR.join(("design", "evidence", "reports", str(number), "trials"))
            raise aims.Unmet(study.file, where, each["trials"], f"It means {count}, and {len(possible)} studies meet rule and filter and have no such row yet: ask for fewer, or let more be so.")
        order = keen + generator(study, "evidence", "reports", each["outcome"]).gumbel(size=len(studies))
        members = np.sort(possible[np.argsort(-order[possible], kind="stable")[:count]])
        frame = studies.iloc[members].reset_index(drop=True).assign(**{model["outcome_column"]: each["outcome"]}, **each.get("values", {}))
        if "instruments" in each:
            frame[spec["instrument"]] = _instruments(study, each, members, len(studies))
            frame = described(study, frame, model["table"], direction_of(study, model["table"]), spec["instrument"], spec["instruments"])
        reports.append(Report(number, each, model, members, frame))
        rows[model["table"]] = pd.concat([rows[model["table"]], frame], ignore_index=True) if model["table"] in rows else frame
    return reports


def _instruments(study: Study, report: Mapping[str, Any], members: np.ndarray, everyone: int) -> np.ndarray:
    """The instrument of each study of a report, (k,): the one that it likes best, none in more than its share by half."""
    names = np.array(report["instruments"], dtype=object)
    liking = np.stack([generator(study, "evidence", "instruments", name).random(everyone)[members] for name in names], axis=1)
    return names[best_liked(liking, int(np.ceil(1.5 * len(members) / len(names))))]


def _targets(study: Study, studies: pd.DataFrame, report: Report, reports: Sequence[Report], taken: Mapping[str, pd.DataFrame]) -> Iterator[Target]:
    """What is claimed or bounded of this report's rows alone, by a model whose effects have the measure and the signs of the report's own."""
    key = study.tables[study.design["evidence"]["table"]]["key"][0]
    same = [other.frame for other in reports if other.model["table"] == report.model["table"] and other.number != report.number]
    own = taken.get(report.model["table"])
    others = pd.concat([*same, *([] if own is None else [own.merge(studies, on=key, how="left")])], ignore_index=True) if same or own is not None else None
    for kind, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            by, interval = entry.by or {}, aims.wanted(entry)
            model = study.models.get(by.get("model", ""), {})
            if interval is None or model.get("table") != report.model["table"] or by["statistic"] in (*aims.COUNTS, "percent_below") or by["outcome"] != report.spec["outcome"]:
                continue
            wider = by | {"filter": dict(list(by["filter"].items())[:-1])} if by["statistic"] == "lead" else by
            asked = [wider, {"filter": {model["outcome_column"]: by["outcome"]} | model.get("rows", {})}]
            inside, outside = (frame is not None and np.logical_and.reduce([records.asked(study, frame, each) for each in asked]) for frame in (report.frame, others))
            if not np.any(inside) or np.any(outside) or not _alike(model, report, np.asarray(inside)):
                continue
            yield aims.target(study, (kind, id), entry, interval, report.frame, by["model"])


def _alike(model: Mapping[str, Any], report: Report, rows: np.ndarray) -> bool:
    """Whether a model takes the same effects from these rows as the report's own."""

    def signs(effect: Mapping[str, Any]) -> Any:
        return report.frame[effect["direction"]][rows].to_numpy() if "direction" in effect else 1

    ours, theirs = ({name: value for name, value in each["effect"].items() if name != "direction"} for each in (report.model, model))
    return ours == theirs and bool(np.all(signs(report.model["effect"]) == signs(model["effect"])))


def _made(study: Study, report: Report, randomised: np.ndarray, stayed: np.ndarray, targets: Sequence[Target]) -> pd.DataFrame:
    """The report's rows with arms that meet every target: of events all who were `randomised`, of scores none but those who `stayed`, (n, 2) each.

    Raises Unmet where none were found.
    """
    try:
        if "events" in report.model["effect"]:
            return _with_events(study, report, randomised, targets)
        return _with_scores(study, report, randomised, stayed[report.members], targets)
    except StudyError:
        raise
    except ValueError as error:
        remedy = f"No records can be made: {error}. Correct one of these numbers, or change its trials, centre or spread."
        raise aims.Unmet(study.file, report.where, ", ".join(report.key), remedy) from None


def _with_scores(study: Study, report: Report, randomised: np.ndarray, stayed: np.ndarray, targets: Sequence[Target]) -> pd.DataFrame:
    """The rows with sizes, means and SDs: the people whom losses leave, at most as many as `stayed`, (k, 2); more freely where that is needed."""
    spec, effect = study.design["evidence"], report.model["effect"]
    says = scale(study, spec["instruments"], report.frame[spec["instrument"]].to_numpy())
    if "direction" not in effect:
        says["direction"] = np.ones(len(report.frame))
    shares = shares_left(study, len(randomised), report.members, study.number(spec["kept"]), *report.key)
    sizes = np.clip(np.rint(randomised[report.members] * shares), LEAST, stayed).astype(np.int64)
    error = np.sqrt((1 / sizes).sum(axis=1)) * (says["sd"] if effect["measure"] == "md" else 1.0)
    start = _start(study, report, len(randomised), error, False)
    fault = None
    for freedom in range(FREEDOMS):
        people = free(sizes, FREE**freedom, None)
        trials = Trials(start, people.sizes, people.least, np.minimum(people.most, stayed), None, *(says[name] for name in SCALE))
        try:
            made = OF_SCORES[effect["measure"]](trials, targets, generator(study, "evidence", "arms", str(report.number)))
            return with_arms(report.frame, effect, made)
        except ValueError as error_:
            fault = error_
    raise fault


def _with_events(study: Study, report: Report, randomised: np.ndarray, targets: Sequence[Target]) -> pd.DataFrame:
    """The rows with everyone randomised, and how many of them have the event."""
    effect, rng, n = report.model["effect"], generator(study, "evidence", "events", str(report.number)), randomised[report.members]
    level = special.expit(special.logit(study.number(report.spec["level"])) + LEVELS * rng.standard_normal(len(n)))
    ratio = MEASURES[effect["measure"]].ratio
    error = np.sqrt(((1 - level)[:, None] / (n * level[:, None])).sum(axis=1)) if ratio else np.sqrt((level * (1 - level))[:, None] / n).sum(axis=1)
    start = _start(study, report, len(randomised), error, ratio)
    first = special.expit(special.logit(level) + start) if effect["measure"] == "or" else level * np.exp(start) if ratio else level + start
    risks = np.column_stack([np.clip(first, *RISK), level])
    events = counts_that_print(n, np.clip(np.rint(n * risks), 1, n - 1).astype(np.int64), targets, rng, effect["measure"])
    return report.frame.assign(**{effect[part][arm]: values[:, arm] for part, values in (("n", n), ("events", events)) for arm in (0, 1)})


def _start(study: Study, report: Report, everyone: int, error: np.ndarray, ratio: bool) -> np.ndarray:
    """The effects (k,) that the search starts from; ratio: as logs."""
    centre, together = study.number(report.spec["centre"]), study.number(study.design["evidence"]["together"])
    middle = np.full(len(report.members), np.log(centre) if ratio else centre)
    return drawn(study, everyone, report.members, report.key, middle, study.number(report.spec["spread"]), together, error)
