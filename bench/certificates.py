"""Exact certificates beside the exact neighbours they belong to: seconds of both, in one run.

    OMP_NUM_THREADS=1 python bench/certificates.py --table 20000 --components 64 --lists 2000 --neighbors 10 --repeat 5

`lists` is `top_k` for a sample of rows; `certificates` is `neighbor_certificate` for the same lists, its own search
included; `per neighbor` asks for a threshold of every member. Medians, and their ratios to `lists`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from measure import circumstances, timed, write_rows
from simgauge.core.bounds.certificates import certified_share, neighbor_certificate
from simgauge.core.neighbors.topk import top_k
from topk import clustered


def decaying(n_rows: int, n_components: int) -> np.ndarray:
    """Independent normal numbers with the scale i^-½ in direction i: no clusters."""
    rng = np.random.default_rng(0)
    scale = (1.0 + np.arange(n_components)) ** -0.5
    return (rng.standard_normal((n_rows, n_components)) * scale).astype(np.float32)


TABLES: dict[str, Callable[[int, int], np.ndarray]] = {"clustered": clustered, "decaying": decaying}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=int, default=20_000)
    parser.add_argument("--components", type=int, default=64)
    parser.add_argument("--lists", type=int, default=2_000)
    parser.add_argument("--neighbors", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", help="JSON-lines file that rows are appended to")
    options = parser.parse_args()
    k, records = options.neighbors, []
    about = circumstances("simgauge", "numpy", "faiss-cpu")
    for name, made in TABLES.items():
        table = made(options.table, options.components)
        rows = np.sort(np.random.default_rng(1).choice(options.table, options.lists, replace=False))
        methods: dict[str, Callable[[], Any]] = {
            "lists": lambda table=table, rows=rows: top_k(table, k, rows=rows)[0],
            "certificates": lambda table=table, rows=rows: neighbor_certificate(table, k, rows=rows),
            "per neighbor": lambda table=table, rows=rows: neighbor_certificate(table, k, rows=rows, per_neighbor=True),
        }
        seconds: dict[str, list[float]] = {method: [] for method in methods}
        for _ in range(options.repeat):
            for method, call in methods.items():
                found, times = timed(call)
                seconds[method].append(times["seconds"])
                records.append({"table": name, "method": method, **times, **about})
        base = float(np.median(seconds["lists"]))
        for method, values in seconds.items():
            print(f"{name:10s} {method:13s} {np.median(values):7.3f} s  {np.median(values) / base:5.2f} x lists")
        print(f"{name:10s} certain at κ = 1.1: {certified_share(found, 1.1):.1%} of neighbours")
    write_rows(options.json, records)


if __name__ == "__main__":
    main()
