"""align: a retrained model brought into the space of the old one, so that old and new vectors mean something
together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import Center
from simgauge.core.geometry.alignment import SpaceMap, linear_onto, rotation_onto
from simgauge.core.tables.tables import take_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.labels import positions_of
from simgauge.matching.rows import check_rows
from simgauge.parameters import Rng, as_generator, check_choice, check_integer
from simgauge.read.as_embedding import as_embedding
from simgauge.remedies.affine_map import AffineMap
from simgauge.remedies.canonical import CanonicalGauge
from simgauge.shipping.agreement import Agreement, agreement, mean_overlap, on_host, predictions_apart
from simgauge.shipping.aligned import Aligned, Method
from simgauge.wording import counted, some_of

HELD_OUT = 0.2
MOVERS = 10


def align(
    old: Any,
    new: Any,
    *,
    method: Method = "rotation",
    power: float | None = 1.0,
    center: Center = "none",
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
    k, sample = check_integer(k, "k", 1), check_integer(sample, "sample", 2)
    first, second = as_embedding(old), as_embedding(new)
    rows = _shared_rows(first, second, k)
    gauge = _gauge_of(first, second, power, center)
    (moved_old, old_map), (moved_new, new_map) = (_in_gauge(model, gauge) for model in (first, second))
    fitted_on, held_out = _split(len(rows[0]), as_generator(rng))
    tables = [on_host(model.items) for model in (moved_old, moved_new)]
    shared = [table[index] for table, index in zip(tables, rows, strict=True)]
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
        own_lists_kept=mean_overlap(shared[1], shared[1] @ scored.item_matrix, asked, k),
        predictions_kept=predictions_apart(second, result),
        users_kept=_users_kept(first, second, rows, k, sample),
        movers=_movers(first, rows[0], asked, after),
    )


def stability(models: Sequence[Any], *, power: float = 1.0, center: Center = "none", k: int = 10, sample: int = 2_000,
              rng: Rng = 0) -> float:  # fmt: skip
    """How much several trainings of one model agree: mean share of common neighbours over all pairs, in a canonical
    gauge.

    Parameters
    ----------
    models : sequence of Embedding, array-like, data frames or paths
        Two or more, with users (or ``power=0``).
    power, center, k, sample, rng
        As in `align`.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> model = Embedding(draw.normal(size=(60, 4)), users=draw.normal(size=(80, 4)))
    >>> stability([model, model], k=5)
    1.0
    """
    if not isinstance(models, Sequence) or isinstance(models, str):
        raise InputError(f"models is of type {type(models).__name__}: expected a list of two models or more.")
    if len(models) < 2:
        raise ParameterError(f"stability needs two models or more, received {len(models)}.")
    given = [as_embedding(model) for model in models]
    generator = as_generator(rng)
    shares = []
    for first in range(len(given)):
        for second in range(first + 1, len(given)):
            rows = _shared_rows(given[first], given[second], k)
            gauge = _gauge_of(given[first], given[second], power, center)
            one, two = (
                on_host(_in_gauge(given[place], gauge)[0].items)[index]
                for place, index in zip((first, second), rows, strict=True)
            )
            asked = generator.permutation(len(rows[0]))[:sample]
            shares.append(mean_overlap(one, two, asked, k))
    return float(np.mean(shares))


def _shared_rows(old: Embedding, new: Embedding, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    check_rows(old, new, ("old", "new"))
    places = positions_of(new.item_ids, old.item_ids)
    rows = np.flatnonzero(places >= 0)
    rows_old = places[rows]
    alive = on_host(old.items)[rows_old].any(axis=1) & on_host(new.items)[rows].any(axis=1)
    rows, rows_old = rows[alive], rows_old[alive]
    if len(rows) < max(20, k + 2):
        raise InputError(
            f"the models share {counted(len(rows), 'item')} whose vectors are not zero (first ids: "
            f"{some_of(old.item_ids[:3].tolist())} and {some_of(new.item_ids[:3].tolist())}): at least "
            f"{max(20, k + 2)} are "
            "needed. Pass the ids of both."
        )
    return rows_old, rows


def _gauge_of(old: Embedding, new: Embedding, power: float | None, center: Center) -> CanonicalGauge | None:
    both = old.users is not None and new.users is not None
    if power is None or (not both and power == 1.0 and center == "none"):
        return None
    if not both and power != 0:
        raise InputError(
            f"power={power:g} needs the users of both models: pass a sample of the other side, power=0, or power=None "
            f"to "
            "align the tables as they are."
        )
    return CanonicalGauge(power=power, center=center)


def _in_gauge(model: Embedding, gauge: CanonicalGauge | None) -> tuple[Embedding, AffineMap]:
    if gauge is None:
        identity = np.eye(model.n_components)
        return model, AffineMap.of("as it is", identity, identity)
    fitted = CanonicalGauge(power=gauge.power, center=gauge.center).fit(model)
    return fitted.transform(model), AffineMap.of(fitted.name, fitted.item_matrix_, fitted.user_matrix_, fitted.mean_)


def _split(n_shared: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    order = rng.permutation(n_shared).astype(np.intp)
    cut = max(2, round(HELD_OUT * n_shared))
    return np.sort(order[cut:]), order[:cut]


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
    old: Embedding, new: Embedding, rows: tuple[NDArray[np.int64], NDArray[np.int64]], asked: NDArray[np.intp], k: int
) -> Agreement | None:
    if old.n_components != new.n_components:
        return None
    return agreement(on_host(old.items), rows[0], on_host(new.items)[rows[1]], asked, k)


def _users_kept(
    old: Embedding, new: Embedding, rows: tuple[NDArray[np.int64], NDArray[np.int64]], k: int, sample: int
) -> float | None:
    if old.users is None or new.users is None or old.user_ids is None or new.user_ids is None:
        return None
    places = positions_of(new.user_ids, old.user_ids)
    users = np.flatnonzero(places >= 0)[:sample]
    if not len(users):
        return None
    from simgauge.core.neighbors.overlap import neighbor_overlap
    from simgauge.core.neighbors.topk import top_k

    lists = [
        top_k(on_host(items)[index], k, "dot", on_host(take_rows(table, chosen)))[0]
        for items, index, table, chosen in (
            (old.items, rows[0], old.users, places[users]),
            (new.items, rows[1], new.users, users),
        )
    ]
    return float(neighbor_overlap(*lists).mean)


def _movers(
    old: Embedding, rows: NDArray[np.int64], asked: NDArray[np.intp], found: Agreement
) -> tuple[tuple[str, float], ...]:
    order = np.argsort(found.per_item, kind="stable")[:MOVERS]
    return tuple((str(old.item_names[rows[asked[place]]]), float(found.per_item[place])) for place in order)
