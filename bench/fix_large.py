"""Time and memory of choosing a gauge for a large table: 1M items x 128, 10M held-out pairs.

OMP_NUM_THREADS=2 .venv/bin/python bench/fix_large.py [--items 1000000 --users 200000 --pairs 10000000 --queries 500]
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import scipy.sparse as sp

from simgauge import Embedding, Interactions, fix
from simgauge.evidence import held_out_evidence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--pairs", type=int, default=10_000_000)
    parser.add_argument("--queries", type=int, default=500)
    a = parser.parse_args()
    rng = np.random.default_rng(0)
    items = rng.standard_normal((a.items, 128), dtype=np.float32)
    users = rng.standard_normal((a.users, 128), dtype=np.float32)
    columns = np.minimum((a.items * rng.random(a.pairs) ** 3).astype(np.int64), a.items - 1)
    matrix = sp.csr_array(
        (np.ones(a.pairs, np.float32), (rng.integers(a.users, size=a.pairs), columns)), (a.users, a.items)
    )
    matrix.data[:] = 1
    held = Interactions(matrix)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    start = time.perf_counter()
    seen = [start]

    def progress(text: str, done: int, total: int) -> None:
        now = time.perf_counter()
        if now - seen[0] > 30:
            seen[0] = now
            print(f"{now - start:6.0f} s  {done} of {total}: {text}", flush=True)

    found = fix(Embedding(items, users), held_out_evidence(held, max_queries=a.queries), progress=progress)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(
        f"{time.perf_counter() - start:.0f} s, {time.process_time():.0f} cpu s in all, peak {peak} MiB ({before} "
        f"before), "
        f"{len(found.table)} candidates: {found.summary}"
    )


if __name__ == "__main__":
    main()
