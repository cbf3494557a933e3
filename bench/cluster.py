"""The cost model of fits on a cluster against two measured sizes, on workers of this machine.

    OMP_NUM_THREADS=1 .venv/bin/python bench/cluster.py [--small] [--json FILE]

1. What the machine can do is measured on a size of its own: sparse products on all workers at once, copies of an array
   to all workers, sums of arrays, empty tasks, dense products of the driver.
2. Two fits, of sizes that were not used for that, are predicted by `simgauge.distributed.plan_fit` and run.
3. Printed, and kept as JSON rows: predicted and measured steps, seconds, seconds a step and bytes between the workers.

Bytes are those that the workers say they sent to each other and to the driver, and the first copy of each block, which
the driver sends. Data are made on the workers: power-law items, float32.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from measure import circumstances, write_rows
from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.spectral.spectrum import spectrum
from simgauge.core.spectral.tall_products import TallProducts, one_blas_thread
from simgauge.distributed import DaskParts, plan_fit
from simgauge.distributed.plan import ClusterRates

WORKERS = 2
PAIRS_PER_USER = 30
CALIBRATION = (80_000, 20_000)
SIZES = {
    "small": [(20_000, 4_000, 16), (40_000, 8_000, 32)],
    "full": [(150_000, 30_000, 64), (400_000, 60_000, 64)],
}


def made(number: int, n_users: int, n_items: int) -> sp.csr_array:
    """Users of one part: half of a user's items by popularity, half by that of its group."""
    rng = np.random.default_rng(number)
    popularity = np.cumsum(np.arange(1, n_items + 1) ** -0.8)
    drawn = np.searchsorted(popularity, rng.random((n_users, PAIRS_PER_USER)) * popularity[-1])
    shifts = np.random.default_rng(0).integers(n_items, size=20)[rng.integers(20, size=n_users)]
    columns = np.where(rng.random(drawn.shape) < 0.5, drawn, (drawn + shifts[:, None]) % n_items)
    rows = np.repeat(np.arange(n_users), PAIRS_PER_USER)
    matrix = sp.csr_array((np.ones(rows.size, np.float32), (rows, columns.ravel())), shape=(n_users, n_items))
    matrix.data[:] = 1
    return matrix


def parts_of(n_users: int, n_items: int) -> DaskParts:
    import dask

    return DaskParts([dask.delayed(made)(number, n_users // WORKERS, n_items) for number in range(WORKERS)])


def seconds_of(call: Callable[[], Any], repeats: int = 5) -> float:
    """The median; a fit meets the usual case, not the luckiest."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def nothing(*_: Any) -> float:
    """The work of an empty pass."""
    return 0.0


def timed_products(part: sp.csr_array, _: int) -> np.ndarray:
    """Seconds of a product with a block, where the part is."""
    from simgauge.core.matrices.sparse_product import gram_term

    block = np.ones((part.shape[1], BLOCK), dtype=np.float32)
    fused = True  # as in fits of these sizes; compiled by the first call
    gram_term(part, 0, block, fused)
    start = time.perf_counter()
    for _ in range(5):
        gram_term(part, 0, block, fused)
    return np.array((time.perf_counter() - start) / 5)


def measured_rates(client: Any) -> ClusterRates:
    n_users, n_items = CALIBRATION
    parts = parts_of(n_users, n_items)
    pairs = parts.extent.stored
    product = 4 * pairs * BLOCK / float(parts.sum(timed_products))
    block = np.ones((2_000_000, 1), dtype=np.float32)
    sends = 2  # to the first worker, from there to the second
    empty = seconds_of(lambda: parts.sum(nothing), 9)
    copied = seconds_of(lambda: client.scatter([block], broadcast=True, hash=False))
    network = sends * block.nbytes / max(copied, 1e-9)
    left, right = block.copy(), block.copy()
    memory = 3 * block.nbytes / seconds_of(lambda: left + right)
    return ClusterRates(
        product=product,
        network=network,
        driver=_driver_rate(n_items),
        task=empty / (2 * WORKERS),
        memory=memory,
    )


def _driver_rate(n_items: int) -> float:
    """Flops a second of the orthogonalisation, against a basis of 256 columns."""
    basis = np.ones((256, n_items), dtype=np.float32)
    block = np.ones((n_items, BLOCK), dtype=np.float32)
    with one_blas_thread(), TallProducts(n_items) as tall:
        taken = seconds_of(lambda: tall.subtract(basis, tall.overlaps(basis, block), block))
    return 4 * 256 * n_items * BLOCK / taken


def sent(client: Any) -> int:
    return int(sum(client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total).values()))


def compared(client: Any, rates: ClusterRates, n_users: int, n_items: int, rank: int) -> dict[str, Any]:
    parts = parts_of(n_users, n_items)
    pairs = parts.extent.stored
    plan = plan_fit(n_users, n_items, rank, pairs_per_user=pairs / n_users, n_workers=WORKERS, threads=1, rates=rates)
    before, start = sent(client), time.perf_counter()
    result = spectrum(parts, rank, solver="lanczos")
    seconds, moved = time.perf_counter() - start, sent(client) - before
    moved += result.n_iter * n_items * BLOCK * 4  # the first copies
    return {
        "n_users": n_users,
        "n_items": n_items,
        "n_components": rank,
        "pairs": pairs,
        "predicted_steps": plan.steps,
        "steps": result.n_iter,
        "predicted_seconds": round(plan.seconds, 2),
        "seconds": round(seconds, 2),
        "predicted_seconds_a_step": round(plan.step_seconds, 4),
        "seconds_a_step": round(seconds / result.n_iter, 4),
        "predicted_mib": round(plan.moved_bytes / 2**20, 1),
        "mib": round(moved / 2**20, 1),
        "predicted_mib_a_step": round((plan.broadcast_bytes + plan.reduced_bytes) / 2**20, 2),
        "mib_a_step": round(moved / result.n_iter / 2**20, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="sizes of a few seconds")
    parser.add_argument("--json", help="append the rows to this file")
    arguments = parser.parse_args()
    from distributed import Client, LocalCluster

    rows = []
    with (
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster) as client,
    ):
        around = circumstances("simgauge", "numpy", "scipy", "dask", "distributed")
        for size in SIZES["small" if arguments.small else "full"]:
            rates = measured_rates(client)  # each time: what else the machine does changes
            print("measured:", rates)
            row = compared(client, rates, *size)
            rows.append({"bench": "cluster", **row, "rates": vars(rates), **around})
            print("\n".join(f"  {name:28} {value}" for name, value in row.items()), "\n")
    write_rows(arguments.json, rows)


if __name__ == "__main__":
    main()
