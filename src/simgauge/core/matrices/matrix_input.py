"""What counts as a matrix of interactions: sparse rows or columns, or dense, finite, float32 or float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.matrices.tensor_matrix import TensorMatrix, tensor_matrix
from simgauge.core.tables.arrays import is_tensor
from simgauge.core.tables.kinds import MatrixLike
from simgauge.core.tables.row_parts import VALUES_PER_LOOK, RowParts
from simgauge.errors import InputError


def as_matrix(X: Any, name: str = "X") -> MatrixLike:
    """Bring interactions to the form the decompositions work on, without a copy where none is needed.

    Parameters
    ----------
    X : scipy sparse matrix or array (any format), array-like, torch tensor, or RowParts, shape (n_users, n_items)
        CSR, CSC and dense tables of float32 or float64 are used as they are. Other sparse formats become CSR.
        float16, booleans and integers of up to 16 bits become float32, wider integers float64.
        CSR and CSC that hold the same entry twice are accepted; the values are added.
        Tensors, dense or `torch.sparse_csr`, stay on their device; other sparse layouts become CSR there.
    name : str
        Name of the matrix in error messages.

    Returns
    -------
    CSR, CSC, ndarray or TensorMatrix
        Same shape, float32 or float64, finite.

    Raises
    ------
    InputError
        Not two-dimensional, without rows or columns, complex or not numeric, NaN or infinite entries.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> as_matrix(sp.coo_array(np.eye(2, dtype=int))).dtype
    dtype('float64')
    """
    if isinstance(X, RowParts):
        _refuse_not_finite(X.extent.not_finite, name)
        return X
    if is_tensor(X) or isinstance(X, TensorMatrix):
        return _as_tensor_matrix(X, name)
    if sp.issparse(X):
        matrix = X if X.format in ("csr", "csc") else X.tocsr()
    else:
        matrix = X if isinstance(X, np.ndarray) else _dense(X, name)
    _check_shape(matrix, name)
    dtype = _float_type(matrix.dtype, name)
    if matrix.dtype != dtype:
        matrix = matrix.astype(dtype)
    _check_finite(matrix.data if sp.issparse(matrix) else matrix, name)
    return matrix


def _as_tensor_matrix(X: Any, name: str) -> TensorMatrix:
    if isinstance(X, TensorMatrix):
        return X
    _check_shape(X, name)
    kind = str(X.dtype).rpartition(".")[2]
    kind = "float32" if kind == "bfloat16" else kind
    try:
        dtype = _float_type(np.dtype(kind), name)
    except TypeError:
        raise InputError(f"{name}: expected real numbers; received dtype {X.dtype}. Convert it to float32.") from None
    matrix = tensor_matrix(X, name, dtype)
    _refuse_not_finite(matrix.not_finite, name)
    return matrix


def _check_shape(matrix: Any, name: str) -> None:
    if matrix.ndim != 2:
        raise InputError(f"{name}: expected a matrix, users x items; received {matrix.ndim} dimension(s).")
    if min(matrix.shape) == 0:
        raise InputError(
            f"{name}: the matrix is empty, shape {tuple(matrix.shape)}. Pass at least one user and one item."
        )


def _dense(X: Any, name: str) -> NDArray[Any]:
    try:
        return np.asarray(X)
    except ValueError as error:
        raise InputError(f"{name}: expected a matrix; received rows of unequal length ({error}).") from error


def _float_type(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    if dtype.kind == "f":
        return np.dtype(np.float32) if dtype.itemsize <= 4 else np.dtype(np.float64)
    if dtype.kind in "iub":
        return np.dtype(np.float32) if dtype.itemsize <= 2 else np.dtype(np.float64)
    raise InputError(f"{name}: expected real numbers; received dtype {dtype}. Convert it to float32 or float64.")


def _check_finite(values: NDArray[Any], name: str) -> None:
    flat = values.reshape(-1) if values.flags.c_contiguous else values.T.reshape(-1)
    bad = 0
    for start in range(0, flat.size, VALUES_PER_LOOK):
        bad += int((~np.isfinite(flat[start : start + VALUES_PER_LOOK])).sum())
    _refuse_not_finite(bad, name)


def _refuse_not_finite(bad: int, name: str) -> None:
    if bad:
        raise InputError(
            f"{name}: {bad} stored values are NaN or infinite. Remove or replace them first; "
            "simgauge never replaces values silently."
        )


def stored_values(X: MatrixLike) -> int:
    """Stored entries of a sparse matrix, all entries of a dense one.

    Examples
    --------
    >>> stored_values(np.eye(3))
    9
    """
    if isinstance(X, RowParts):
        return X.extent.stored
    if isinstance(X, TensorMatrix):
        return X.stored
    return int(X.indptr[-1]) if sp.issparse(X) else int(X.size)


def largest_magnitude(X: MatrixLike) -> float:
    """Largest absolute value, 0 for a matrix without stored entries.

    Examples
    --------
    >>> largest_magnitude(np.array([[1.0, -3.0]]))
    3.0
    """
    if isinstance(X, RowParts):
        return X.extent.largest
    if isinstance(X, TensorMatrix):
        return X.largest
    values = X.data[: int(X.indptr[-1])] if sp.issparse(X) else X
    return float(max(values.max(), -values.min())) if values.size else 0.0
