"""What this machine can do at most: rate of matrix products and bandwidth of memory, measured next to every bench.

OMP_NUM_THREADS=2 python bench/limits.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np


def fastest(call: Callable[[], Any], repeat: int = 3) -> float:
    """Fewest seconds of `repeat` calls."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def limits(size: int = 3000, megabytes: int = 400) -> dict[str, float]:
    """`gemm_gflops`: float32 product of two size x size matrices. `copy_gbs`: bytes read and written by a copy."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, size, size), dtype=np.float32)
    table = rng.standard_normal(megabytes * 250_000, dtype=np.float32)
    target = np.empty_like(table)
    return {
        "gemm_gflops": round(2 * size**3 / fastest(lambda: a @ b) / 1e9, 1),
        "copy_gbs": round(2 * table.nbytes / fastest(lambda: np.copyto(target, table)) / 1e9, 1),
    }


if __name__ == "__main__":
    print(limits())
