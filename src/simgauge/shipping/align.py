"""align: a retrained model brought into the space of the old one, so that old and new vectors mean something
together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import Center
from simgauge.core.geometry.alignment import SpaceMap, linear_onto, rotation_onto
from simgauge.core.geometry.encoder_maps import row_rank
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.parameters import Rng, as_generator, check_choice, check_integer
from simgauge.read.as_embedding import as_embedding
from simgauge.remedies.affine_map import AffineMap
from simgauge.shipping.agreement import Agreement, agreement, mean_overlap, on_host, predictions_apart, user_lists
from simgauge.shipping.aligned import Aligned, Method
from simgauge.shipping.chosen_gauge import Rows, gauge_of, in_gauge, shared_items, shared_users, users_note
from simgauge.shipping.widths import Placed, Wider, of_one_width

HELD_OUT = 0.2
MOVERS = 10


def align(
    old: Any,
    new: Any,
    *,
    method: Method = "rotation",
    power: float | None = 1.0,
    center: Center = "none",
    wider: Wider = "refuse",
    k: int = 10,
    sample: int = 2_000,
    rng: Rng = 0,
) -> Aligned:
    """Bring a retrained model into the space of the old one.

    Two trainings of one model land in different gauges, and within a gauge in different rotations, so old and new
    vectors in one index are nonsense. Both are put into one canonical gauge, and the new one is turned onto the old one
    by the items that both hold.

    Parameters
    ----------
    old, new : Embedding, array-like, data frame or path
        Matched by item id (and user id); with users, as all gauges but one need them.
    method : {"rotation", "linear"}
        "rotation": the new model's cosines, in the canonical gauge, stay as they are. "linear": any linear map, by
        least squares; it also undoes what differs between gauges, changes the new model's own lists, and keeps every
        prediction as users move by the inverse.
    power : float, optional
        α of the canonical gauge that both are put into; None leaves both as they are. Tables without users stay as they
        are unless `power` is 0.
    center : {"none", "items", "users", "both"}
        As in `canonical_gauge`.
    wider : {"refuse", "widen", "truncate"}
        What to do where the new model has more components than the old one, whose columns cannot hold its predictions.
        "widen": the old model is filled up with columns of zeros, and its index must be written anew. "truncate": the
        new model keeps its principal axes; `own_lists_kept` and `predictions_kept` say what that costs.
    k : int
        Neighbours.
    sample : int
        Held-out items that are asked for, at most.
    rng : int or numpy.random.Generator
        Of the split of shared items.

    Returns
    -------
    Aligned
        With maps for vectors that come later: into an index of `old`, new *item* vectors by
        ``new_map.transform_items(q)``, and new *users or queries*, to be compared by dot product, by its users' side.
        The other way round is wrong.

    Notes
    -----
    What really changed is measured by invariants (lists in the canonical gauge, predictions), never by what the map
    leaves over.

    Raises
    ------
    InputError
        Too few shared items, shared rows that do not fix the map, or a new model that is wider than the old one.
    ParameterError
        A parameter outside its range.

    References
    ----------
    Schönemann (1966), orthogonal Procrustes; the gauge: arXiv 2403.05440, section 2.

    Examples
    --------
    >>> from simgauge.gauge import gauge_transform, random_gauge
    >>> draw = np.random.default_rng(0)
    >>> old = Embedding(draw.normal(size=(60, 4)), users=draw.normal(size=(80, 4)))
    >>> found = align(old, gauge_transform(old, random_gauge(4, 10.0)), k=5)
    >>> found.aligned.itself_first, round(found.aligned.lists_kept, 3)
    (1.0, 1.0)
    """
    check_choice(method, "method", ("rotation", "linear"))
    check_choice(wider, "wider", get_args(Wider))
    k, sample = check_integer(k, "k", 1), check_integer(sample, "sample", 2)
    first, second = as_embedding(old), as_embedding(new)
    rows = shared_items((first, second), k, ("old", "new"))
    gauge = gauge_of((first, second), power, center)
    placed = [Placed(*in_gauge(model, gauge)) for model in (first, second)]
    own = on_host(placed[1].model.items)[rows[1]]
    (moved_old, old_map), (moved_new, new_map) = of_one_width(placed[0], placed[1], wider)
    fitted_on, held_out = _split(len(rows[0]), as_generator(rng))
    tables = [on_host(model.items) for model in (moved_old, moved_new)]
    shared = [table[index] for table, index in zip(tables, rows, strict=True)]
    _check_span(shared[1][fitted_on], tables[1])
    scored = _fitted(method, shared, fitted_on)
    asked = held_out[:sample]
    final = _fitted(method, shared, np.arange(len(rows[0])))
    result = _moved(moved_new, final, second)
    after = agreement(tables[0], rows[0], shared[1] @ scored.item_matrix, asked, k)
    return Aligned(
        method=method,
        gauge="as they are" if gauge is None else gauge.name,
        old=moved_old,
        new=result,
        old_map=old_map,
        new_map=_composed(new_map, final, method),
        n_shared=len(rows[0]),
        n_held_out=len(asked),
        condition_number=scored.condition_number,
        as_trained=_as_trained(first, second, rows, asked, k),
        aligned=after,
        own_lists_kept=mean_overlap(own, shared[1] @ scored.item_matrix, asked, k),
        predictions_kept=predictions_apart(second, result),
        users_kept=_users_kept(first, second, rows, k, sample),
        movers=_movers(first, rows[0], asked, after),
        notes=users_note((first, second)),
    )


def _split(n_shared: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    order = rng.permutation(n_shared).astype(np.intp)
    cut = max(2, round(HELD_OUT * n_shared))
    return np.sort(order[cut:]), order[:cut]


def _check_span(shared: NDArray[Any], whole: NDArray[Any]) -> None:
    """Refuse shared rows that leave directions of the new model out: the map would be arbitrary there."""
    spanned, needed = row_rank(shared), row_rank(whole)
    if spanned < needed:
        raise InputError(
            f"the {len(shared)} shared items that the map is fitted on span {spanned} of the {needed} directions of "
            "the new model, so they do not fix the map: pass models that share more items."
        )


def _fitted(method: Method, shared: Sequence[NDArray[Any]], rows: NDArray[Any]) -> SpaceMap:
    new, old = shared[1][rows], shared[0][rows]
    return rotation_onto(new, old) if method == "rotation" else linear_onto(new, old)


def _moved(model: Embedding, found: SpaceMap, before: Embedding) -> Embedding:
    items = (on_host(model.items).astype(np.float64) @ found.item_matrix).astype(on_host(before.items).dtype)
    users = None
    if model.users is not None:
        users = (on_host(model.users).astype(np.float64) @ found.user_matrix).astype(items.dtype)
    return model.with_tables(items, users, aligned={"condition_number": found.condition_number})


def _composed(into_gauge: AffineMap, found: SpaceMap, method: Method) -> AffineMap:
    return AffineMap.of(
        f"{into_gauge.name}, then {method} onto the old model",
        into_gauge.item_matrix_ @ found.item_matrix,
        into_gauge.user_matrix_ @ found.user_matrix,
        into_gauge.mean_,
    )


def _as_trained(
    old: Embedding, new: Embedding, rows: Sequence[Rows], asked: NDArray[np.intp], k: int
) -> Agreement | None:
    if old.n_components != new.n_components:
        return None
    return agreement(on_host(old.items), rows[0], on_host(new.items)[rows[1]], asked, k)


def _users_kept(old: Embedding, new: Embedding, rows: Sequence[Rows], k: int, sample: int) -> float | None:
    users = shared_users((old, new))
    if users is None:
        return None
    lists = [
        user_lists(model, items, chosen[:sample], k)
        for model, items, chosen in zip((old, new), rows, users, strict=True)
    ]
    return float(neighbor_overlap(*lists).mean)


def _movers(
    old: Embedding, rows: NDArray[np.int64], asked: NDArray[np.intp], found: Agreement
) -> tuple[tuple[str, float], ...]:
    order = np.argsort(found.per_item, kind="stable")[:MOVERS]
    return tuple((str(old.item_names[rows[asked[place]]]), float(found.per_item[place])) for place in order)
