"""Interactions larger than memory: sorted on disk and fitted from there; seconds, peak memory, disk, beside the
formula.

    OMP_NUM_THREADS=2 python bench/out_of_core.py --rows 100000000 --memory 1GiB --json bench/results/out_of_core.jsonl
    OMP_NUM_THREADS=2 python bench/out_of_core.py --table 40 --limit 2GiB --json bench/results/out_of_core.jsonl

`--rows` makes a Parquet file of power-law events, then sorts and fits it with rank 32 in a process of its own.
`--table` simulates a store of so many GB by one mapped block of pairs that is listed again and again (more than 2^31
pairs in all), and multiplies it once with a block of vectors while the private memory of the process may not grow by
more than `--limit`; the result is compared with that of the one block. `peak_rss_mib` counts file pages that the system
may take back, too; `private_mib` does not. `formula_mib` is that of docs/memory.md, libraries included.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

from measure import circumstances, in_own_process, timed, write_rows
from simgauge.core.matrices.sparse_product import GramProduct
from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.spectral.lanczos import basis_limit
from simgauge.core.tables.row_parts import LocalParts
from simgauge.core.tables.threads import thread_count
from simgauge.models import LinearAutoencoder
from simgauge.read.events.memory import memory_bytes
from simgauge.read.spill import store_interactions
from simgauge.read.store.stored_pairs import PairsWriter, map_parts

N_ITEMS, RANK = 50_000, 32
MIB = 1 << 20


class Watch:
    """Peaks of private memory and of bytes in a folder, looked at four times a second."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.private, self.disk = folder, 0, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(0.25):
            self.private = max(self.private, status("RssAnon"))
            try:
                sizes = [path.stat().st_size for path in self.folder.rglob("*") if path.is_file()]
            except OSError:
                continue
            self.disk = max(self.disk, sum(sizes))

    def row(self) -> dict[str, int]:
        return {
            "private_mib": self.private // MIB,
            "disk_mib": self.disk // MIB,
            "peak_rss_mib": status("VmHWM") // MIB,
        }


def status(name: str) -> int:
    """A line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def write_events(path: Path, n_rows: int) -> None:
    rng = np.random.default_rng(0)
    popularity = np.cumsum(1.0 / (np.arange(N_ITEMS) + 20.0) ** 0.9)
    writer = None
    for start in range(0, n_rows, 4_000_000):
        size = min(4_000_000, n_rows - start)
        columns = {
            "user_id": rng.integers(0, max(1, n_rows // 50), size),
            "item_id": np.searchsorted(popularity, rng.random(size) * popularity[-1]),
            "weight": rng.integers(1, 6, size).astype(np.float32),
        }
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=1 << 20)
    if writer is not None:
        writer.close()


def formula(n_items: int, n_parts: int, memory: int, libraries: int) -> int:
    """docs/memory.md: the larger of sorting and fitting, in MiB."""
    basis = 2 * n_items * basis_limit(n_items, RANK, 8) * 8
    sums = (int(math.log2(n_parts)) + 2 + 3 * thread_count()) * n_items * BLOCK * 8
    return (libraries + max(memory, basis + sums)) // MIB


def sorted_and_fitted(path: Path, folder: Path, memory: str) -> dict[str, Any]:
    libraries = status("RssAnon")
    with Watch(folder) as watch:
        store, reading = timed(lambda: store_interactions(path, folder / "store", memory=memory))
        spilled = {f"read_{name}": value for name, value in {**reading, **watch.row()}.items()}
        watch.private = 0
        model, fitting = timed(lambda: LinearAutoencoder(RANK).fit(store.matrix))
        _, saving = timed(lambda: model.save_embedding(store, folder / "model"))
    return {
        "n_users": store.n_users,
        "n_items": store.n_items,
        "pairs": store.nnz,
        "parts": len(store.matrix.parts),
        "store_mib": store.nbytes // MIB,
        "libraries_mib": libraries // MIB,
        **spilled,
        "fit_seconds": fitting["seconds"],
        "save_seconds": saving["seconds"],
        **watch.row(),
        "solver": model.spectrum_.solver,
        "steps": model.spectrum_.n_iter,
        "residual": float(model.spectrum_.residuals.max()),
        "formula_mib": formula(store.n_items, len(store.matrix.parts), memory_bytes(memory), libraries),
    }


def one_product(folder: Path, gigabytes: float, limit: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    n_pairs, n_users = 4_000_000, 40_000
    items = (rng.random(n_pairs) ** 3 * N_ITEMS).astype(np.int32)
    pairs = sp.coo_array((np.ones(n_pairs), (rng.integers(0, n_users, n_pairs), items)), (n_users, N_ITEMS)).tocsr()
    with PairsWriter(folder, np.float64, pa.int64()) as writer:
        writer.add(pa.array(np.arange(n_users)), np.diff(pairs.indptr), pairs.indices, pairs.data)
        writer.finish()
    (block,) = map_parts(folder, N_ITEMS, writer.parts, np.float64)
    repeats = math.ceil(gigabytes * 1e9 / (12 * block.nnz))
    del pairs, items
    matrix = LocalParts([block] * repeats)
    vectors = rng.standard_normal((N_ITEMS, BLOCK))
    single = GramProduct(LocalParts([block]))(vectors)
    allowed = status("VmData") + limit
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    with Watch(folder) as watch:
        extent, looking = timed(lambda: matrix.extent)
        product, multiplying = timed(lambda: GramProduct(matrix)(vectors))
    difference = np.abs(product - repeats * single).max() / np.abs(repeats * single).max()
    return {
        "nominal_gb": round(repeats * 12 * block.nnz / 1e9, 1),
        "pairs": extent.stored,
        "beyond_2_31": extent.stored > 2**31,
        "right_count": extent.stored == repeats * block.nnz,
        "look_seconds": looking["seconds"],
        **multiplying,
        "gflops": round(4e-9 * extent.stored * BLOCK / multiplying["seconds"], 2),
        **watch.row(),
        "difference": float(difference),
        "limit_mib": limit // MIB,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--memory", default="1GiB")
    parser.add_argument("--table", type=float, help="GB")
    parser.add_argument("--limit", default="2GiB")
    parser.add_argument("--folder", help="where files of several GB may lie for the time being")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        if arguments.rows:
            path = folder / "events.parquet"
            in_own_process(lambda: write_events(path, arguments.rows) or {})
            size = path.stat().st_size // MIB
            (folder / "work").mkdir()
            row = in_own_process(sorted_and_fitted, path, folder / "work", arguments.memory)
            rows.append(
                {"bench": "out of core", "rows": arguments.rows, "memory": arguments.memory, "parquet_mib": size, **row}
            )
        if arguments.table:
            (folder / "block").mkdir()
            row = in_own_process(one_product, folder / "block", arguments.table, memory_bytes(arguments.limit))
            rows.append({"bench": "one product of a simulated table", **row})
    for row in rows:
        for key, value in row.items():
            print(f"{key:>24}  {value}")
    when = {"circumstances": circumstances("simgauge", "numpy", "scipy", "duckdb", "pyarrow"), "cpus": os.cpu_count()}
    write_rows(arguments.json, [row | when | {"time": time.strftime("%Y-%m-%d")} for row in rows])


if __name__ == "__main__":
    main()
