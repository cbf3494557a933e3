"""Gauges of an `Embedding`: canonical form, canonical gauges, any gauge, random gauges."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges import canonical as core
from simgauge.core.gauges.canonical import Center
from simgauge.core.gauges.random_gauges import check_gauge_matrix, random_gauge_matrix
from simgauge.core.tables.algebra import column_signs, linear_map, scale_columns
from simgauge.core.tables.kinds import Table
from simgauge.core.tables.scale import refuse_overflow
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.parameters import Rng, as_generator
from simgauge.read.as_embedding import as_embedding


class CanonicalForm(NamedTuple):
    """Singular value decomposition of a model's own predictions, ``users @ items.T = U diag(s) Vᵀ``."""

    left: Table
    """U, shape (n_users, rank)."""
    singular_values: NDArray[np.float64]
    """s, shape (rank,), non-increasing, positive."""
    right: Table
    """V, shape (n_items, rank)."""


def canonical_form(embedding: Any, center: Center = "none", *, users: Any = None) -> CanonicalForm:
    """The form of a two-table embedding that no change of gauge can alter.

    Parameters
    ----------
    embedding : Embedding, array-like, data frame, torch tensor or path
        With both tables: users (n_users, k) and items (n_items, k); or the items' table alone, with `users`.
    center : {"none", "items", "users", "both"}
        Sides whose mean vector is subtracted first. A loss that leaves a shift of a side open (see
        `simgauge.auditing.objectives`) needs that side centred for an invariant form.

    Returns
    -------
    CanonicalForm
        ``left``, ``singular_values``, ``right``: the thin SVD of ``users @ items.T`` (of the centred tables
        where asked), with as many components as the predictions have directions.

    Gauge
    -----
    Invariant under ``items @ G``, ``users @ inv(G).T``, and under one vector added to all rows of a centred side. Only
    signs and, among equal singular values, a rotation are free; of each column of ``right`` the entry of largest
    magnitude is made positive.

    Raises
    ------
    InputError
        Only one table, or all predictions are zero.

    Notes
    -----
    O((n_users + n_items) k²); nothing larger than the tables is formed.

    References
    ----------
    arXiv 2403.05440, remedy 2 of section 3 for the gauge it leads to.

    Examples
    --------
    >>> embedding = Embedding(items=[[2.0, 0.0], [0.0, 1.0]], users=[[3.0, 0.0], [0.0, 1.0]])
    >>> canonical_form(embedding).singular_values
    array([6., 1.])
    >>> moved = gauge_transform(embedding, [[1.0, 5.0], [0.0, 0.1]])
    >>> canonical_form(moved).singular_values.round(6)
    array([6., 1.])
    """
    embedding = as_embedding(embedding, users)
    other_side = _users(embedding, "the canonical form")
    decomposition = core.canonical_core(other_side, embedding.items, center)
    right = _affine(embedding.items, decomposition.item_mean, decomposition.right_map)
    left = _affine(other_side, decomposition.user_mean, decomposition.left_map)
    signs = column_signs(right)
    return CanonicalForm(scale_columns(left, signs), decomposition.singular_values, scale_columns(right, signs))


def canonical_gauge(
    embedding: Any,
    power: float = 1.0,
    center: Center = "none",
    norm_power: float | None = None,
    *,
    users: Any = None,
) -> Embedding:
    """The embedding in the gauge ``Z(α) = V diag(s^α)`` of its own predictions.

    Parameters
    ----------
    embedding : Embedding, array-like, data frame, torch tensor or path
        With both tables (or the items' table, with `users`); with items only, α = 0 with items centred or not are
        the gauges that exist.
    power : float
        α. 0: whitened. ½: balanced, what a penalty on both factors fixes. 1: projected back to the data space,
        the cosine of two columns of ``users @ items.T``, computed in k dimensions. Above 1: strong directions
        weigh more. This is said of the items; the users that go with them are ``U diag(s^(1−α))``: whitened at 1, and
        at 0 projected back, the cosine of two rows of ``users @ items.T``.
    center : {"none", "items", "users", "both"}
        Sides whose mean vector is subtracted. "users" turns the cosine at α = 1 into the correlation of predicted
        columns. "items" takes out what all items share, which a softmax or a ranking loss leaves open. "both" does
        both.
    norm_power : float in [0, 1], optional
        γ: item rows scaled to norm^γ, from cosine (0) to dot (1), in this gauge. Rows are left alone if None.

    Returns
    -------
    Embedding
        Items ``Z(α)`` (n_items, rank) and the users that belong to them. Same ids, names and dtype;
        ``provenance["gauge"]`` says what was done and what became of the dot products: kept for `center` "none", and
        for "users" too, unless a direction that only the mean user had is lost (centring the users selects another
        gauge); up to one constant per user with centred items (rankings kept); not with a `norm_power` other than 1.

    Gauge
    -----
    Items are the same, up to a rotation of the axes, whatever gauge the embedding came in, and whatever vector was
    added to all rows of a centred side. Users too, but for such a vector: it stays in them, as dot products are kept.

    Raises
    ------
    InputError
        Items only, and power is not 0 or users are to be centred: pass a sample of the other side as users.
    ParameterError
        A parameter outside its range.

    References
    ----------
    arXiv 2403.05440, sections 2.2, 2.3 and remedy 2 of section 3, which projects users: α = 0 here. Items at α = 1 are
    the same idea for the other side.

    Examples
    --------
    >>> embedding = Embedding(items=[[2.0, 0.0], [1.0, 1.0]], users=[[3.0, 0.0], [0.0, 1.0]])
    >>> Z = canonical_gauge(embedding, power=1.0).items
    >>> columns = embedding.users @ embedding.items.T
    >>> bool(np.allclose(Z @ Z.T, columns.T @ columns))
    True
    """
    core.check_center(center)
    model = as_embedding(embedding, users)
    refuse_overflow(model.items, "items")
    refuse_overflow(model.users, "users")
    if model.users is None:
        if power != 0 or "users" in core.centered_sides(center):
            raise InputError(
                f"power={power}, center={center!r} need both tables, and this embedding has items only: pass a sample "
                "of the other side (queries, contexts, users) as users, or take power=0, center='none' or 'items'."
            )
        gauge, kept = core.whitening_map(model.items, center), center == "none"
    else:
        decomposition = core.canonical_core(model.users, model.items, center)
        gauge = core.power_map(decomposition, power)
        kept = "items" not in core.centered_sides(center) and _keeps_rank(model, decomposition, center)
    items = gauge.apply_items(model.items)
    if norm_power is not None:
        items = core.scale_norms(items, norm_power)
    return model.with_tables(
        items,
        None if model.users is None else gauge.apply_users(model.users),
        gauge={
            "name": "canonical",
            "power": float(power),
            "center": center,
            "norm_power": norm_power,
            "predictions_kept": bool(kept and norm_power in (None, 1, 1.0)),
        },
    )


