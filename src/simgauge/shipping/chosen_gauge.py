"""Several models in one canonical gauge, and the rows that all of them hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import Center
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.labels import positions_of
from simgauge.matching.rows import check_rows
from simgauge.remedies.affine_map import AffineMap
from simgauge.remedies.canonical import CanonicalGauge
from simgauge.shipping.agreement import on_host
from simgauge.wording import counted, some_of

Rows = NDArray[np.int64]

FEWEST = 20
"""Shared items, below which shares of lists say nothing."""


def gauge_of(models: Sequence[Embedding], power: float | None, center: Center) -> CanonicalGauge | None:
    """The canonical gauge that all models can be put into; None where they stay as they are.

    Raises
    ------
    InputError
        The gauge needs users, and some model has none.
    """
    with_users = all(model.users is not None for model in models)
    none_has = all(model.users is None for model in models)
    if power is None or (none_has and power == 1.0 and center == "none"):
        return None
    if not with_users and power != 0:
        raise InputError(
            f"power={power:g} needs the users of {'both' if len(models) == 2 else 'all'} models: pass a sample of the "
            "other side, power=0, or power=None to take the tables as they are."
        )
    return CanonicalGauge(power=power, center=center)


def in_gauge(model: Embedding, gauge: CanonicalGauge | None) -> tuple[Embedding, AffineMap]:
    """The model in that gauge, and the map that leads there from its own."""
    if gauge is None:
        identity = np.eye(model.n_components)
        return model, AffineMap.of("as it is", identity, identity)
    fitted = CanonicalGauge(power=gauge.power, center=gauge.center).fit(model)
    return fitted.transform(model), AffineMap.of(fitted.name, fitted.item_matrix_, fitted.user_matrix_, fitted.mean_)


def shared_items(models: Sequence[Embedding], k: int, names: tuple[str, str] = ("first", "second")) -> list[Rows]:
    """Rows of the items that all models hold with vectors that are not zero: one array a model, in one order.

    Raises
    ------
    InputError
        Fewer than lists of k need, or tables without ids of which it cannot be told how their rows meet.
    """
    first = models[0]
    for other in models[1:]:
        check_rows(first, other, names)
    found = [np.arange(first.n_items), *(positions_of(first.item_ids, other.item_ids) for other in models[1:])]
    there = np.all([rows >= 0 for rows in found], axis=0)
    found = [rows[there] for rows in found]
    alive = np.all([on_host(model.items)[rows].any(axis=1) for model, rows in zip(models, found, strict=True)], axis=0)
    least = max(FEWEST, k + 2)
    if alive.sum() < least:
        listed = " and ".join(some_of(model.item_ids[:3].tolist()) for model in models[:2])
        raise InputError(
            f"the models share {counted(int(alive.sum()), 'item')} whose vectors are not zero (first ids: {listed}): "
            f"at least {least} are needed. Pass the ids of {'both' if len(models) == 2 else 'all'}."
        )
    return [rows[alive] for rows in found]


def shared_users(models: Sequence[Embedding]) -> list[Rows] | None:
    """Rows of the users that all models hold; None where some model has none, or it cannot be told which.

    Users without ids meet by their numbers only where all models have as many.
    """
    if any(model.users is None for model in models):
        return None
    first = models[0]
    given = [model.user_ids_given for model in models]
    if not all(given) and (any(given) or len({model.n_users for model in models}) > 1):
        return None
    if any(model.user_ids is None for model in models):
        return None
    found = [np.arange(first.n_users), *(positions_of(first.user_ids, other.user_ids) for other in models[1:])]
    there = np.flatnonzero(np.all([rows >= 0 for rows in found], axis=0))
    return [rows[there] for rows in found] if len(there) else None


def users_note(models: Sequence[Embedding]) -> tuple[str, ...]:
    """A sentence where models have users, and it cannot be told which are the same."""
    if all(model.users is None for model in models) or shared_users(models) is not None:
        return ()
    if any(model.users is None for model in models):
        return ("Users were not compared: some model has none.",)
    if all(model.user_ids_given for model in models):
        return ("Users were not compared: the models share none.",)
    return ("Users were not compared: pass the ids of the users of every model, so that it can be told which are the "
            "same.",)  # fmt: skip
