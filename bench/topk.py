"""Exact neighbours side by side: ours and FAISS's flat index on the same unit vectors, with the limit of a matrix
product.

    python bench/topk.py --table 100000 --components 128 --neighbors 10 --repeat 3 --json out.jsonl

`flat` is faiss.IndexFlatIP, add and search, on vectors that are unit rows already (it neither leaves the row itself out
nor orders ties); `numpy` is our search without FAISS; `product` multiplies the same numbers and keeps nothing: the
limit. `usearch` is its HNSW graph at its defaults, built and searched: approximate, so read its time beside its recall.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from measure import circumstances, in_own_process, timed, write_rows
from simgauge.core.neighbors import candidate_search
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.tables import unit_rows


def clustered(n_rows: int, n_components: int, seed: int = 0) -> np.ndarray:
    """Gaussian clusters with a decaying spectrum, as learned embeddings have them; unit rows, float32."""
    rng = np.random.default_rng(seed)
    width = (1.0 + np.arange(n_components)) ** -0.3
    centres = rng.standard_normal((500, n_components))
    table = centres[rng.integers(0, 500, n_rows)] + rng.standard_normal((n_rows, n_components))
    return unit_rows((table * width).astype(np.float32))


def ours(table: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    return top_k(table, k, rows=rows)[0]


def numpy_only(table: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    candidate_search.FAISS_FROM = math.inf
    return top_k(table, k, rows=rows)[0]


def flat(table: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    import faiss

    index = faiss.IndexFlatIP(table.shape[1])
    index.add(table)
    found = index.search(np.ascontiguousarray(table[rows]), k + 1)[1]
    return np.stack([one[one != row][:k] for one, row in zip(found, rows, strict=True)])


def usearch(table: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    from usearch.index import Index

    index = Index(ndim=table.shape[1], metric="ip", dtype="f32")
    index.add(np.arange(len(table)), table)
    found = index.search(table[rows], k + 1).keys.astype(np.int64)
    return np.stack([one[one != row][:k] for one, row in zip(found, rows, strict=True)])


def product(table: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    queries = table[rows]
    for start in range(0, len(queries), 1024):
        for column in range(0, len(table), 8192):
            queries[start : start + 1024] @ table[column : column + 8192].T
    return np.zeros((len(rows), k), dtype=np.int64)


METHODS: dict[str, Callable[[np.ndarray, int, np.ndarray], np.ndarray]] = {
    "product": product,
    "flat": flat,
    "ours": ours,
    "numpy": numpy_only,
    "usearch": usearch,
}


def measured(name: str, table: np.ndarray, k: int, rows: np.ndarray) -> dict[str, Any]:
    indices, times = timed(lambda: METHODS[name](table, k, rows))
    row: dict[str, Any] = {"method": name, **times}
    if name != "product":
        sample = np.random.default_rng(1).integers(0, len(rows), 200)
        scores = table[rows[sample]].astype(np.float64) @ table.T.astype(np.float64)
        scores[np.arange(len(sample)), rows[sample]] = -np.inf
        exact = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        row["same_lists"] = float((exact == indices[sample]).all(axis=1).mean())
        found = [len(np.intersect1d(one, other)) for one, other in zip(exact, indices[sample], strict=True)]
        row["recall"] = float(np.mean(found) / k)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=int, default=100_000)
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--neighbors", type=int, default=10)
    parser.add_argument("--queries", type=int, help="search for a sample of this many rows only")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--json", help="JSON-lines file that rows are appended to")
    options = parser.parse_args()
    table = clustered(options.table, options.components)
    rows = np.arange(options.table)
    if options.queries:
        rows = np.sort(np.random.default_rng(2).choice(options.table, options.queries, replace=False))
    about = circumstances("simgauge", "numpy", "faiss-cpu", "usearch")
    about |= {"table": options.table, "components": options.components, "queries": len(rows), "k": options.neighbors}
    records: list[dict[str, Any]] = []
    for repetition in range(options.repeat):
        for name in options.methods:
            row = in_own_process(measured, name, table, options.neighbors, rows)
            records.append({"method": name, "repetition": repetition, **row, **about})
            print(f"{repetition} {row}", flush=True)
    write_rows(options.json, records)
    best = {
        name: min((row for row in records if row["method"] == name and "seconds" in row), key=lambda r: r["seconds"])
        for name in options.methods
        if any(row["method"] == name and "seconds" in row for row in records)
    }
    base = best.get("flat")
    print(
        f"\n{'method':9s} {'seconds':>8s} {'cpu s':>8s} {'x flat':>7s} {'peak MiB':>9s} {'same lists':>10s} "
        f"{'recall':>7s}"
    )
    for name, row in best.items():
        ratio = f"{row['seconds'] / base['seconds']:.3f}" if base else ""
        same, recall = row.get("same_lists", ""), row.get("recall", "")
        print(
            f"{name:9s} {row['seconds']:8.2f} {row['cpu_seconds']:8.2f} {ratio:>7s} {row['peak_mib']:9d} "
            f"{same!s:>10s} {recall!s:>7s}"
        )


if __name__ == "__main__":
    main()
