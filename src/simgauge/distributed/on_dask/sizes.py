"""Sizes of sparse arrays for Dask, which by itself knows only those of sparse matrices and takes arrays for 56
bytes."""

from __future__ import annotations

from functools import cache
from typing import Any

import scipy.sparse as sp

from simgauge.errors import optional_import


@cache
def know_sizes() -> None:
    """Tell Dask in this process: it spills, moves and places results by their sizes. Called on every worker."""
    sizes = optional_import("dask.sizeof", extra="dask", purpose="work on Dask collections").sizeof
    sizes.register(sp.csr_array, csr_bytes)


def csr_bytes(array: Any) -> int:
    """Bytes of the three arrays.

    Examples
    --------
    >>> csr_bytes(sp.csr_array([[1.0, 0.0]]))
    20
    """
    return int(array.data.nbytes + array.indices.nbytes + array.indptr.nbytes)
