"""Take biases out of the vectors that hold them."""

from __future__ import annotations

import numpy as np

from simgauge.core.gauges.folded_bias import bias_columns
from simgauge.embedding import Embedding
from simgauge.errors import InputError


def drop_bias(embedding: Embedding) -> Embedding:
    """The embedding without the columns in which a bias is folded.

    Parameters
    ----------
    embedding : Embedding
        With both tables: a bias shows as a column that is constant on the other side.

    Returns
    -------
    Embedding
        Without those columns, the same object where there are none; ``provenance["dropped_bias_columns"]`` lists them.
        Scores lose the bias of the items (or of the users), so rankings change.

    Raises
    ------
    InputError
        A single table, or nothing but bias columns.

    Examples
    --------
    >>> model = Embedding(items=[[0.5, 2.0], [0.1, -1.0]], users=[[0.3, 1.0], [-0.2, 1.0]])
    >>> drop_bias(model).items.tolist()
    [[0.5], [0.1]]
    """
    if embedding.users is None:
        raise InputError(
            "a bias column shows only with both tables: pass the users too, or slice the column off yourself."
        )
    columns = [] if min(embedding.n_items, embedding.n_users) < 2 else bias_columns(embedding.items, embedding.users)
    found = [column.column for column in columns]
    if not found:
        return embedding
    keep = np.setdiff1d(np.arange(embedding.n_components), found)
    if len(keep) == 0:
        raise InputError("all columns are biases or constants: nothing would be left.")
    return embedding.with_tables(embedding.items[:, keep], embedding.users[:, keep], dropped_bias_columns=found)
