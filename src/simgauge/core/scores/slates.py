"""Areas under the ROC curve within groups: what was taken against what was shown beside it and left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Vector
from simgauge.errors import InputError


def grouped_auc(scores: Vector, positive: NDArray[np.bool_], groups: NDArray[np.int64], n_groups: int) -> Vector:
    """Chance that a positive of a group outscores a negative of the same group; ties count one half.

    With R the sum of the midranks of the n₊ positives within their group: (R − n₊ (n₊ + 1) / 2) / (n₊ n₋).

    Parameters
    ----------
    scores : ndarray, shape (n,)
    positive : ndarray of bool, shape (n,)
    groups : ndarray of int, shape (n,)
        From 0 to n_groups - 1; every group has a positive and a negative.

    Raises
    ------
    InputError
        A group of one kind only.

    References
    ----------
    Mann, Whitney (1947), Annals of Mathematical Statistics 18.

    Examples
    --------
    >>> grouped_auc(np.array([3.0, 1.0, 2.0, 2.0]), np.array([True, False, True, False]), np.array([0, 0, 1, 1]), 2)
    array([1. , 0.5])
    """
    order = np.lexsort((scores, groups))
    group, score = groups[order], scores[order]
    new = np.concatenate(([True], (group[1:] != group[:-1]) | (score[1:] != score[:-1])))[: len(group)]
    starts = np.flatnonzero(new)
    sizes = np.diff(starts, append=len(group))
    first = np.searchsorted(group, np.arange(n_groups))
    middle = np.repeat(starts + (sizes + 1) / 2, sizes) - first[group]
    n_all = np.bincount(groups, minlength=n_groups)
    n_positive = np.bincount(groups, weights=positive, minlength=n_groups)
    if (n_positive == 0).any() or (n_positive == n_all).any():
        raise InputError("every group needs a positive and a negative.")
    ranks = np.bincount(group, weights=middle * positive[order], minlength=n_groups)
    return np.asarray((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * (n_all - n_positive)))
