"""Data frames of any library as Arrow tables."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from simgauge.errors import InputError


def arrow_of_frame(frame: Any, accepted: str) -> pa.Table:
    """An Arrow table of a pandas or polars frame, or of another that narwhals knows; lazy ones are collected.

    Parameters
    ----------
    accepted : str
        All that the caller takes, for the message about what is no frame.

    Raises
    ------
    InputError
        No frame, a single column, or a column that mixes types.
    """
    import narwhals as nw

    try:
        wrapped = nw.from_native(frame)
    except nw.exceptions.NarwhalsError as error:
        raise InputError(f"the frame cannot be read: {' '.join(str(error).split())}") from error
    except TypeError as error:
        raise InputError(f"expected {accepted}; received {type(frame).__module__}.{type(frame).__name__}.") from error
    if isinstance(wrapped, nw.LazyFrame):
        wrapped = wrapped.collect()
    if not isinstance(wrapped, nw.DataFrame):
        raise InputError("expected a frame with columns, received a single column (Series).")
    try:
        return wrapped.to_arrow()
    except pa.ArrowException as error:
        raise InputError(f"the frame holds a column that mixes types: {str(error)[:200]}. Convert it first.") from error
