"""What counts as interactions: a canonical CSR matrix of finite weights, none negative, none stored as zero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.errors import InputError


def as_interaction_matrix(matrix: Any) -> sparse.csr_array:
    """CSR in float32 or float64 of any real sparse matrix or dense array, shape (n_users, n_items).

    The index arrays are checked in full, so that damaged ones are refused and never followed.

    Raises
    ------
    InputError
        Not two-dimensional, not real numbers, empty, or damaged.

    Examples
    --------
    >>> as_interaction_matrix([[1, 0], [0, 2]]).dtype
    dtype('float64')
    """
    if sparse.issparse(matrix):
        if matrix.ndim != 2:
            raise InputError(f"interactions: expected two dimensions (users x items), received {matrix.ndim}.")
        _check_indices(matrix)
        csr = matrix.tocsr()
    else:
        dense = np.asarray(matrix)
        if dense.ndim != 2:
            raise InputError(
                f"interactions: expected users in rows and items in columns, received shape {dense.shape}."
            )
        if dense.dtype.kind not in "fiub":
            raise InputError(f"interactions: expected numbers, received dtype {dense.dtype}.")
        csr = sparse.csr_array(dense)
    if csr.dtype.kind not in "fiub":
        raise InputError(f"interactions: weights must be real numbers, received dtype {csr.dtype}.")
    if csr.shape[0] == 0 or csr.shape[1] == 0 or csr.nnz == 0:
        raise InputError(f"interactions: empty, shape {csr.shape} with {csr.nnz} entries. Pass at least one pair.")
    kept = csr.dtype if csr.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    return sparse.csr_array(csr, dtype=kept)


def _check_indices(matrix: Any) -> None:
    """scipy's conversions trust the indices of what they convert."""
    try:
        if hasattr(matrix, "check_format"):
            matrix.check_format(full_check=True)
    except (ValueError, IndexError) as error:
        raise InputError(f"interactions: damaged sparse matrix ({error}).") from error


def checked_weights(csr: sparse.csr_array, user_ids: NDArray[Any], item_ids: NDArray[Any]) -> sparse.csr_array:
    """Read-only canonical CSR: duplicates summed, zeros removed, columns sorted; the argument is not changed.

    Raises
    ------
    InputError
        A weight is NaN, infinite or negative (the first pair is named by its ids), or all are zero.
    """
    bad = ~np.isfinite(csr.data)
    problem = "NaN or infinite"
    if not bad.any():
        bad, problem = csr.data < 0, "negative"
    if bad.any():
        first = int(bad.argmax())
        user = user_ids[np.searchsorted(csr.indptr, first, side="right") - 1]
        raise InputError(
            f"interactions: {int(bad.sum())} weights are {problem} (first: user {user!s}, item "
            f"{item_ids[csr.indices[first]]!s}, weight {csr.data[first]}). Weights must be finite and >= 0: remove "
            "these pairs, or map ratings to preferences first."
        )
    if not csr.has_canonical_format or (csr.data == 0).any():
        csr = csr.copy()
        csr.sum_duplicates()
        csr.eliminate_zeros()
        if csr.nnz == 0:
            raise InputError(
                "interactions: every weight is zero, so nothing is left. Pass at least one positive weight."
            )
    parts = []
    for array in (csr.data, csr.indices, csr.indptr):
        view = array.view()
        view.flags.writeable = False
        parts.append(view)
    frozen = sparse.csr_array(tuple(parts), shape=csr.shape)
    frozen.has_canonical_format = True
    return frozen


def take_rows(csr: sparse.csr_array, rows: NDArray[np.int64]) -> sparse.csr_array:
    """Rows in the given order, an empty row for every -1."""
    present = np.flatnonzero(rows >= 0)
    chosen = csr[rows[present]]
    lengths = np.zeros(len(rows), dtype=np.int64)
    lengths[present] = np.diff(chosen.indptr)
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    return sparse.csr_array((chosen.data, chosen.indices, indptr), shape=(len(rows), csr.shape[1]))
