"""apply: a saved map on vectors that come later: new items, new users, queries."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.core.tables.directions import directed_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.parameters import check_choice
from simgauge.read.as_embedding import as_embedding
from simgauge.remedies.affine import AffineRemedy
from simgauge.remedies.remedy import Remedy
from simgauge.remedies.saving import load_remedy
from simgauge.selection.zero_vectors import moved_around_zeros
from simgauge.storage.embedding_directory import MAP_FILE
from simgauge.wording import MAP_WRITERS, no_direction

Side = Literal["items", "users"]


class ZeroVectorWarning(UserWarning):
    """Vectors without a direction were not moved; the message names them."""


def load_map(path: str | Path) -> Remedy:
    """The fitted map in a file or in a directory that `simgauge gauge`, `fix` or `align` wrote.

    Raises
    ------
    InputError
        There is none, or it is damaged.
    """
    found = Path(path)
    if found.is_dir():
        found = found / MAP_FILE
        if not found.is_file():
            raise InputError(
                f"{path} holds no {MAP_FILE}: pass a directory that simgauge {MAP_WRITERS} wrote, or a map file."
            )
    return load_remedy(found)


def apply(map_: str | Path | Remedy, vectors: Any, *, side: Side = "items") -> Embedding:
    """New vectors in the space of a saved map.

    Parameters
    ----------
    map_ : path or Remedy
        A map file, a directory with one, or a fitted remedy.
    vectors : Embedding, array-like, data frame or path, shape (n, n_features_in)
        As the model makes them. For an Embedding with both tables, both sides are moved.
    side : {"items", "users"}
        What one table of vectors is: new items, and queries to be compared with items by cosine; or users, and queries
        to be compared with items by dot product. They move by different matrices.

    Returns
    -------
    Embedding
        Ids and names as given; ``provenance["remedy"]`` names the map and its hash. Zero vectors of items stay zero.

    Warns
    -----
    ZeroVectorWarning
        Some items have a zero vector; the message names them.

    Raises
    ------
    InputError
        Of another width than the map takes, NaN or infinite values, or a map that goes by ids (a refit).

    Examples
    --------
    >>> from simgauge.remedies import Centering
    >>> fitted = Centering().fit(Embedding([[1.0, 2.0], [3.0, 4.0]]))
    >>> apply(fitted, [[2.0, 3.0]]).items
    array([[0., 0.]])
    """
    check_choice(side, "side", ("items", "users"))
    fitted = map_ if isinstance(map_, Remedy) else load_map(map_)
    given = as_embedding(vectors)
    if side == "items":
        return _around_zeros(fitted, given)
    if given.users is not None:
        raise InputError("side='users' is for one table of user vectors; this embedding holds both: leave side out.")
    affine = affine_of(fitted)
    if given.n_components != fitted.n_features_in_:
        raise InputError(
            f"{fitted.name} takes vectors of {fitted.n_features_in_} components, and these have {given.n_components}: "
            f"pass "
            "vectors of the model that the map was made for."
        )
    return given.with_tables(
        affine.apply_users(given.items), None, remedy={**fitted._description(given), "side": "users"}
    )


def _around_zeros(fitted: Remedy, given: Embedding) -> Embedding:
    """The items moved; zero vectors stay zero, as a shift would give them a direction that says nothing of them."""
    kept = directed_rows(given.items)
    if kept is not None:
        names = [str(name) for name in np.delete(given.item_names, kept)]
        text = no_direction(names, "item", ("stays zero", "stay zero"))
        warnings.warn(text, ZeroVectorWarning, stacklevel=3)
    return moved_around_zeros(fitted, given)


def affine_of(fitted: Remedy) -> GaugeMap:
    """The affine map of a fitted remedy.

    Raises
    ------
    InputError
        It has none: it goes by ids, or ranks neighbours.
    """
    if isinstance(fitted, AffineRemedy):
        return fitted.map_
    raise InputError(f"{fitted.name} is no affine map, so it cannot be applied to users alone or written as code.")
