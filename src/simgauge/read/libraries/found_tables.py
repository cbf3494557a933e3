"""What an adapter found in a model: tables whose dot products are the model's scores, and how they came about."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simgauge.errors import InputError


@dataclass(frozen=True)
class Bias:
    """A column that is a bias of one side; in the same column the other table is constant."""

    side: str
    """ "items" or "users": whose bias it is."""
    column: int
    """Counted from 0, in the tables as the library stores or this adapter builds them."""
    constant: float = 1.0


@dataclass
class FoundTables:
    """Two tables, or one, as an adapter found them; biases are columns of the tables."""

    items: Any
    users: Any = None
    item_ids: Any = None
    user_ids: Any = None
    item_names: Any = None
    biases: Sequence[Bias] = ()
    provenance: dict[str, Any] = field(default_factory=dict)


def with_bias_columns(items: Any, users: Any, item_bias: Any, user_bias: Any) -> tuple[Any, Any, list[Bias]]:
    """Append biases to factors so that the scores, biases included, are ``users @ items.T``.

    Items become [factors, item bias, 1] and users [factors, 1, user bias]; a side without bias appends nothing.

    Examples
    --------
    >>> items, users, biases = with_bias_columns([[2.0]], [[3.0]], [0.5], [0.25])
    >>> float((np.array(users) @ np.array(items).T)[0, 0])  # 2 * 3 + 0.5 + 0.25
    6.75
    """
    items, users, biases = np.asarray(items), np.asarray(users), []
    for side, bias in (("items", item_bias), ("users", user_bias)):
        if bias is None:
            continue
        own, other = (items, users) if side == "items" else (users, items)
        column = np.asarray(bias).reshape(-1, 1)
        if len(column) != len(own):
            raise InputError(f"the bias of the {side} has {len(column)} entries for {len(own)} rows.")
        biases.append(Bias(side, own.shape[1]))
        own = np.hstack([own, column.astype(own.dtype)])
        other = np.hstack([other, np.ones((len(other), 1), dtype=other.dtype)])
        items, users = (own, other) if side == "items" else (other, own)
    return items, users, biases


def described(model: Any, *, objective: str, convention: str, **more: Any) -> dict[str, Any]:
    """The part of the provenance that every adapter writes; `model` is of the library that is named in it."""
    kind = type(model)
    library = kind.__module__.split(".")[0]
    return {
        "library": library,
        "version": library_version(library),
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "objective": objective,
        "convention": convention,
        **more,
    }


def library_version(library: str) -> str | None:
    """Version of a library that is loaded already; None where it does not say."""
    version = getattr(sys.modules.get(library), "__version__", None)
    return None if version is None else str(version)


def not_fitted(model: Any, attribute: str) -> InputError:
    """The error for a model without factors."""
    return InputError(
        f"this {type(model).__name__} has no {attribute}: it is not fitted yet. Call its fit (or load a trained model) "
        "first, then pass it again."
    )