def gauge_transform(
    embedding: Any, G: Any, *, users: Any = None, item_shift: Any = None, user_shift: Any = None
) -> Embedding:
    """The same model in another gauge: ``items @ G`` and ``users @ inv(G).T``, each side shifted where asked.

    Parameters
    ----------
    embedding : Embedding, array-like, data frame, torch tensor or path
        One or two tables; or the items' table alone, with `users`.
    G : array-like, shape (n_components, n_components)
        Invertible.
    item_shift, user_shift : array-like, shape (n_components,), optional
        A vector added to all items, or to all users, in the new coordinates. Only losses that leave it open (see
        `simgauge.auditing.objectives`) cannot see it.

    Returns
    -------
    Embedding
        Without shifts with the same dot products (to rounding times the condition number of G) and other cosines,
        unless G is a multiple of a rotation. A shift of the items moves each user's dot products by one constant, a
        shift of the users each item's.

    Raises
    ------
    ParameterError
        Wrong shape, NaN, singular to rounding.
    InputError
        A shift of the users of a single table.

    References
    ----------
    arXiv 2403.05440, Eq. 3 for diagonal G. The same freedom in hidden layers of MLPs and CNNs: Cain (2026), arXiv
    2603.06774.

    Examples
    --------
    >>> embedding = Embedding(items=[[1.0, 1.0], [1.0, 0.0]], users=[[1.0, 2.0]])
    >>> other = gauge_transform(embedding, [[1.0, 0.0], [0.0, 10.0]])
    >>> other.users @ other.items.T
    array([[3., 1.]])
    >>> other.items.tolist()
    [[1.0, 10.0], [1.0, 0.0]]
    >>> shifted = gauge_transform(embedding, np.eye(2), item_shift=[0.0, 4.0])
    >>> shifted.users @ shifted.items.T  # 8 more for each item: softmax over the items is what it was
    array([[11.,  9.]])
    """
    model = as_embedding(embedding, users)
    k = model.n_components
    matrix = check_gauge_matrix(G, k)
    items, moved = linear_map(model.items, matrix), model.users
    if moved is not None:
        moved = linear_map(moved, matrix, solve=True)
    if item_shift is not None:
        items = _affine(items, -_shift(item_shift, "item_shift", k), np.eye(k))
    if user_shift is not None:
        _users(model, "a shift of the users")
        moved = _affine(moved, -_shift(user_shift, "user_shift", k), np.eye(k))
    kept = item_shift is None and user_shift is None
    return model.with_tables(items, moved, gauge={"name": "custom", "predictions_kept": kept})


def random_gauge(n_components: int, condition_number: float, rng: Rng = 0) -> NDArray[np.float64]:
    """A random G in GL(k) with a given condition number.

    Parameters
    ----------
    n_components : int
        k.
    condition_number : float, >= 1
        Ratio of the largest and smallest singular value of G. The *metric* ``G Gᵀ`` under which cosines are
        then taken has the square of it; κ of bounds, certificates and the audit is that of the metric.
    rng : int or numpy.random.Generator

    Returns
    -------
    ndarray, shape (k, k), float64
        ``R₁ diag(d) R₂``: Haar rotations, log-uniform d with both ends attained, determinant ±1.

    Examples
    --------
    >>> G = random_gauge(8, 10.0, rng=3)
    >>> float(np.linalg.cond(G).round(6))
    10.0
    """
    return random_gauge_matrix(n_components, condition_number, as_generator(rng))


def _shift(vector: Any, name: str, n_components: int) -> NDArray[np.float64]:
    shift = np.asarray(vector, dtype=np.float64)
    if shift.shape != (n_components,) or not np.isfinite(shift).all():
        raise ParameterError(f"{name}: expected {n_components} finite numbers, received shape {shift.shape}.")
    return shift


def _users(embedding: Embedding, purpose: str) -> Table:
    if embedding.users is None:
        raise InputError(
            f"{purpose} needs both tables, and this embedding has items only: pass a sample of the other side "
            "(queries, contexts, sessions, users) as users."
        )
    return embedding.users


def _keeps_rank(embedding: Embedding, decomposition: core.CanonicalCore, center: Center) -> bool:
    """Centring can remove a direction that only the mean user had; then that part of the scores is gone."""
    if "users" not in core.centered_sides(center):
        return True
    assert embedding.users is not None
    return decomposition.rank == core.canonical_core(embedding.users, embedding.items).rank


def _affine(table: Table, mean: NDArray[np.float64], matrix: NDArray[np.float64]) -> Any:
    return core.GaugeMap(matrix, matrix, mean).apply_items(table)
