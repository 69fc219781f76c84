"""Small-study effects: do smaller trials find larger effects, and what would be left without that?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from asprinted.models.pooled import Pooled, meta_regression, pool


@dataclass(frozen=True)
class Line:
    """A weighted straight line through effects: y = limit + slope · predictor.

    limit: the effect where the predictor is 0, that is, in a trial without end. se, limit_se: standard errors. t, p and limit_t, limit_p: their
    t statistics with df degrees of freedom, two-sided p values. lo, hi: 95% confidence limits of `limit`.
    """

    slope: float
    se: float
    t: float
    p: float
    limit: float
    limit_se: float
    limit_t: float
    limit_p: float
    lo: float
    hi: float
    df: int


class Corrected(NamedTuple):
    """PET and PEESE, and which of the two the conditional rule takes: its name, and its line."""

    pet: Line
    peese: Line
    name: str
    chosen: Line


class Filled(NamedTuple):
    """Trim and fill: the pooled effect with the filled trials, how many these are, on which side, and all y and v, the filled ones last."""

    pooled: Pooled
    filled: int
    side: str
    y: np.ndarray
    v: np.ndarray


def egger(y: ArrayLike, v: ArrayLike, predictor: ArrayLike | None = None) -> Line:
    """Egger's regression of effects on their standard errors, or on `predictor`; its slope's p value is the test; y, v, predictor: (k,).

    Weights 1/v, and a dispersion estimated from the residuals (Egger et al. 1997, BMJ 315:629, as a regression of y on the standard error:
    Sterne and Egger 2005, in Rothstein et al., Publication Bias in Meta-Analysis, chapter 6); metafor's regtest(model="lm"). With the predictor
    √(1/n1 + 1/n2), which does not hold the effect itself, the test of standardised mean differences keeps its level (Pustejovsky and Rodgers
    2019, Res Synth Methods 10:57). Raises ValueError below three trials, or where all have the same predictor.
    """
    y, v = _trials(y, v, least=3)
    return _line(y, v, np.sqrt(v) if predictor is None else np.asarray(predictor, dtype=float))


def pet_peese(y: ArrayLike, v: ArrayLike, alpha: float = 0.05) -> Corrected:
    """The effect of a trial without end: by the line in the standard error (PET), by that in the variance (PEESE), and by rule; y, v: (k,).

    Weights 1/v, dispersion from the residuals. The rule takes PEESE where PET's limit differs from 0 with a two-sided p below `alpha`, and PET
    otherwise (Stanley and Doucouliagos 2014, Res Synth Methods 5:60). Raises ValueError as `egger` does.
    """
    y, v = _trials(y, v, least=3)
    pet, peese = _line(y, v, np.sqrt(v)), _line(y, v, v)
    return Corrected(pet, peese, "PEESE", peese) if pet.limit_p < alpha else Corrected(pet, peese, "PET", pet)


def trim_and_fill(y: ArrayLike, v: ArrayLike, estimator: str = "DL", side: str | None = None, test: str = "wald-z") -> Filled:
    """The pooled effect after trials that the funnel plot lacks are filled in; y, v: (k,).

    Their number is L0 of Duval and Tweedie 2000 (Biometrics 56:455), found again until it stays, with the mean of `estimator`.
    side: where trials are missing, "left" or "right"; left out, the side from which the slope of `estimator`'s regression on the standard
    error points, left where it is not negative, as in metafor's trimfill. Raises ValueError as `pool` does, below two trials, or where the
    number does not settle.
    """
    y, v = _trials(y, v, least=2 if side else 3)
    if side is None:
        slope = meta_regression(y, v, np.column_stack([np.ones(len(y)), np.sqrt(v)]), estimator).beta[1] if np.ptp(v) > 0 else 0.0
        side = "right" if slope < 0 else "left"
    if side not in ("left", "right"):
        raise ValueError(f"the side {side!r} is unknown: give left or right")
    sign = -1 if side == "right" else 1
    order = np.argsort(sign * y, kind="stable")
    ordered, variance, k = sign * y[order], v[order], len(y)
    missing, tried = 0, set()
    while missing not in tried:
        tried.add(missing)
        kept = k - missing
        centre = pool(ordered[:kept], variance[:kept], estimator).est
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(ordered - centre), kind="stable")] = np.arange(1, k + 1)
        found = max(0, round((4 * ranks[ordered > centre].sum() - k * (k + 1)) / (2 * k - 1)))
        if found == missing:
            break
        missing = found
    else:
        raise ValueError(f"trim and fill goes in a circle at {missing} trials: give the other side, or leave it out")
    beyond = slice(k - missing, k)
    y, v = np.concatenate([y, sign * (2 * centre - ordered[beyond])]), np.concatenate([v, variance[beyond]])
    return Filled(pool(y, v, estimator, test), missing, side, y, v)


def _trials(y: ArrayLike, v: ArrayLike, least: int) -> tuple[np.ndarray, np.ndarray]:
    y, v = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
    if y.ndim != 1 or y.shape != v.shape:
        raise ValueError(f"effects have the shape {y.shape} and variances {v.shape}: give one of each for every trial of one set")
    if not np.isfinite(v).all():
        raise ValueError(f"a variance is {v[~np.isfinite(v)][0]:g}: leave out trials without one")
    if len(y) < least:
        raise ValueError(f"{len(y)} trials: a funnel plot needs at least {least}")
    return y, v


def _line(y: np.ndarray, v: np.ndarray, predictor: np.ndarray) -> Line:
    fit = meta_regression(y, v, np.column_stack([np.ones(len(y)), predictor]), "common", "knapp-hartung")  # the mean square is the dispersion
    limit, slope = (float(each) for each in fit.beta)
    limit_se, se = (float(each) for each in np.sqrt(np.diag(fit.cov)))
    df, t, limit_t = int(fit.df), slope / se, limit / limit_se
    reach = float(special.stdtrit(df, 0.975)) * limit_se
    p, limit_p = (float(2 * special.stdtr(df, -abs(each))) for each in (t, limit_t))
    return Line(slope, se, t, p, limit, limit_se, limit_t, limit_p, limit - reach, limit + reach, df)
