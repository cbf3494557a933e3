"""Units that are pairs of things which recur: pairs that share one are not independent of each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.tables.kinds import Matrix


def node_draws(influence: Matrix, nodes: NDArray[np.int64], rng: np.random.Generator, n_resamples: int) -> Matrix:
    """Deviations of means over pairs that other things, and with them other pairs, would have caused.

    Parameters
    ----------
    influence : ndarray, shape (n_pairs, n_columns)
        What each pair adds to an estimate, of mean 0; the estimate moves by its mean.
    nodes : ndarray of int, shape (n_pairs, 2)
        The two things of each pair.
    rng : Generator
    n_resamples : int

    Returns
    -------
    ndarray, shape (n_resamples, n_columns)
        Normal, of mean 0. Every thing moves all of its pairs together, and the same for all columns.

    Notes
    -----
    The variance is that of all products of two pairs that share a thing: Σ over things of (sum of their pairs)² less
    Σ over pairs of squares, which the first sum holds twice, n² times smaller for the mean. It is never less than that
    of independent pairs, which it is where no thing recurs.

    References
    ----------
    Aronow, Samii, Assenova (2015), Cluster-robust variance estimation for dyadic data, Political Analysis 23, eq. 6.

    Examples
    --------
    >>> pairs, apart = np.array([[1.0], [-1.0]]), np.array([[0, 1], [2, 3]])
    >>> round(float(node_draws(pairs, apart, np.random.default_rng(0), 20_000).std()), 1)  # 1 / √2
    0.7
    """
    n_pairs = len(influence)
    things, place = np.unique(nodes, return_inverse=True)
    place = place.reshape(nodes.shape)
    own = place[:, 0] == place[:, 1]
    rows = np.concatenate([place[:, 0], place[~own, 1]])
    columns = np.concatenate([np.arange(n_pairs), np.flatnonzero(~own)])
    incidence = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(things), n_pairs))
    sums = np.asarray(incidence @ influence) / n_pairs
    twice = np.square(influence[~own]).sum(axis=0) / n_pairs**2
    alone = np.square(influence).sum(axis=0) / n_pairs**2
    raw = np.square(sums).sum(axis=0)
    share = np.divide(np.maximum(raw - twice, alone), raw, out=np.ones_like(raw), where=raw > 0)
    return np.asarray(rng.standard_normal((n_resamples, len(things))) @ (sums * np.sqrt(share)))
