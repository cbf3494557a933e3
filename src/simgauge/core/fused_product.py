"""XᵀX V of a CSR matrix in one pass over its rows, with a row of V in vector registers.

Only with numba (`pip install simgauge[fast]`); scipy's products are what is used without it. Measured on one core for
12.4M non-zeros: 50 ms for 16 columns where scipy's two products take 170 to 290 ms. Loops written in Python are not
vectorised well enough by numba (500 ms), hence LLVM's vector instructions by name; they exist on every processor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

WIDTHS = (8, 16, 32)
"""Columns that there are kernels for; each takes about 0.3 s to compile, once in a process."""

STORED_FROM = 2_000_000
"""Non-zeros from which a decomposition gains more than numba's import and compilation cost (1 to 2 s)."""

_COMPILING = threading.Lock()

Block = NDArray[np.floating[Any]]


def is_available() -> bool:
    """Whether numba is installed; it is not imported for the answer."""
    return find_spec("numba") is not None


def fused_gram_product(part: sp.csr_array, block: Block) -> Block | None:
    """PᵀP V of a CSR matrix P, in the dtype of V; None where there is no kernel for it.

    Parameters
    ----------
    part : CSR, float32 or float64
    block : ndarray, shape (n_columns, b), C-contiguous, float32 or float64

    Numerics
    --------
    Sums over a row, and over the rows, in the dtype of V, as scipy's.
    """
    if block.shape[1] not in WIDTHS or not is_available() or part.data.dtype.itemsize > block.dtype.itemsize:
        return None
    total = np.zeros_like(block)
    _kernel(block.shape[1])(part.indptr, part.indices, part.data, block, total)
    return total


def _kernel(width: int) -> Callable[..., None]:
    with _COMPILING:  # threads that come at once share one kernel
        return _kernel_of_width(width)


@cache
def _kernel_of_width(width: int) -> Callable[..., None]:
    """``kernel(indptr, indices, data, V, W)``: W += XᵀX V for V and W of `width` columns; frees the interpreter lock."""
    import numba
    from numba.extending import intrinsic

    @intrinsic  # type: ignore[untyped-decorator]
    def add_row(_context: Any, indices: Any, data: Any, V: Any, W: Any, start: Any, stop: Any) -> Any:
        signature = numba.types.void(indices, data, V, W, start, stop)
        return signature, lambda *arguments: _emit_row(width, *arguments)

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def kernel(indptr: Any, indices: Any, data: Any, V: Any, W: Any) -> None:
        for row in range(indptr.shape[0] - 1):
            add_row(indices, data, V, W, np.int64(indptr[row]), np.int64(indptr[row + 1]))

    return kernel  # type: ignore[no-any-return]


def _emit_row(width: int, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """LLVM code of one row x: y = x V, then W += xᵀ y, with y in registers all the time."""
    from llvmlite import ir
    from numba.core import cgutils

    pointers = [
        cgutils.create_struct_proxy(kind)(context, builder, value=array).data
        for kind, array in zip(signature.args[:4], arguments[:4], strict=True)
    ]
    indices, data, V, W = pointers
    start, stop = arguments[4:]
    scalar = context.get_value_type(signature.args[2].dtype)
    vector, long, short = ir.VectorType(scalar, width), ir.IntType(64), ir.IntType(32)
    align = context.get_abi_sizeof(scalar)
    undefined, one = ir.Constant(vector, ir.Undefined), ir.Constant(long, 1)
    everywhere = ir.Constant(ir.VectorType(short, width), [0] * width)

    def entry(place: Any, table: Any) -> tuple[Any, Any]:
        """Pointer to the row of the table that a stored entry belongs to, and its value in every lane."""
        column = builder.load(builder.gep(indices, [place]))
        column = builder.sext(column, long) if column.type.width < 64 else column
        value = builder.load(builder.gep(data, [place]))
        value = value if value.type == scalar else builder.fpext(value, scalar)
        lanes = builder.insert_element(undefined, value, ir.Constant(short, 0))
        row = builder.gep(table, [builder.mul(column, ir.Constant(long, width))])
        return builder.bitcast(row, vector.as_pointer()), builder.shuffle_vector(lanes, undefined, everywhere)

    def plus_product(total: Any, left: Any, right: Any) -> Any:
        return builder.fadd(total, builder.fmul(left, right, flags=("contract",)), flags=("contract",))

    sums = cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * width))
    builder.store(ir.Constant(vector, [0.0] * width), sums)
    with cgutils.for_range_slice(builder, start, stop, one, inc=True) as (place, _):
        row, value = entry(place, V)
        builder.store(plus_product(builder.load(sums), value, builder.load(row, align=align)), sums)
    y = builder.load(sums)
    with cgutils.for_range_slice(builder, start, stop, one, inc=True) as (place, _):
        row, value = entry(place, W)
        builder.store(plus_product(builder.load(row, align=align), value, y), row, align=align)
    return context.get_dummy_value()
