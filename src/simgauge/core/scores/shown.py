"""What lists show apart from being right: how much of the catalogue, how surprising, how evenly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Vector
from simgauge.errors import InputError


class Shown(NamedTuple):
    """Properties of a set of lists; each depends on how many lists there are and how long they are."""

    coverage: float
    """Share of all items that occur in some list."""
    gini: float
    """Inequality of how often each item is listed, items that never are included: 0 where all are listed equally
    often, near 1 where a few take all places."""
    novelty: float | None
    """Mean self-information of the listed items in bits; None without popularity."""
    n_lists: int


def shown_items(lists: NDArray[np.int64], n_items: int, shares: Vector | None = None) -> Shown:
    """Coverage, Gini coefficient and novelty of lists.

    With c_i the number of lists that hold item i, sorted from the smallest, and p_i the share of users who used it:
    coverage |{i: c_i > 0}| / n; Gini Σ (2 i − n − 1) c_(i) / (n Σ c); novelty Σ c_i (−log₂ p_i) / Σ c_i.

    Parameters
    ----------
    lists : ndarray, shape (n_lists, k)
        Row numbers of items; -1 pads.
    n_items : int
        Size of the catalogue.
    shares : ndarray, shape (n_items,), optional
        Share of the users who used each item, in (0, 1].

    Raises
    ------
    InputError
        No item is listed, or shares outside of (0, 1].

    References
    ----------
    Zhou et al. (2010), Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS 107: mean
    self-information. Castells, Hurley, Vargas (2015), Recommender Systems Handbook, chapter 26: coverage and Gini.

    Examples
    --------
    >>> shown_items(np.array([[0, 1], [0, 2]]), 4, np.array([0.5, 0.25, 0.25, 0.25]))
    Shown(coverage=0.75, gini=0.375, novelty=1.5, n_lists=2)
    """
    counts = np.bincount(lists[lists >= 0].ravel(), minlength=n_items).astype(np.float64)
    total = counts.sum()
    if total == 0:
        raise InputError("the lists hold no items.")
    ranks = np.arange(1, n_items + 1)
    gini = float((2 * ranks - n_items - 1) @ np.sort(counts) / (n_items * total))
    novelty = None
    if shares is not None:
        if shares.shape != (n_items,) or not ((shares > 0) & (shares <= 1)).all():
            raise InputError(f"shares: expected {n_items} numbers above 0 and up to 1, one per item.")
        novelty = float(counts @ -np.log2(shares) / total)
    return Shown(float(np.count_nonzero(counts)) / n_items, gini, novelty, len(lists))


def user_shares(item_counts: NDArray[np.int64], n_users: int) -> Vector:
    """Share of the users who used each item; an item that nobody used counts as used by one.

    Examples
    --------
    >>> user_shares(np.array([0, 1, 4]), 4)
    array([0.25, 0.25, 1.  ])
    """
    return np.asarray(np.clip(item_counts, 1, None) / max(n_users, int(item_counts.max(initial=1))))
