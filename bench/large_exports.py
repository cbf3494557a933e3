"""Five million rows to files and stores: seconds, and the private memory that an export takes beside the mapped table.

    OMP_NUM_THREADS=1 nice python bench/large_exports.py --rows 5000000 --json bench/results/large_exports.jsonl

The table is a memory-mapped ``.npy`` of float32 in a temporary folder, 1.3 GB for 5,000,000 x 64. Each export runs in a
process of its own, as ``simgauge.export(table, target, index=False)`` does it: written, and then verified by reading
back (`parquet`, `npy`) or by asking for neighbours (`duckdb`, `faiss`). `write_private_mib` and `verify_private_mib`
are the peaks of both steps by /proc/self/status (RssAnon: memory of its own, without pages of mapped files) above what
the libraries take; `calls` counts how often progress was told.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from measure import circumstances, in_own_process, write_rows
from out_of_core import MIB, Watch, status
from simgauge import export

KINDS = ("npy", "fvecs", "parquet", "arrow", "duckdb", "faiss")
BLOCK = 100_000


def write_table(path: Path, n_rows: int, n_components: int) -> None:
    """Normal rows of unequal length, a block at a time."""
    rng = np.random.default_rng(0)
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_rows, n_components))
    for start in range(0, n_rows, BLOCK):
        block = table[start : start + BLOCK]
        block[:] = rng.standard_normal(block.shape, dtype=np.float32) * rng.lognormal(0, 1, (len(block), 1))
    table.flush()


def exported(path: Path, target: str, folder: Path) -> dict[str, Any]:
    """One export, its two steps watched apart."""
    begin, libraries, told = time.perf_counter(), status("RssAnon"), []
    peaks = {"writing": 0, "verifying": 0}
    with Watch(folder) as watch:

        def progress(text: str, *_: int) -> None:
            if text in ("verifying", "done"):
                peaks["writing" if text == "verifying" else "verifying"] = watch.private
                watch.private = 0
            told.append(time.perf_counter() - begin)
            if text == "verifying":
                peaks["seconds"] = told[-1]

        shipped = export(np.load(path, mmap_mode="r"), target, index=False, progress=progress)
    return {
        "write_seconds": round(peaks["seconds"], 1),
        "verify_seconds": round(time.perf_counter() - begin - peaks["seconds"], 1),
        "write_private_mib": (peaks["writing"] - libraries) // MIB,
        "verify_private_mib": (peaks["verifying"] - libraries) // MIB,
        "disk_mib": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) // MIB,
        "rows_found": shipped.rows_found,
        "verified": shipped.verified,
        "calls": len(told),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=5_000_000)
    options.add_argument("--components", type=int, default=64)
    options.add_argument("--only", nargs="*", default=KINDS)
    options.add_argument("--folder", help="where files of several GB may lie for the time being")
    options.add_argument("--json")
    given = options.parse_args()
    around = circumstances("simgauge", "numpy", "pyarrow", "duckdb", "faiss-cpu")
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        path = Path(name) / "table.npy"
        in_own_process(lambda: write_table(path, given.rows, given.components) or {})
        for kind in given.only:
            with tempfile.TemporaryDirectory(dir=name) as place:
                row = in_own_process(exported, path, f"{kind}:{place}/v", Path(place))
            row = {"bench": "large exports", "target": kind, "rows": given.rows, "components": given.components} | row
            print(row, flush=True)
            write_rows(given.json, [row | {"circumstances": around}])


if __name__ == "__main__":
    main()
