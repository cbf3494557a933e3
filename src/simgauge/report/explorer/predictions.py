"""A few users of nobody's name, with the items that the model predicts for them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import Table
from simgauge.core.tables.tables import sample_nonzero_rows, take_rows
from simgauge.report.explorer.encoding import floats
from simgauge.report.explorer.searched import Searched

USERS, ITEMS_EACH = 4, 2
"""Users whose predictions are shown, and the best items of each."""

Indices = NDArray[np.int64]


class Shown(NamedTuple):
    """A sample of predictions."""

    users: NDArray[np.float64]
    """Vectors as shipped, (n, k)."""
    places: Indices
    """Items, as places among the searched: the best few of each user."""


def sample_predictions(users: Table, searched: Searched, shipped: Any, rng: np.random.Generator) -> Shown | None:
    """Users drawn at random and their best items; None where no user has a direction.

    Parameters
    ----------
    shipped : ndarray, shape (n, k)
        The searched items as shipped.
    """
    rows = sample_nonzero_rows(users, USERS, rng)
    if not len(rows):
        return None
    vectors = np.asarray(to_host(take_rows(users, rows)), dtype=np.float64)
    each = min(ITEMS_EACH, len(searched.rows))
    best = top_k(shipped, each, "dot", vectors)[0]
    return Shown(vectors, np.unique(best))


def predictions_data(shown: Shown, searched: Searched, positions: Indices) -> dict[str, Any]:
    """What a page needs to make these predictions again in every gauge: users without ids, and where the items are."""
    forms = searched.forms
    return {
        "n_users": len(shown.users),
        "items": positions.tolist(),
        "shipped": floats(shown.users),
        "by_center": {center: floats(shown.users @ form.user_matrix) for center, form in forms.by_center.items()},
    }
