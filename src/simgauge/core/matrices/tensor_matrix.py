"""Interactions held as a torch tensor, CSR or dense, on any device: the same questions and products as of other
matrices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import beside, doubled, namespace, numpy_dtype, to_host
from simgauge.core.tables.kinds import Array
from simgauge.errors import InputError

LOOK = 1 << 26
"""Values of a tensor checked in one step: 64 MiB of flags."""


class TensorMatrix:
    """A matrix in a tensor of layout `torch.sparse_csr` or `torch.strided`, float32 or float64. Not copied.

    Numerics
    --------
    Torch multiplies the transpose of a CSR matrix by converting it first, so `adjoint` does that once and keeps it: as
    much memory as the matrix itself, index arrays included (12 bytes a stored value for float32 with int64 indices, 8
    with int32). Products with a block of another dtype convert the stored values on the way.
    """

    ndim = 2

    def __init__(self, tensor: Array) -> None:
        self.tensor = tensor
        self.shape: tuple[int, int] = (int(tensor.shape[0]), int(tensor.shape[1]))
        self.dtype = numpy_dtype(tensor)
        self.is_sparse = str(tensor.layout) == "torch.sparse_csr"

    @property
    def values(self) -> Array:
        """Stored values of CSR, the whole table when dense."""
        return self.tensor.values() if self.is_sparse else self.tensor

    @property
    def stored(self) -> int:
        """Number of stored values."""
        return int(np.prod(self.values.shape))

    @property
    def place(self) -> Array:
        """An empty array of this library, device and dtype."""
        return self.values[:0]

    def pieces(self) -> Iterator[Array]:
        """All stored values, a part at a time."""
        width = 1 if self.is_sparse else self.shape[1]
        step = max(1, LOOK // width)
        for start in range(0, len(self.values), step):
            yield self.values[start : start + step]

    @property
    def largest(self) -> float:
        """Largest magnitude."""
        return max((float(namespace(piece).max(abs(piece))) for piece in self.pieces()), default=0.0)

    @property
    def not_finite(self) -> int:
        """Stored values that are NaN or infinite."""
        return sum(int(namespace(piece).sum(~namespace(piece).isfinite(piece))) for piece in self.pieces())

    def __matmul__(self, block: Array) -> Array:
        """X V, in the dtype of V."""
        return self._like(block).tensor @ block

    @cached_property
    def adjoint(self) -> TensorMatrix:
        """The transpose: a view of a dense matrix, a second CSR matrix of a sparse one (made at first use)."""
        if not self.is_sparse:
            return TensorMatrix(self.tensor.T)
        with _without_beta_warning():
            return TensorMatrix(self.tensor.t().to_sparse_csr())

    def rows(self, start: int, stop: int) -> TensorMatrix:
        """Some rows: views of values and column indices, not copies."""
        if not self.is_sparse:
            return TensorMatrix(self.tensor[start:stop])
        ends = self.tensor.crow_indices()[start : stop + 1]
        first, last = int(ends[0]), int(ends[-1])
        columns, values = self.tensor.col_indices()[first:last], self.tensor.values()[first:last]
        return TensorMatrix(_csr(ends - first, columns, values, (stop - start, self.shape[1])))

    def row_cuts(self, targets: NDArray[np.float64]) -> NDArray[np.int64]:
        """First rows before which at least this many values are stored."""
        ends = self.tensor.crow_indices()
        wanted = beside(np.ceil(targets), ends, dtype=ends.dtype)
        return to_host(namespace(ends).searchsorted(ends, wanted)).astype(np.int64)

    def dense(self) -> Array:
        """All of it as a dense tensor in float64."""
        return doubled(self.tensor.to_dense() if self.is_sparse else self.tensor)

    def divided(self, scale: float) -> TensorMatrix:
        """X / scale in float64."""
        return self._with_values(doubled(self.values) / scale)

    def _like(self, block: Array) -> TensorMatrix:
        if block.dtype == self.tensor.dtype:
            return self
        return self._with_values(namespace(block).astype(self.values, block.dtype))

    def _with_values(self, values: Array) -> TensorMatrix:
        if not self.is_sparse:
            return TensorMatrix(values)
        return TensorMatrix(_csr(self.tensor.crow_indices(), self.tensor.col_indices(), values, self.shape))


def tensor_matrix(X: Array, name: str, dtype: np.dtype[Any]) -> TensorMatrix:
    """A torch matrix of any layout as CSR or dense of a float dtype; converted on its device, where that is needed."""
    import torch  # loaded already: there is a tensor

    tensor = X.detach().to(getattr(torch, dtype.name))  # itself when it has this dtype
    layout = str(tensor.layout)
    if layout in ("torch.sparse_coo", "torch.sparse_csc"):
        with _without_beta_warning():
            tensor = tensor.to_sparse_csr()
    elif layout not in ("torch.sparse_csr", "torch.strided"):
        raise InputError(f"{name}: expected a dense tensor or one of layout CSR, CSC or COO; received {layout}.")
    if str(tensor.layout) == "torch.sparse_csr":
        if tensor.ndim != 2 or tensor.values().ndim != 1:
            raise InputError(f"{name}: expected one matrix of numbers; received batches or blocks of them.")
        _refuse_broken(tensor, name)
    return TensorMatrix(tensor)


def _refuse_broken(tensor: Array, name: str) -> None:
    """Torch does not check the indices of a CSR tensor, and reads outside of its memory if they are wrong."""
    try:
        _csr(tensor.crow_indices(), tensor.col_indices(), tensor.values(), tensor.shape, check=True)
    except RuntimeError as error:
        raise InputError(
            f"{name}: not a valid CSR tensor ({str(error).splitlines()[0]}). Build it from COO by "
            "tensor.coalesce().to_sparse_csr(), which sorts columns and adds up entries that occur twice."
        ) from error


def _csr(ends: Array, columns: Array, values: Array, shape: Any, *, check: bool = False) -> Array:
    import torch  # loaded already: there are tensors

    with _without_beta_warning():
        return torch.sparse_csr_tensor(ends, columns, values, size=tuple(shape), check_invariants=check)


@contextmanager
def _without_beta_warning() -> Iterator[None]:
    """Torch says once in a process that its CSR layout is young."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
        yield
