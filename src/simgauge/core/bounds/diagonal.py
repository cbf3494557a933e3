"""Exact range of a cosine under diagonal metrics d in [1, κ]^k: a sort of the axes and a few linear sweeps a pair.

With a = x², c = y², m = xy the cosine is f(d) = Σdm / √(Σda · Σdc). It is quasi-convex in d where Σdm > 0, so its
maximum lies at a corner of the box and its minimum is a convex problem. Both are solved by Dinkelbach's iteration on
the value f:

* For a trial f, Σdm − f·√(Σda·Σdc) is optimised over d exactly. Writing √(AC) = min over s of (sA + C/s)/2, axis i is
  decided by the sign of 2m_i − f·(s·a_i + c_i/s), that is by whether its ratio r_i = y_i/x_i lies in the window
  [s·e^−τ, s·e^τ] with cosh τ = 1/f. As s runs over (0, ∞) the window slides over the sorted ratios and meets at most
  2k + 1 different sets of axes.
* The maximum takes the best of these sets (d = κ inside, 1 outside).
* For the minimum (d = 1 inside, κ outside) the optimal s is where a concave function of log s peaks. It peaks between
  two events, or exactly at one; then the axis of that event has an entry between 1 and κ, in closed form.
* The optimum found gives the next f. Each step improves on the last, superlinearly, and none improves only where the
  inner problem, which is solved exactly, says that no d does better: at the global optimum.

So the k² circular runs of axes among which the maximum lies need not be enumerated.
"""

from __future__ import annotations

import numpy as np

from simgauge.core.bounds.diagonal_maximum import largest_weights
from simgauge.core.bounds.diagonal_minimum import smallest_weights
from simgauge.core.bounds.sorted_axes import Floats, weighted_cosine

LARGEST_CONDITION_NUMBER = 1e100
"""Larger ones are treated as this one: the product of two sums must not underflow."""


def diagonal_bounds(x: Floats, y: Floats, condition_number: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Lowest and highest cosine of unit rows over d in [1, κ]^k, and a d that attains each.

    Parameters
    ----------
    x, y : ndarray, shape (n_pairs, k)
        Rows of norm one.
    condition_number : float
        κ, finite, >= 1.

    Returns
    -------
    low, high : ndarray, shape (n_pairs,)
    low_weights, high_weights : ndarray, shape (n_pairs, k)
        In [1, κ]. The bounds are the cosines at these weights, so they are attained by construction.
    """
    kappa = min(condition_number, LARGEST_CONDITION_NUMBER)
    high, high_weights = _highest(x, y, kappa)
    low, low_weights = _highest(x, -y, kappa)
    return -low, high, low_weights, high_weights


def unbounded_diagonal(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Infimum and supremum of the cosine over all positive diagonal metrics; in general approached, not attained."""
    return -_supremum(x, -y), _supremum(x, y)


def _supremum(x: Floats, y: Floats) -> Floats:
    some_positive = (np.sign(x) * np.sign(y) > 0).any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(np.abs(y)) - np.log(np.abs(x))
    absent = (x == 0) & (y == 0)
    spread = np.where(absent, -np.inf, ratio).max(axis=1) - np.where(absent, np.inf, ratio).min(axis=1)
    # Cassels: 2√(r_min r_max)/(r_min + r_max) = 1/cosh(half the spread of log r); an entry facing a zero gives 0
    cassels = 2 * np.exp(-spread / 2) / (1 + np.exp(-spread))
    return np.where(some_positive, 1.0, 0.0 - cassels)


def _highest(x: Floats, y: Floats, kappa: float) -> tuple[Floats, Floats]:
    product = x * y
    reach = np.where(product > 0, product, product / kappa).sum(axis=1)
    value = np.empty(len(x))
    weights = np.empty_like(x)
    for rows, solve, sign in ((reach > 0, largest_weights, 1.0), (reach <= 0, smallest_weights, -1.0)):
        if rows.any():
            found = solve(x[rows], sign * y[rows], 1.0 / kappa)
            weights[rows] = np.clip(found * kappa, 1.0, kappa)
            value[rows] = sign * weighted_cosine(x[rows], sign * y[rows], found)
    return value, weights
