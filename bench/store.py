"""The store of interactions on disk beside the simplest rival: sorted Parquet row groups that DuckDB alone makes.

    OMP_NUM_THREADS=2 python bench/store.py --rows 100000000 --memory 2GiB --json out.jsonl

Both sort the same Parquet file of power-law events and merge repeated pairs, then make ten passes: products of XᵀX with
a block of 16 vectors, the work of a fit. `rival` sorts and merges in one SQL query (GROUP BY, ORDER BY, COPY) and reads
row groups as CSR parts in every pass. Each runs in a process of its own; seconds and processor seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import scipy.sparse as sp

from measure import circumstances, in_own_process, write_rows
from out_of_core import Watch, write_events
from simgauge.core.matrices.sparse_product import GramProduct
from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.tables.row_parts import LocalParts
from simgauge.read.events.memory import memory_bytes
from simgauge.read.spill import store_interactions

PASSES = 10
ROW_GROUP = 1 << 22


def by_store(path: Path, folder: Path, memory: str) -> dict[str, Any]:
    with Watch(folder) as watch:
        clock = Clock()
        store = store_interactions(path, folder / "store", memory=memory)
        row = clock.row("sort")
        block = np.random.default_rng(0).standard_normal((store.n_items, BLOCK))
        clock = Clock()
        product = GramProduct(store.matrix)
        for _ in range(PASSES):
            result = product(block)
        row |= clock.row("passes")
    return row | {
        "pairs": store.nnz,
        "disk_mib": store.nbytes >> 20,
        "check": float(np.abs(result).sum()),
        **watch.row(),
    }


def by_parquet(path: Path, folder: Path, memory: str) -> dict[str, Any]:
    pairs = folder / "pairs.parquet"
    with Watch(folder) as watch:
        clock = Clock()
        with duckdb.connect(config={"memory_limit": f"{memory_bytes(memory)}B", "temp_directory": str(folder)}) as base:
            base.execute("SET preserve_insertion_order = false")
            base.execute(f"CREATE TABLE items AS SELECT i, row_number() OVER (ORDER BY i) - 1 AS code FROM "
                         f"(SELECT DISTINCT item_id AS i FROM read_parquet('{path}'))")  # fmt: skip
            base.execute(
                "COPY (SELECT user_id AS u, CAST(code AS INTEGER) AS code, sum(CAST(weight AS DOUBLE)) AS w "
                f"FROM read_parquet('{path}') JOIN items ON item_id = i GROUP BY ALL ORDER BY u, code) "
                f"TO '{pairs}' (FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP}, COMPRESSION snappy)"
            )
            n_items = base.execute("SELECT count(*) FROM items").fetchone()[0]
        row = clock.row("sort")
        block = np.random.default_rng(0).standard_normal((n_items, BLOCK))
        clock = Clock()
        for _ in range(PASSES):
            result = sum(GramProduct(LocalParts([part]))(block) for part in parts(pairs, n_items))
        row |= clock.row("passes")
    size = pq.read_metadata(pairs).num_rows
    return row | {
        "pairs": size,
        "disk_mib": pairs.stat().st_size >> 20,
        "check": float(np.abs(result).sum()),
        **watch.row(),
    }


def parts(path: Path, n_items: int) -> Iterator[sp.csr_array]:
    """Row groups as CSR; a user cut by a row group would be two rows, which the last user of each waits for."""
    held = None
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            table = file.read_row_group(number)
            users, codes, weights = (table[name].to_numpy() for name in ("u", "code", "w"))
            if held is not None:
                users, codes, weights = (
                    np.concatenate(pair) for pair in zip(held, (users, codes, weights), strict=True)
                )
            cut = np.searchsorted(users, users[-1]) if number < file.num_row_groups - 1 else len(users)
            held = users[cut:], codes[cut:], weights[cut:]
            users = users[:cut]
            starts = np.flatnonzero(np.diff(users, prepend=users[0] - 1))
            indptr = np.append(starts, cut).astype(np.int32)
            part = sp.csr_array((len(starts), n_items))
            part.indptr, part.indices, part.data = indptr, codes[:cut], weights[:cut]
            yield part


class Clock:
    """Seconds and processor seconds since it was made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def row(self, name: str) -> dict[str, float]:
        return {
            f"{name}_seconds": round(time.perf_counter() - self.wall, 2),
            f"{name}_cpu": round(time.process_time() - self.cpu, 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--memory", default="2GiB")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        write_events(path, a.rows)
        for method, work in (("store", by_store), ("parquet", by_parquet)):
            target = Path(folder) / method
            target.mkdir()
            row = in_own_process(work, path, target, a.memory)
            rows.append({"method": method, "events": a.rows, "memory": a.memory, **row, **circumstances()})
            print(row)
    ours, rival = rows
    for part in ("seconds", "cpu"):
        total = [row[f"sort_{part}"] + row[f"passes_{part}"] for row in (ours, rival)]
        print(
            f"{part}: store {total[0]:.1f}, parquet {total[1]:.1f}: parquet costs {total[1] / total[0]:.2f} times the "
            f"store"
        )
    if a.json:
        write_rows(a.json, rows)


if __name__ == "__main__":
    main()
