"""Tests without a model's coefficient: rank sums, chi-squared and Fisher's test of a table, and correlations."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special, stats


@dataclass(frozen=True)
class Tested:
    """A two-sided p value, and what a test gives beside it; nan where it gives no such number.

    chi2: a statistic that has the chi-squared distribution with df degrees of freedom where nothing differs. est, lo, hi: a
    correlation with its interval. residual_df: degrees of freedom of F's denominator, for a test of a model's contrasts.
    """

    p: float
    chi2: float = math.nan
    df: float = math.nan
    est: float = math.nan
    lo: float = math.nan
    hi: float = math.nan
    residual_df: float = math.nan

    @property
    def f(self) -> float:
        """The chi-squared statistic for each of its degrees of freedom."""
        return self.chi2 / self.df

    @property
    def joint_p(self) -> float:
        """The p value, under the name that a test of several contrasts has."""
        return self.p


def upper_tail(chi2: float, df: float) -> float:
    """The chance of a chi-squared statistic as large as this or larger."""
    return float(special.chdtrc(df, chi2))


def rank_sum(y: np.ndarray, groups: np.ndarray, test: str | None = None) -> Tested:
    """The test of Mann and Whitney, or of Kruskal and Wallis, with chi2 the latter's H; ties have mean ranks and are corrected for.

    y: (n,); groups: (n,) codes 0 … G−1. test: "mann-whitney", of two groups and the rule there: the normal approximation with
    a continuity correction of one half (scipy's mannwhitneyu(method="asymptotic"), R's wilcox.test(exact = FALSE)); both give
    an exact p value unasked where samples are small and untied (scipy up to 8 people in a group, R below 50), and SPSS has no
    continuity correction. "kruskal-wallis", the rule of three groups or more: chi-squared, no continuity correction (scipy's
    kruskal, R's kruskal.test), which for two groups is Mann and Whitney's test without that correction. Raises ValueError
    where there are fewer than two groups, all values are alike, or Mann and Whitney's test is asked of more than two.
    """
    sizes = np.bincount(groups)
    test = test or ("mann-whitney" if len(sizes) == 2 else "kruskal-wallis")
    if len(sizes) < 2 or (len(sizes) > 2 and test == "mann-whitney"):
        raise ValueError(f"there are {len(sizes)} groups: give {'two' if test == 'mann-whitney' else 'two or more'} to the test {test!r}")
    n = len(y)
    ranks = stats.rankdata(y)
    tied = np.bincount((2 * ranks).astype(int)).astype(float)  # twice a mean rank is whole
    untied = 1 - float(np.sum(tied**3 - tied)) / (n**3 - n)
    if untied <= 0:
        raise ValueError("all values are alike: there is nothing to rank")
    sums = np.bincount(groups, weights=ranks)
    h = (12 / (n * (n + 1)) * float(np.sum(sums**2 / sizes)) - 3 * (n + 1)) / untied
    if test == "kruskal-wallis":
        return Tested(upper_tail(h, len(sizes) - 1), h, len(sizes) - 1)
    away = abs(sums[0] - sizes[0] * (n + 1) / 2)
    z = max(away - 0.5, 0.0) / math.sqrt(sizes[0] * sizes[1] * (n + 1) / 12 * untied)
    return Tested(float(2 * special.ndtr(-z)), h, 1)


def chi_squared(y: np.ndarray, groups: np.ndarray, test: str = "pearson") -> Tested:
    """A test of the table of `y`'s values by groups, (n,) codes 0 … G−1.

    test: "pearson", without a correction (scipy's chi2_contingency(correction=False), R's chisq.test(correct = FALSE)); of two
    values and two groups also "yates", every difference from what is expected less one half, or 0 (the rule of both unless told
    otherwise), and "fisher", the exact test that adds up the tables which are no likelier (scipy's fisher_exact and R's
    fisher.test), without chi2. Raises ValueError where values or groups are all alike, or too many for the test.
    """
    values, place = np.unique(y, return_inverse=True)
    counts = np.bincount(place * (groups.max() + 1) + groups, minlength=len(values) * (groups.max() + 1)).reshape(len(values), -1).astype(float)
    if min(counts.shape) < 2:
        raise ValueError(f"the table has {counts.shape[0]} values and {counts.shape[1]} groups: two of each are needed")
    if test != "pearson" and counts.shape != (2, 2):
        raise ValueError(f"the table has {counts.shape[0]} values and {counts.shape[1]} groups: the test {test!r} is of two and two, use pearson")
    if test == "fisher":
        return Tested(_fisher(counts))
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    away = np.abs(counts - expected)
    if test == "yates":
        away = np.maximum(away - 0.5, 0.0)
    chi2, df = float(np.sum(away**2 / expected)), (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return Tested(upper_tail(chi2, df), chi2, df)


def correlation(a: np.ndarray, b: np.ndarray, test: str = "pearson", level: float = 0.95) -> Tested:
    """Pearson's or Spearman's correlation of two columns (n,), with its interval and p value; ties have mean ranks.

    The p value is Student's t with n − 2 degrees of freedom (scipy's pearsonr and spearmanr; R's cor.test for Pearson's, and for
    Spearman's with exact = FALSE). The interval is tanh(artanh r ± z/√(n − 3)) (Fisher 1921; scipy's pearsonr and R's cor.test),
    for Spearman's correlation as well, for which neither has one. Raises ValueError for fewer than four rows, or values that are
    all alike.
    """
    if len(a) < 4:
        raise ValueError(f"there are {len(a)} rows with both values: a correlation's interval needs four")
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError("the values of a column are all alike: there is nothing to correlate")
    if test == "spearman":
        a, b = stats.rankdata(a), stats.rankdata(b)
    a, b = a - a.mean(), b - b.mean()
    r = min(1.0, max(-1.0, float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))))
    df = len(a) - 2
    away = abs(r) * math.sqrt(df / (1 - r * r)) if abs(r) < 1 else math.inf
    half = float(special.ndtri(0.5 + level / 2)) / math.sqrt(len(a) - 3)
    lo, hi = (math.tanh(math.atanh(r) + side * half) if abs(r) < 1 else r for side in (-1, 1))
    return Tested(float(2 * special.stdtr(df, -away)), est=r, lo=lo, hi=hi, residual_df=df)


def _fisher(counts: np.ndarray) -> float:
    """The share of all tables with these margins, (2, 2), that are no likelier than this one."""
    row, other, column = counts[0].sum(), counts[1].sum(), counts[:, 0].sum()
    cell = np.arange(max(0.0, column - other), min(row, column) + 1)
    log_ways = -special.gammaln(np.stack([cell, row - cell, column - cell, other - column + cell]) + 1).sum(axis=0)
    ways = np.exp(log_ways - log_ways.max())
    observed = ways[int(counts[0, 0] - cell[0])]
    return float(ways[ways <= observed * (1 + 1e-7)].sum() / ways.sum())
