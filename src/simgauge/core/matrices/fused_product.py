"""XᵀX V of a CSR matrix in one pass over its rows, with a row of products in vector registers.

Only with llvmlite (`pip install simgauge[fast]`); scipy's products are what is used without it. Measured on one core
for 12.4M non-zeros: 54 to 59 ms for 16 columns where scipy's two products take 150 to 290 ms (`bench/product.py`). The
kernel is written in LLVM's own language because loops in Python are not vectorised well enough by numba (500 ms), and
vectors of any width exist there on every processor. It compiles in 10 ms.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

WIDTHS = (8, 16, 32)
"""Columns that there are kernels for: whole registers."""

STORED_FROM = 200_000
"""Non-zeros from which a decomposition gains more than loading the compiler costs (0.1 s)."""

Block = NDArray[np.floating[Any]]
Kernel = Callable[..., None]

_COMPILING = threading.Lock()

LLVM_NAMES = {"i4": "i32", "i8": "i64", "f4": "float", "f8": "double"}

ENTRY = """
  %{n}.column.at = getelementptr {index}, ptr %indices, i64 %{place}
  %{n}.column.raw = load {index}, ptr %{n}.column.at
  %{n}.column = {widen_index} %{n}.column.raw{to_long}
  %{n}.value.at = getelementptr {data}, ptr %data, i64 %{place}
  %{n}.value.raw = load {data}, ptr %{n}.value.at
  %{n}.value = {widen_data} %{n}.value.raw{to_scalar}
  %{n}.lane = insertelement {vector} poison, {scalar} %{n}.value, i32 0
  %{n}.lanes = shufflevector {vector} %{n}.lane, {vector} poison, <{width} x i32> zeroinitializer
  %{n}.offset = mul i64 %{n}.column, {width}
  %{n}.at = getelementptr {scalar}, ptr %{table}, i64 %{n}.offset
  %{n}.row = load {vector}, ptr %{n}.at, align {align}
"""
"""One stored value x_j in all lanes, and the row of the table (V or W) of its column."""

KERNEL = """
define void @gram(
  i64 %rows, ptr noalias %indptr, ptr noalias %indices, ptr noalias %data, ptr noalias %V, ptr noalias %W
) {{
entry:
  %some = icmp sgt i64 %rows, 0
  br i1 %some, label %row, label %end
row:
  %i = phi i64 [0, %entry], [%i.next, %row.end]
  %i.next = add i64 %i, 1
  %start.at = getelementptr {pointer}, ptr %indptr, i64 %i
  %stop.at = getelementptr {pointer}, ptr %indptr, i64 %i.next
  %start.raw = load {pointer}, ptr %start.at
  %stop.raw = load {pointer}, ptr %stop.at
  %start = {widen_pointer} %start.raw{pointer_to_long}
  %stop = {widen_pointer} %stop.raw{pointer_to_long}
  %any = icmp slt i64 %start, %stop
  br i1 %any, label %gather, label %row.end
gather:
  %j = phi i64 [%start, %row], [%j.next, %gather]
  %y = phi {vector} [zeroinitializer, %row], [%y.next, %gather]
{gather}
  %y.term = fmul contract {vector} %g.lanes, %g.row
  %y.next = fadd contract {vector} %y, %y.term
  %j.next = add i64 %j, 1
  %more = icmp slt i64 %j.next, %stop
  br i1 %more, label %gather, label %scatter
scatter:
  %l = phi i64 [%start, %gather], [%l.next, %scatter]
{scatter}
  %w.term = fmul contract {vector} %s.lanes, %y.next
  %w.next = fadd contract {vector} %s.row, %w.term
  store {vector} %w.next, ptr %s.at, align {align}
  %l.next = add i64 %l, 1
  %left = icmp slt i64 %l.next, %stop
  br i1 %left, label %scatter, label %row.end
row.end:
  %again = icmp slt i64 %i.next, %rows
  br i1 %again, label %row, label %end
end:
  ret void
}}
"""
"""For every row x: y = x V, then W += xᵀ y."""


def is_available() -> bool:
    """Whether llvmlite is installed; it is not imported for the answer."""
    return find_spec("llvmlite") is not None


def fused_gram_product(part: sp.csr_array, block: Block) -> Block | None:
    """PᵀP V of a CSR matrix P, in the dtype of V; None where there is no kernel for it.

    Parameters
    ----------
    part : CSR, float32 or float64
    block : ndarray, shape (n_columns, b), C-contiguous, float32 or float64

    Numerics
    --------
    Sums over a row, and over the rows, in the dtype of V, as scipy's. Other threads run meanwhile.
    """
    arrays = (part.indptr, part.indices, part.data, block)
    kinds = tuple(array.dtype.str[1:] for array in arrays)
    known = all(kind in LLVM_NAMES and array.dtype.isnative for kind, array in zip(kinds, arrays, strict=True))
    narrowed = part.data.dtype.itemsize > block.dtype.itemsize
    if block.shape[1] not in WIDTHS or narrowed or not known or not is_available():
        return None
    inputs = [np.ascontiguousarray(array) for array in arrays]  # copies nothing of what is contiguous
    total = np.zeros_like(block)
    with _COMPILING:  # threads that come at once share one kernel
        kernel = _kernel(block.shape[1], *kinds)
    kernel(part.shape[0], *(array.ctypes.data for array in inputs), total.ctypes.data)
    return total


@cache
def _kernel(width: int, pointer: str, index: str, data: str, scalar: str) -> Kernel:
    """Machine code for the processor of this process; `ctypes` frees the interpreter lock while it runs."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(_source(width, pointer, index, data, scalar))
    module.verify()
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3
    )
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 5)
    kernel: Any = kind(engine.get_function_address("gram"))
    kernel.engine = engine  # the code lives as long as its engine
    return kernel  # type: ignore[no-any-return]


def _source(width: int, pointer: str, index: str, data: str, scalar: str) -> str:
    names = {
        "width": width,
        "pointer": LLVM_NAMES[pointer],
        "index": LLVM_NAMES[index],
        "data": LLVM_NAMES[data],
        "scalar": LLVM_NAMES[scalar],
        "vector": f"<{width} x {LLVM_NAMES[scalar]}>",
        "align": scalar[1],
    }
    names["widen_index"], names["to_long"] = _widening("sext", index, "i8")
    names["widen_pointer"], names["pointer_to_long"] = _widening("sext", pointer, "i8")
    names["widen_data"], names["to_scalar"] = _widening("fpext", data, scalar)
    gather = ENTRY.format(n="g", place="j", table="V", **names)
    scatter = ENTRY.format(n="s", place="l", table="W", **names)
    return KERNEL.format(gather=gather, scatter=scatter, **names)


def _widening(instruction: str, narrow: str, wide: str) -> tuple[str, str]:
    """What stands before and after a value to widen it; a conversion to the same type where there is nothing to do."""
    kind = LLVM_NAMES[narrow]
    return ("bitcast" if narrow == wide else instruction) + f" {kind}", f" to {LLVM_NAMES[wide]}"
