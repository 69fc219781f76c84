"""Who is in the records: arms, sites, programme groups, covariates, and who is seen at which visit."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import special

from asprinted.study import SEPARATOR, Study, StudyError

NEAR = 1 / 20  # of the SD: how far folding may move the mean and the SD of whole numbers before it is made good
TRIALS = 10


def generator(study: Study, *variable: str) -> np.random.Generator:
    """A random generator keyed by the study's slug, its attempt after the first, and the variable's name: no clock, no order of calls."""
    again = [f"attempt {study.attempt}"] if study.attempt else []
    key = hashlib.sha256("/".join((study.slug, *again, *variable)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "big")))


@contextlib.contextmanager
def faults_at(study: Study, *part: str) -> Iterator[None]:
    """A block in which arithmetic that fails is a StudyError at that part of the design."""
    try:
        yield
    except StudyError:
        raise
    except (ValueError, ArithmeticError) as error:
        where = SEPARATOR.join(("design", *part))
        raise StudyError(study.file, where, None, f"No records can be made from these numbers ({error}): check the claims and assumptions named there.") from error


def apportion(total: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers that sum to `total` in proportion to `shares`, by largest remainder."""
    exact = np.asarray(shares, dtype=float) / sum(shares) * total
    counts = np.floor(exact).astype(int)
    for index in np.argsort(-(exact - counts), kind="stable")[: total - counts.sum()]:
        counts[index] += 1
    return counts.tolist()


def people(study: Study) -> tuple[pd.DataFrame, np.ndarray]:
    """The table of people, and their general health (n,), a standard normal score that is not in the records; high is well.

    Columns that another part of the design fills are there, and empty.
    """
    spec = study.design["people"]
    arm_column = spec["arms"]["column"]
    sizes = {arm: int(study.number(amount)) for arm, amount in spec["arms"]["sizes"].items()}
    rows = pd.DataFrame({arm_column: np.repeat(list(sizes), list(sizes.values()))})
    if "shares" in spec.get("sites", {}):
        shares = study.shares(spec["sites"]["shares"])
        rows[spec["sites"]["column"]] = [
            site
            for size in sizes.values()
            for site, count in zip(shares, apportion(size, list(shares.values())), strict=True)
            for _ in range(count)
        ]
    rows = rows.iloc[generator(study, "order").permutation(len(rows))].reset_index(drop=True)
    width = len(str(len(rows)))
    key = study.tables[spec["table"]]["key"][0]
    rows[key] = [f"synthetic-{number:0{width}d}" for number in range(1, len(rows) + 1)]
    if "number" in spec.get("sites", {}):
        rows[spec["sites"]["column"]] = _sites(study, len(rows))
    if "groups" in spec:
        rows[spec["groups"]["column"]] = _groups(study, rows)
    if "clusters" in spec:
        rows[spec["clusters"]["column"]] = _clusters(study, rows[arm_column].to_numpy())
    health = generator(study, "health").standard_normal(len(rows))
    for covariate in spec.get("covariates", []):
        for column, values in _covariate(study, spec["table"], covariate, rows[arm_column].to_numpy(), health).items():
            rows[column] = values
    return rows.reindex(columns=list(study.tables[spec["table"]]["columns"])), health


def _sites(study: Study, n: int) -> np.ndarray:
    """The site of each of n people, who are randomised one by one: so many sites, each with a person or more."""
    spec = study.design["people"]["sites"]
    number, spread = int(study.number(spec["number"])), study.number(spec["spread"]) if "spread" in spec else 0.0
    rng = generator(study, "sites")
    sizes = 1 + np.array(apportion(n - number, np.exp(spread * rng.standard_normal(number)).tolist()))
    names = np.array([f"{spec['column']}-{place:0{len(str(number))}d}" for place in range(1, number + 1)], dtype=object)
    return rng.permutation(np.repeat(names, sizes))


def _clusters(study: Study, arms: np.ndarray) -> np.ndarray:
    """The cluster of each person (n,): whole clusters lie in one arm, each has a person or more, and their names do not tell the arm."""
    spec = study.design["people"]["clusters"]
    numbers = {arm: int(study.number(amount)) for arm, amount in spec["number"].items()}
    rng = generator(study, "clusters")
    column = spec["column"]
    width = len(str(sum(numbers.values())))
    names = np.array([f"{column}-{number:0{width}d}" for number in 1 + rng.permutation(sum(numbers.values()))], dtype=object)
    spread = study.number(spec["spread"]) if "spread" in spec else 0.0
    labels, first = np.full(len(arms), None, dtype=object), 0
    for arm, number in numbers.items():
        members = rng.permutation(np.flatnonzero(arms == arm))
        sizes = 1 + np.array(apportion(len(members) - number, np.exp(spread * rng.standard_normal(number)).tolist()))
        labels[members] = np.repeat(names[first : first + number], sizes)
        first += number
    return labels


