"""What users hand to a function, as an Embedding: a table, a frame, a file, or an Embedding as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import is_tensor
from simgauge.core.tables.row_parts import RowParts
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding


def as_embedding(items: Any, users: Any = None) -> Embedding:
    """The embedding that is meant by one or two tables of vectors.

    Parameters
    ----------
    items : Embedding, array-like, torch tensor, RowParts, data frame or path, shape (n_items, n_components)
        An Embedding is returned as it is. The index of a pandas frame becomes the ids, unless it merely numbers the
        rows. Frames and files are read by `read_embedding`.
    users : as `items`, optional
        The other side, in the same latent space.

    Raises
    ------
    InputError
        Users beside an Embedding, which has its own; or what `read_embedding` refuses.

    Examples
    --------
    >>> as_embedding([[1.0, 0.0], [0.0, 2.0]], users=[[1.0, 1.0]])
    Embedding(2 items, 1 user, 2 components, float64)
    >>> import pandas as pd
    >>> as_embedding(pd.DataFrame([[1.0, 0.0], [0.0, 2.0]], index=["tea", "milk"])).item_ids
    array(['tea', 'milk'], dtype=object)
    """
    if isinstance(items, Embedding):
        if users is not None:
            raise InputError("the first argument is an Embedding, which holds its own users: leave users out.")
        return items
    if _is_table(items) and (users is None or _is_table(users)):
        return Embedding(items, users=users)
    ids, user_ids = index_labels(items), index_labels(users)
    return read_embedding(items, users, ids, user_ids=user_ids)


def index_labels(frame: Any) -> NDArray[Any] | None:
    """Labels of a pandas frame's rows; None for anything else, and where the index merely numbers the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> index_labels(pd.DataFrame({"v": [1.0, 2.0]})) is None
    True
    """
    index = getattr(frame, "index", None)
    if index is None or not hasattr(frame, "reset_index") or getattr(index, "nlevels", 1) != 1:
        return None
    labels: NDArray[Any] = np.asarray(index)
    if labels.dtype.kind in "iu" and np.array_equal(labels, np.arange(len(labels))) and index.name is None:
        return None
    return labels


def _is_table(data: Any) -> bool:
    return isinstance(data, (np.ndarray, RowParts)) or is_tensor(data) or _is_rows(data)


def _is_rows(data: Any) -> bool:
    """A list of rows of numbers, not a list of paths."""
    return (
        isinstance(data, (list, tuple))
        and len(data) > 0
        and not isinstance(data[0], str | bytes)
        and (isinstance(data[0], (list, tuple, np.ndarray)) or is_tensor(data[0]))
    )
