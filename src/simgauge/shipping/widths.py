"""A new model that is wider than the old one: refused, or the old index widened, or the new model truncated."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.reduction import principal_rotation
from simgauge.embedding import Embedding
from simgauge.remedies.affine_map import AffineMap
from simgauge.shipping.agreement import on_host

Wider = Literal["refuse", "widen", "truncate"]


class Placed(NamedTuple):
    """A model in the gauge that is compared, and the map that leads there from its own vectors."""

    model: Embedding
    map_: AffineMap


def of_one_width(old: Placed, new: Placed, wider: Wider) -> tuple[Placed, Placed]:
    """Both models, the new one not wider than the old one where `wider` says how; as they are otherwise.

    "widen" fills both tables of the old model up with columns of zeros, which changes no dot product. "truncate" keeps
    the principal axes of the new model's items, which changes predictions: fewer columns cannot hold them.
    """
    n_old, n_new = old.model.n_components, new.model.n_components
    if n_new <= n_old or wider == "refuse":
        return old, new
    if wider == "widen":
        return _through(old, np.eye(n_old, n_new), f"filled up to {n_new} columns"), new
    axes = principal_rotation(on_host(new.model.items))[:, :n_old]
    return old, _through(new, axes, f"truncated to {n_old} columns")


def _through(placed: Placed, matrix: NDArray[np.float64], what: str) -> Placed:
    """Both sides through one matrix with orthonormal rows or columns."""
    model, map_ = placed
    users = None if model.users is None else _moved(model.users, matrix)
    return Placed(
        model.with_tables(_moved(model.items, matrix), users, width=what),
        AffineMap.of(f"{map_.name}, {what}", map_.item_matrix_ @ matrix, map_.user_matrix_ @ matrix, map_.mean_),
    )


def _moved(table: Any, matrix: NDArray[np.float64]) -> NDArray[Any]:
    rows = on_host(table)
    return np.asarray(rows.astype(np.float64) @ matrix).astype(rows.dtype)
