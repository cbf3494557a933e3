"""Memory of audits of memory-mapped tables, each in a process that may not have more than a limit.

    OMP_NUM_THREADS=2 python bench/audit_memory.py --limit-mib 2048 --json bench/results/audit_memory.jsonl

`moments`: the one pass (means, scatter, norms) over a 40 GB table, a sparse file of 78 million rows of which some are
written: the shapes are those of a real table, the disk need not hold it. `audit`: all checks of a table of real
numbers, --audit rows x columns, every byte written. Private memory is what counts; pages of the file come and go as the
system likes.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from limits import limits
from measure import circumstances, in_own_process, timed, write_rows
from simgauge import Embedding, audit
from simgauge.core.tables.moments import table_moments


def private_mib() -> float:
    """Peak of the data segment that this process was granted (VmData only grows in what is measured here)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon"))) / 1024


def sparse_table(path: Path, n: int, k: int) -> np.ndarray:
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, k))
    rng = np.random.default_rng(0)
    for start in range(0, n, n // 20):
        table[start : start + 1000] = rng.standard_normal((min(1000, n - start), k), dtype=np.float32) + 1
    table.flush()
    return table


def full_table(path: Path, n: int, k: int) -> None:
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, k))
    rng, scale = np.random.default_rng(0), (np.arange(1, k + 1) ** -0.5).astype(np.float32)
    for start in range(0, n, 50_000):
        table[start : start + 50_000] = rng.standard_normal((min(50_000, n - start), k), dtype=np.float32) * scale
    table.flush()


def _limited(mib: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (mib << 20, mib << 20))


def moments_of(path: str, mib: int) -> dict[str, Any]:
    _limited(mib)
    table = np.load(path, mmap_mode="r")
    moments, times = timed(lambda: table_moments(table))
    total = float(np.asarray(moments.mean).sum() * len(table))
    return {"method": "moments", **times, "anonymous_mib": round(private_mib()), "checksum": total}


def audit_of(path: str, mib: int) -> dict[str, Any]:
    _limited(mib)
    table = np.load(path, mmap_mode="r")
    result, times = timed(lambda: audit(Embedding(table)))
    return {"method": "audit", **times, "anonymous_mib": round(private_mib()), "findings": len(result.findings)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sparse", default="78000000x128", help="shape of the sparse table; 0 leaves it out")
    parser.add_argument("--audit", default="1000000x128", help="shape of the written table; 0 leaves it out")
    parser.add_argument("--limit-mib", type=int, default=2048)
    parser.add_argument(
        "--folder", help="where the tables are put for the time of the run; the temporary folder if not given"
    )
    parser.add_argument("--json", help="JSON-lines file that rows are appended to")
    options = parser.parse_args()
    about = circumstances("simgauge", "numpy") | limits() | {"limit_mib": options.limit_mib}
    rows = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for shape, make, measure in (
            (options.sparse, sparse_table, moments_of),
            (options.audit, full_table, audit_of),
        ):
            if shape == "0":
                continue
            n, k = map(int, shape.split("x"))
            path = Path(folder) / "table.npy"
            make(path, n, k)
            row = in_own_process(measure, str(path), options.limit_mib)
            rows.append({**row, "rows": n, "columns": k, "gigabytes": round(n * k * 4 / 1e9, 1), **about})
            print({key: rows[-1][key] for key in (*row, "rows", "columns", "gigabytes", "limit_mib")}, flush=True)
            write_rows(options.json, rows[-1:])  # as they come: a run that is stopped keeps what it measured
            path.unlink()


if __name__ == "__main__":
    main()
