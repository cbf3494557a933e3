"""Luck that all units share: a draw that no resampling of units can see."""

from __future__ import annotations

import numpy as np

from simgauge.core.tables.kinds import Cube, Matrix


def luck_of_draw(halves: Cube, rng: np.random.Generator, n_resamples: int) -> Matrix:
    """Deviations that other draws would have caused.

    Parameters
    ----------
    halves : ndarray, shape (2, n_drawn, n_columns)
        What each thing drawn moves each estimate by, in two random halves of the units; their sum is all of it, and its
        mean over draws 0.
    rng : Generator
    n_resamples : int

    Returns
    -------
    ndarray, shape (n_resamples, n_columns)
        Normal, of mean 0. The same draw for every column, which is what pairs them.

    Notes
    -----
    What something drawn contributes is known from few units, so its square holds their noise, which resampling of the
    units shows already. The halves have independent noise: four times the sum of their products has the variance of the
    draw alone as its mean. It is cut at 0 from below and at the sum of squares from above.

    References
    ----------
    Cameron, Gelbach, Miller (2011), Robust inference with multiway clustering, JBES 29: the same subtraction of what
    both ways see, there by the squares of the cells.

    Examples
    --------
    >>> halves = np.array([[[0.5], [-0.5]], [[0.5], [-0.5]]])
    >>> round(float(luck_of_draw(halves, np.random.default_rng(0), 20_000).std()), 1)
    1.4
    """
    both = halves.sum(axis=0)
    squares = np.square(both).sum(axis=0)
    products = 4 * (halves[0] * halves[1]).sum(axis=0)
    share = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0).clip(0.0, 1.0)
    return np.asarray(rng.standard_normal((n_resamples, len(both))) @ (both * np.sqrt(share)))
