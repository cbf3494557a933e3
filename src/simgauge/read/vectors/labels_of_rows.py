"""Labels of rows as they are kept: whole numbers where all are and fit, text otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.sources.codes import as_integers

LARGEST = 2**63 - 1
"""What an id of 64 bits with sign can be."""


def row_labels(values: pa.Array, where: str, untyped: bool) -> NDArray[Any]:
    """A column of labels as int64, or as text; whole numbers beyond 64 bits stay text.

    Raises
    ------
    InputError
        Some are missing.

    Examples
    --------
    >>> row_labels(pa.array(["7", "12"]), "x.csv", untyped=True).tolist()
    [7, 12]
    >>> row_labels(pa.array(["18446744073709551616", "7"]), "x.csv", untyped=True).tolist()
    ['18446744073709551616', '7']
    """
    empty = values.is_null()
    if pa.types.is_string(values.type) and untyped:
        empty = pc.or_(empty, pc.equal(pc.utf8_trim_whitespace(values), ""))
    missing = int(pc.sum(empty).as_py() or 0)
    if missing:
        raise InputError(
            f"{where}: {missing} of {len(values)} labels are missing (first in row "
            f"{pc.index(empty, True).as_py() + 1}). Give every row a label, or say that the rows have none: "
            "ids='positions' (--ids positions)."
        )
    if pa.types.is_integer(values.type):
        numbers = values.to_numpy(zero_copy_only=False)
        fits = not len(numbers) or int(numbers.max()) <= LARGEST
        return (
            numbers.astype(np.int64) if fits else np.array([str(number) for number in numbers.tolist()], dtype=object)
        )
    if pa.types.is_floating(values.type):
        found = as_integers(values.cast(pa.float64()), "float", where)
        return np.asarray(found)
    texts = values.cast(pa.string())
    try:
        found = as_integers(texts, "untyped", where) if untyped else None
    except InputError:  # too large for 64 bits
        found = None
    if found is not None:
        return found
    return np.array(texts.to_pylist(), dtype=object)
