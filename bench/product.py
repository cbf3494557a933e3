"""XᵀXΩ on one thread by the width of the block: compiled, and scipy's two products, on the power-law problem.

OMP_NUM_THREADS=1 python bench/product.py
"""

from __future__ import annotations

import numpy as np

from limits import fastest
from simgauge.core.matrices import fused_product
from spectrum import PROBLEMS, power_law


def main() -> None:
    X = power_law(*PROBLEMS["power12m"])
    rng = np.random.default_rng(0)
    print(f"{X.nnz} non-zeros\n{'columns':>7s} {'compiled, ms':>13s} {'scipy, ms':>10s}")
    fused_product.WIDTHS = (8, 16, 24, 32)  # also the width that was left out
    for width in fused_product.WIDTHS:
        block = rng.standard_normal((X.shape[1], width)).astype(X.dtype)
        compiled = fastest(lambda block=block: fused_product.fused_gram_product(X, block), 5)
        scipy = fastest(lambda block=block: X.T @ (X @ block), 5)
        print(f"{width:7d} {1e3 * compiled:13.0f} {1e3 * scipy:10.0f}")


if __name__ == "__main__":
    main()