def _groups(study: Study, rows: pd.DataFrame) -> list[str | None]:
    """The programme group of each person: within each site, sizes between the two bounds, both of which occur."""
    spec = study.design["people"]["groups"]
    smallest, largest = int(study.number(spec["smallest"])), int(study.number(spec["largest"]))
    in_arm = rows[study.design["people"]["arms"]["column"]] == spec["arm"]
    site_column = study.design["people"].get("sites", {}).get("column")
    sites = rows[site_column] if site_column else pd.Series("all", index=rows.index)
    counts = sites[in_arm].value_counts(sort=False).sort_index()
    rng = generator(study, "groups")
    sizes: dict[str, list[int]] = {}
    for site, count in counts.items():
        number = round(count / ((smallest + largest) / 2))
        number = min(max(number, math.ceil(count / largest)), count // smallest)
        if number == 0 or not smallest * number <= count <= largest * number:
            where = SEPARATOR.join(("design", "people", "groups"))
            raise StudyError(study.file, where, f"{smallest} to {largest}", f"{count} people of site {site!r} cannot be divided into groups of that size: change the site's share or the bounds.")
        sizes[site] = apportion(int(count), [1.0] * number)
    for turn in range(10_000):
        flat = [size for each in sizes.values() for size in each]
        if turn >= 5 * len(flat) and min(flat) == smallest and max(flat) == largest:
            break
        groups = sizes[list(sizes)[rng.integers(len(sizes))]]
        giver, taker = rng.integers(len(groups), size=2)
        if giver != taker and groups[giver] > smallest and groups[taker] < largest:
            groups[giver] -= 1
            groups[taker] += 1
    labels: list[str | None] = [None] * len(rows)
    for site, each in sizes.items():
        members = rng.permutation(np.flatnonzero(in_arm & (sites == site)))
        names = [f"{site}-{number:02d}" for number, size in enumerate(each, 1) for _ in range(size)]
        for person, name in zip(members, names, strict=True):
            labels[person] = name
    return labels


def _category(study: Study, table: str, spec: Mapping, arms: np.ndarray, rho: float, health: np.ndarray) -> np.ndarray:
    """A category in exact shares, in one arm or in all; with a correlation to health its values rise with it in order."""
    shares = study.shares(spec["shares"])
    column = spec["column"]
    whole = study.tables[table]["columns"][column]["type"] == "integer"
    members = np.flatnonzero(arms == spec["arm"]) if "arm" in spec else np.arange(len(arms))
    counts = apportion(len(members), list(shares.values()))
    rng = generator(study, column)
    values = np.full(len(arms), None, dtype=object)
    ranked = np.repeat(np.array([int(name) if whole else name for name in shares], dtype=object), counts)
    if "health" in spec:
        order = np.argsort(rho * health[members] + math.sqrt(1 - rho**2) * rng.standard_normal(len(members)), kind="stable")
        values[members[order]] = ranked
    else:
        values[members] = rng.permutation(ranked)
    return values


def _tally(study: Study, table: str, spec: Mapping, arms: np.ndarray, rho: float, health: np.ndarray) -> np.ndarray:
    """How many events each person has, with each arm's exact total: people's rates differ and rise with poor health.

    What falls on a person beyond the column's maximum falls on others instead.
    """
    spread = study.number(spec["spread"])
    most = study.tables[table]["columns"][spec["column"]].get("maximum", math.inf)
    values = np.zeros(len(arms), dtype=int)
    for arm, amount in spec["totals"].items():
        members = np.flatnonzero(arms == arm)
        rng = generator(study, spec["column"], arm)
        rates = np.exp(spread * (-rho * health[members] + math.sqrt(1 - rho**2) * rng.standard_normal(len(members))))
        left = int(study.number(amount))
        if left > most * len(members):
            where = SEPARATOR.join(("design", "people", "covariates", spec["column"], "totals", arm))
            raise StudyError(study.file, where, amount, f"{len(members)} people with at most {most} each cannot have {left}: raise the column's maximum.")
        counts = np.zeros(len(members), dtype=int)
        while left:
            free = rates * (counts < most)
            drawn = counts + rng.multinomial(left, free / free.sum())
            counts = np.minimum(drawn, most).astype(int)
            left = int((drawn - counts).sum())
        values[members] = counts
    return values


def _whole(latent: np.ndarray, mean: float, sd: float, low: int, high: int) -> np.ndarray:
    """Whole numbers (n,) from `low` to `high` that follow the standardised scores `latent` (n,), with nearly the mean and SD given.

    Those beyond a bound are folded back, so that it is not crowded. Where that moves the mean or the SD by more than
    a twentieth of the SD, the scores are shifted and stretched against it, and the nearest of a few trials is kept.
    """
    centre, spread, trials = mean, sd, []
    for _ in range(TRIALS):
        values = np.rint(centre + spread * latent)
        values = np.where(values < low, 2 * low - values, np.where(values > high, 2 * high - values, values))
        values = np.clip(values, low, high).astype(int)
        too_low, too_narrow = mean - values.mean(), sd - values.std()
        trials.append((max(abs(too_low), abs(too_narrow)), values))
        if trials[-1][0] <= NEAR * sd:
            break
        centre, spread = centre + too_low, max(spread + too_narrow, 0.0)
    return min(trials, key=lambda trial: trial[0])[1]


def _covariate(study: Study, table: str, spec: Mapping, arms: np.ndarray, health: np.ndarray) -> dict[str, np.ndarray]:
    """The column or columns of one covariate entry: name → values (n,)."""
    rho = study.number(spec["health"]) if "health" in spec else 0.0
    n = len(health)
    if spec["kind"] == "whole":
        column = study.tables[table]["columns"][spec["column"]]
        latent = rho * health + math.sqrt(1 - rho**2) * generator(study, spec["column"]).standard_normal(n)
        latent = (latent - latent.mean()) / latent.std()
        return {spec["column"]: _whole(latent, study.number(spec["mean"]), study.number(spec["sd"]), column["minimum"], column["maximum"])}
    if spec["kind"] == "tally":
        return {spec["column"]: _tally(study, table, spec, arms, rho, health)}
    shares = study.shares(spec["shares"])
    if spec["kind"] == "category":
        return {spec["column"]: _category(study, table, spec, arms, rho, health)}
    latents = {
        name: rho * health + math.sqrt(1 - rho**2) * generator(study, name).standard_normal(n) + special.ndtri(share)
        for name, share in ((name, shares[name]) for name in spec["columns"])
    }
    above = np.column_stack(list(latents.values()))
    flags = (above > 0).astype(int)
    none = flags.sum(axis=1) == 0
    flags[none, above[none].argmax(axis=1)] = 1
    return dict(zip(latents, flags.T, strict=True))


def seen(study: Study, arms: np.ndarray, wellness: np.ndarray, part: str = "scores") -> np.ndarray:
    """Who is seen at each visit, (n, visits) of True and False, with the exact counts of the study file.

    wellness: (n,) standardised baseline scores; less well people are lost more often. Most losses last.
    """
    spec = study.design[part]["losses"]
    slope, back = study.number(spec["health"]), study.number(spec["return"])
    months = study.design[part]["months"]
    there = np.ones((len(arms), len(months)), dtype=bool)
    for arm, counts in spec["seen"].items():
        members = np.flatnonzero(arms == arm)
        for visit, amount in enumerate(counts, 1):
            target = int(study.number(amount))
            if not 0 <= target <= len(members):
                where = SEPARATOR.join(("design", part, "losses", "seen", arm))
                raise StudyError(study.file, where, amount, f"{target} cannot be seen: there are {len(members)} people in this arm.")
            rng = generator(study, "losses", arm, str(months[visit]))
            liability = slope * wellness[members] + rng.gumbel(size=len(members))
            before = there[members, visit - 1]
            gone = int((~before).sum())
            returning = round(back * gone) if visit > 1 else 0
            returning = max(returning, target - int(before.sum()))
            newly = int(before.sum()) + returning - target
            now = before.copy()
            now[_top(np.where(before, -np.inf, -liability), returning)] = True
            now[_top(np.where(before, liability, -np.inf), newly)] = False
            there[members, visit] = now
    return there


def _top(values: np.ndarray, count: int) -> np.ndarray:
    return np.argsort(-values, kind="stable")[:count]
