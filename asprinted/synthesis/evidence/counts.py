"""How many studies of which cell, and how many people in them: whole numbers that meet every count and every sum.

New studies are alike until they are placed, so that what a count or a sum can see of them is the number of studies in each class of
cells and the people in it: those are sought, by mixed-integer linear programming (HiGHS: Huangfu and Hall 2018, Math Program Comput
10:119), and not a place for every study. Studies that are taken as they are have their sizes, and a place each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse

NODES = 20_000  # of the search tree: more than a problem of this size has needed
GAP = 1 / 40  # how far from the best, as a share, a solution may be that is near enough to the draw
USUAL = 0.25  # what a usual study of people too many counts, against a study too many
VARIED = 0.3  # by how much the costs of one cell may differ from another's, so that ties are broken by chance


@dataclass(frozen=True)
class Wanted:
    """A number of studies, or of people in them, that must lie between two whole numbers.

    new (c,): whether a new study in this cell is counted. old (t, c): whether a taken one is, were it in this cell. says: what a message calls it.
    """

    says: str
    people: bool
    low: float
    high: float
    new: np.ndarray
    old: np.ndarray


@dataclass(frozen=True)
class Pool:
    """What is known before: the number of new studies; usual (c,): how usual a cell is; least, most and usual size of a new study; the
    sizes (t,) of those taken, and usual_old (t, c): how usual a cell is for each, 0 where it cannot be."""

    number: int
    usual: np.ndarray
    least: int
    most: int
    size: float
    sizes: np.ndarray
    usual_old: np.ndarray


@dataclass(frozen=True)
class Placed:
    """The cell of each new study (number,), classes rising; of each, the class (number,) and the people of a class by class; the cell of each taken one (t,)."""

    cells: np.ndarray
    classes: np.ndarray
    people: np.ndarray
    old: np.ndarray


class Conflict(ValueError):
    """No whole numbers meet what is wanted. names: of a smallest set that cannot stand together."""

    def __init__(self, names: Sequence[str]):
        self.names = list(names)
        super().__init__(f"no whole numbers meet these together: {', '.join(self.names)}" if self.names else "no whole numbers meet the number and the sizes of studies alone")


def placed(pool: Pool, wanted: Sequence[Wanted], rng: np.random.Generator) -> Placed:
    """Cells and people that meet everything wanted, near to what is drawn at random by how usual each cell is.

    The same generator gives the same. Raises Conflict where there are none, proved, with a smallest set that cannot be met; ValueError
    where the search was given up.
    """
    problem = _Problem(pool, wanted)
    drawn = rng.multinomial(pool.number, pool.usual / pool.usual.sum()) if pool.number else np.zeros(len(pool.usual), dtype=int)
    aims = np.bincount(problem.class_of, drawn, problem.classes)
    sizes = pool.size * np.exp(rng.normal(0, 0.3, problem.classes) / np.sqrt(np.maximum(aims, 1)))
    liking = np.where(pool.usual_old > 0, np.log(np.maximum(pool.usual_old, 1e-300)) + rng.gumbel(size=pool.usual_old.shape), -np.inf)
    costs = 1 + VARIED * rng.random(problem.classes)
    solution = problem.solved(range(len(wanted)), aims, np.clip(sizes, pool.least, pool.most), liking, costs)
    if solution is None:
        raise Conflict([wanted[place].says for place in problem.conflict()])
    counts, people, choice = solution
    cells = []
    for number, count in enumerate(counts):
        members = np.flatnonzero(problem.class_of == number)
        weights = pool.usual[members] + 1e-12
        cells.append(np.sort(rng.choice(members, count, p=weights / weights.sum())))
    return Placed(np.concatenate(cells).astype(int), np.repeat(np.arange(problem.classes), counts), people, choice)


class _Problem:
    """The programme: for each class of cells the studies m and the people s, for each taken study and each choice that it has, 1 or 0."""

    def __init__(self, pool: Pool, wanted: Sequence[Wanted]):
        self.pool, self.wanted = pool, wanted
        alike = np.stack([each.new for each in wanted], axis=1) if wanted else np.zeros((len(pool.usual), 0), dtype=bool)
        self.signature, self.class_of = np.unique(alike, axis=0, return_inverse=True)
        self.class_of = self.class_of.ravel()
        self.classes = len(self.signature)
        self.study, self.cell = np.nonzero(pool.usual_old > 0)  # of each choice of a taken one
        self.width = 4 * self.classes + len(self.study)  # m, s, how far each is from its aim, the choices

    def solved(self, used: Sequence[int], aims: np.ndarray, sizes: np.ndarray, liking: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Studies (classes,), people (classes,) and the cells of taken studies (t,) that meet those used; None where none do."""
        c = self.classes
        far = sparse.vstack([self._off(0, 2, aims, sign, None) for sign in (1, -1)] + [self._off(1, 3, None, sign, sizes) for sign in (1, -1)])
        bounds = np.concatenate([aims, -aims, np.zeros(2 * c)])
        cost = np.zeros(self.width)
        cost[2 * c : 3 * c], cost[3 * c : 4 * c] = costs, USUAL * costs / sizes
        if len(self.study):
            cost[4 * c :] = (liking.max(axis=1)[self.study] - liking[self.study, self.cell]) / 4
        return self._answer(cost, [self._basic(), self._used(used), optimize.LinearConstraint(far, -np.inf, bounds)])

    def conflict(self) -> list[int]:
        """The positions of a smallest set of what is wanted that cannot be met: each is left out, the last first, and stays out where the rest still cannot."""
        left = list(range(len(self.wanted)))
        for place in reversed(range(len(self.wanted))):
            rest = [each for each in left if each != place]
            if self._answer(np.zeros(self.width), [self._basic(), self._used(rest)]) is None:
                left = rest
        return left

    def _off(self, part: int, distance: int, aims: np.ndarray | None, sign: int, sizes: np.ndarray | None) -> sparse.csr_array:
        """Rows that hold a class's distance above ±(m − aim), or ±(s − size·m)."""
        c, rows = self.classes, sparse.lil_array((self.classes, self.width))
        at = np.arange(c)
        rows[at, part * c + at] = sign
        if sizes is not None:
            rows[at, at] = -sign * sizes
        rows[at, distance * c + at] = -1
        return rows.tocsr()

    def _basic(self) -> optimize.LinearConstraint:
        """As many new studies as there are, people between the smallest and the largest of each, and one choice for each that is taken."""
        c, pool = self.classes, self.pool
        rows = sparse.lil_array((1 + 2 * c + len(pool.sizes), self.width))
        at = np.arange(c)
        rows[0, :c] = 1
        rows[1 + at, at], rows[1 + at, c + at] = -pool.least, 1
        rows[1 + c + at, at], rows[1 + c + at, c + at] = pool.most, -1
        rows[1 + 2 * c + self.study, 4 * c + np.arange(len(self.study))] = 1
        low = np.concatenate([[pool.number], np.zeros(2 * c), np.ones(len(pool.sizes))])
        high = np.concatenate([[pool.number], np.full(2 * c, np.inf), np.ones(len(pool.sizes))])
        return optimize.LinearConstraint(rows.tocsr(), low, high)

    def _used(self, used: Sequence[int]) -> optimize.LinearConstraint:
        c, rows = self.classes, np.zeros((len(used), self.width))
        for row, place in enumerate(used):
            each = self.wanted[place]
            rows[row, c * each.people : c * each.people + c] = self.signature[:, place]
            rows[row, 4 * c :] = each.old[self.study, self.cell] * (self.pool.sizes[self.study] if each.people else 1)
        return optimize.LinearConstraint(rows, [self.wanted[place].low for place in used], [self.wanted[place].high for place in used])

    def _answer(self, cost: np.ndarray, constraints: list[optimize.LinearConstraint]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Studies, people and cells of taken studies at least cost; None where there are none. Raises ValueError where neither was decided."""
        c, choices = self.classes, len(self.study)
        whole = np.concatenate([np.ones(2 * c), np.zeros(2 * c), np.ones(choices)])
        upper = np.concatenate([np.full(c, self.pool.number), np.full(3 * c, np.inf), np.ones(choices)])
        found = optimize.milp(
            cost, integrality=whole, bounds=optimize.Bounds(0, upper), constraints=[each for each in constraints if each.A.shape[0]],
            options={"node_limit": NODES, "mip_rel_gap": GAP},
        )  # fmt: skip
        if found.x is None:
            if found.status == 2:
                return None
            raise ValueError(f"the search for whole numbers was given up after {NODES} nodes ({found.message}): leave counts more room")
        chosen = np.rint(found.x).astype(np.int64)
        cells = np.full(len(self.pool.sizes), -1)
        at = np.flatnonzero(chosen[4 * c :])
        cells[self.study[at]] = self.cell[at]
        return chosen[:c], chosen[c : 2 * c], cells
