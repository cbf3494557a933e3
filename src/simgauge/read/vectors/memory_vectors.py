"""Vectors that are in memory already: arrays, tensors, sparse matrices, and dictionaries of label and vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from simgauge.core.tables.arrays import is_tensor
from simgauge.errors import InputError
from simgauge.read.vectors.vector_table import VectorTable, vector_table

LARGEST_DENSE = 1 << 32
"""Bytes up to which a sparse matrix is written out."""


def of_memory(source: Any) -> VectorTable | None:
    """The table of an array, a tensor, a sparse matrix or a mapping; None where it is something else.

    Raises
    ------
    InputError
        A sparse matrix too large to be written out.
    """
    if sparse.issparse(source):
        return _of_sparse(source)
    if is_tensor(source):
        return vector_table(source, {"format": "tensor in memory"}, "the tensor")
    if isinstance(source, np.matrix):
        source = np.asarray(source)
    if isinstance(source, (np.ndarray, list, tuple)):
        return _of_array(source)
    if isinstance(source, Mapping) and source and all(np.ndim(value) == 1 for value in source.values()):
        return vector_table(
            np.array([np.asarray(value) for value in source.values()]),
            {"format": "mapping in memory"},
            "the values of the mapping",
            ids=np.array([str(key) for key in source], dtype=object)
            if not all(isinstance(key, int) for key in source)
            else np.array(list(source)),
            ids_from="its keys",
        )
    kind = type(source)  # the class is asked, since a lazy frame would resolve its columns
    frame = any(hasattr(kind, name) for name in ("columns", "column_names", "schema", "__arrow_c_stream__"))
    if not frame and hasattr(kind, "__array__") and getattr(source, "ndim", 2) == 2:
        return _of_array(np.asarray(source))
    return None


def _of_array(array: Any) -> VectorTable:
    try:
        table = np.asarray(array)
    except ValueError:  # rows of unequal length: the Embedding says so
        return VectorTable(array, origin={"format": "array in memory"})
    if table.dtype.names is not None or table.ndim != 2:
        return VectorTable(array, origin={"format": "array in memory"})
    return vector_table(array, {"format": "array in memory"}, "the array", dtype=table.dtype.name)


def _of_sparse(matrix: Any) -> VectorTable:
    rows, columns = matrix.shape
    size = rows * columns * matrix.dtype.itemsize
    if size > LARGEST_DENSE:
        raise InputError(
            f"the sparse matrix is {rows:,} x {columns:,}, which would be {size / 2**30:.1f} GiB of dense vectors. "
            f"Vectors "
            "are dense here: reduce its columns first, such as with sklearn's TruncatedSVD, and pass the result."
        )
    note = "written out as a dense table"
    return vector_table(
        np.asarray(matrix.toarray()), {"format": "sparse matrix in memory"}, "the sparse matrix", notes=(note,)
    )
