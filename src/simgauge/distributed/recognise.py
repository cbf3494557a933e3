"""What lies in parts already, known by the module of its class, so that no cluster library is imported to ask."""

from __future__ import annotations

from typing import Any

from simgauge.core.tables.row_parts import RowParts
from simgauge.distributed.partitioned import PartitionedInteractions
from simgauge.errors import InputError


def as_parts(X: Any) -> RowParts | None:
    """The parts of a matrix or table that Dask or Spark holds; None for anything else.

    Parameters
    ----------
    X : object
        `RowParts`, `PartitionedInteractions`; a Dask Array or numeric Dask DataFrame, a list of dask.delayed objects or
        futures that give CSR or ndarrays; a Spark DataFrame of two columns, id and vector.

    Raises
    ------
    InputError
        A collection of these libraries that is no matrix, with the function to use instead.

    Examples
    --------
    >>> import numpy as np
    >>> as_parts(np.eye(2)) is None
    True
    """
    if isinstance(X, RowParts):
        return X
    if isinstance(X, PartitionedInteractions):
        return X.matrix
    if isinstance(X, list | tuple) and len(X) and all(_library(entry) in ("dask", "distributed") for entry in X):
        from simgauge.distributed.on_dask.parts import DaskParts

        return DaskParts(X)
    library = _library(X)
    if library in ("dask", "distributed"):
        return _of_dask(X)
    if library == "pyspark":
        from simgauge.distributed.on_spark.tables import table_from_spark

        return table_from_spark(X).parts
    return None


def _library(X: Any) -> str:
    return type(X).__module__.partition(".")[0].removesuffix("_expr")


def _of_dask(X: Any) -> RowParts:
    from simgauge.distributed.on_dask.parts import DaskParts

    kind = type(X).__name__
    if kind == "Array":
        if X.ndim != 2:
            raise InputError(f"expected a matrix, users x items; received a Dask Array of {X.ndim} dimension(s).")
        return DaskParts(X.rechunk({1: -1}).to_delayed().ravel().tolist())
    if kind == "DataFrame":
        if any(dtype.kind not in "fiub" for dtype in X.dtypes):
            raise InputError(
                "a Dask DataFrame with columns that are not numbers is no matrix. For events (user, item, weight) pass "
                "simgauge.distributed.from_dask(frame, user=..., item=...)."
            )
        return DaskParts(X.to_delayed())
    if any(base.__name__ in ("Delayed", "Future") for base in type(X).__mro__):
        return DaskParts([X])
    raise InputError(f"a Dask {kind} is no matrix in parts by rows: pass an Array, a DataFrame or a list of delayed.")
