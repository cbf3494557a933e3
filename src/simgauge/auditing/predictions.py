"""Whether two models predict the same: the scores of shared users for shared items, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.geometry.precision import precision_of
from simgauge.core.tables.algebra import rank_tolerance
from simgauge.core.tables.arrays import numpy_dtype, to_host
from simgauge.core.tables.kinds import Matrix, Table
from simgauge.core.tables.tables import take_rows

MAX_USERS, MAX_ITEMS = 1_000, 2_000
"""Largest block of scores that is compared."""

TAIL = 4.0
"""Errors of entries are uniform within half a step, so 4 of these roots of summed squares are 7 standard deviations of
a score: beyond what a million scores reach."""

TELLING = 0.25
"""Share of the scores up to which rounding may explain their differences and agreement still say something."""

KINDS = {
    "same": "the predictions are the same",
    "scale": "the predictions are the same up to one factor",
    "constants": "the predictions are the same up to a constant for each user, so every user's ranking is the same",
    "scale and constants": "the predictions are the same up to one factor and a constant for each user",
    "different": "the predictions differ",
}


@dataclass(frozen=True)
class PredictionAgreement:
    """How the scores ``users @ items.T`` of two models agree."""

    kind: str
    """A key of `KINDS`: the first that holds."""
    rounded: bool
    """Whether it only holds up to the rounding of a precision coarser than the dtypes."""
    difference: float
    """Largest difference of a score, relative to the largest score of the first model."""
    n_users: int
    n_items: int
    """Users and items whose scores were compared."""
    users_span: int
    """Directions that the compared users of the first model span."""

    @property
    def same_model(self) -> bool:
        """Whether a gauge, a factor or a shift explains all there is."""
        return self.kind != "different"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        names = ("kind", "rounded", "difference", "n_users", "n_items", "users_span")
        return {name: getattr(self, name) for name in names}


def predictions_agree(
    users: tuple[Table, Table],
    items: tuple[Table, Table],
    user_rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    item_rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    rng: np.random.Generator,
) -> PredictionAgreement:
    """Compare the scores of shared users for shared items.

    Parameters
    ----------
    users, items : pairs of tables
        Of both models.
    user_rows, item_rows : pairs of int arrays
        Rows that describe the same user, the same item.
    rng : Generator
        Draws 1,000 users and 2,000 items where there are more.

    Numerics
    --------
    Two scores are equal if they differ by at most ``4 √k ε (|p| |q| + |p'| |q'|)``, ε of the coarser dtype; "rounded"
    adds half a step of every entry, as `core.geometry.precision.precision_of` finds it.

    Examples
    --------
    >>> rng, rows = np.random.default_rng(0), np.arange(20)
    >>> P, Q, G = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), rng.normal(size=(3, 3))
    >>> predictions_agree((P, P @ np.linalg.inv(G).T), (Q, Q @ G), (rows, rows), (rows, rows), rng).kind
    'same'
    >>> predictions_agree((P, P), (Q, Q + 1), (rows, rows), (rows, rows), rng).kind
    'constants'
    """
    asked = [_some(len(rows[0]), most, rng) for rows, most in ((user_rows, MAX_USERS), (item_rows, MAX_ITEMS))]
    P, Q = ([to_host(take_rows(table, rows[picked])) for table, rows in zip(tables, both, strict=True)]
            for tables, both, picked in ((users, user_rows, asked[0]), (items, item_rows, asked[1])))  # fmt: skip
    eps = max(float(np.finfo(numpy_dtype(table)).eps) for table in (*P, *Q))
    P, Q = [table.astype(np.float64) for table in P], [table.astype(np.float64) for table in Q]
    first, second = P[0] @ Q[0].T, P[1] @ Q[1].T
    sizes = [np.outer(np.linalg.norm(p, axis=1), np.linalg.norm(q, axis=1)) for p, q in zip(P, Q, strict=True)]
    exact = [rank_tolerance(table.shape[1], eps) * size for table, size in zip(P, sizes, strict=True)]
    coarse = [bound + _rounding(p, q) for bound, p, q in zip(exact, P, Q, strict=True)]
    peak = float(np.abs(first).max()) or 1.0
    kind, rounded = _kind(first, second, exact, coarse)
    n_users, n_items = first.shape
    difference = float(np.abs(first - second).max()) / peak
    return PredictionAgreement(kind, rounded, difference, n_users, n_items, int(np.linalg.matrix_rank(P[0])))


def _kind(first: Matrix, second: Matrix, exact: list[Matrix], coarse: list[Matrix]) -> tuple[str, bool]:
    centred = [scores - scores.mean(axis=1, keepdims=True) for scores in (first, second)]
    for rounded, bounds in ((False, exact), (True, coarse)):
        for kind in KINDS:
            if kind == "different":
                break
            a, b = centred if "constants" in kind else (first, second)
            size = float(np.vdot(a, a))
            if "constants" in kind and not size > float((bounds[0] ** 2).sum()):
                continue  # nothing but a constant for each user
            c = float(np.vdot(a, b)) / size if "scale" in kind and size > 0 else 1.0
            allowed = abs(c) * bounds[0] + bounds[1]
            allowed = allowed + allowed.mean(axis=1, keepdims=True) if "constants" in kind else allowed
            if c > 0 and (np.abs(c * a - b) <= allowed).all() and _tells(allowed, b):
                return kind, rounded
    return "different", False


def _tells(allowed: Matrix, scores: Matrix) -> bool:
    """Whether rounding is well below the scores, so that agreement says something."""
    return float(np.sqrt((allowed**2).mean())) <= TELLING * float(np.sqrt((scores**2).mean()))


def _rounding(users: Matrix, items: Matrix) -> Matrix:
    """What the precision of the entries leaves open of every score: errors of entries, taken as independent."""
    noise = [precision_of(table).noise(table) for table in (users, items)]
    return np.asarray(TAIL * np.sqrt(noise[0] ** 2 @ (items**2).T + users**2 @ (noise[1] ** 2).T))


def _some(count: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.arange(count) if count <= most else np.sort(rng.choice(count, most, replace=False))
