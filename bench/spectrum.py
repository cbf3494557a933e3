"""Low-rank models of interactions side by side: decompositions and alternating least squares, in one run.

    OMP_NUM_THREADS=2 python bench/spectrum.py --problem power12m --repeat 3 --json bench/results/spectrum.jsonl
    problems: power12m, power100m, tall (2M x 2k), wide (20k x 200k), ml-100k (needs --data u.data)

Every method runs in a process of its own, in turn, `repeat` times; the table shows the fastest. `residual` is the
largest ‖XᵀXv − σ²v‖/σ² over all components, computed in float64 from the vectors that the method returned. Alternating
least squares minimises another loss (all entries, count weights): it is here because it is what one would train
instead. `flops` and `bytes` are counted for ours (products with X and orthogonalisation; X and the basis read once each
time); `limit_seconds` is the larger of both at the measured rates of this machine: what cannot be beaten without other
arithmetic.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from limits import limits
from measure import circumstances, in_own_process, timed, write_rows
from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.spectral.spectrum import Spectrum, measure_residuals, spectrum

CLUSTERS = 300
TASTES = 4


def power_law(n_users: int, n_items: int, nonzeros: int, seed: int = 0) -> sp.csr_array:
    """Zeros and ones: item popularity (rank + 20)^-0.9, user activity log-normal, users with tastes for some clusters.

    Repeated draws of a pair are dropped, so the number of non-zeros is a little below what is asked for.
    """
    rng = np.random.default_rng(seed)
    popularity = (np.arange(n_items) + 20.0) ** -0.9
    cluster = rng.integers(0, CLUSTERS, n_items)
    members = [np.flatnonzero(cluster == c) for c in range(CLUSTERS)]
    ladders = [np.cumsum(popularity[m]) / max(popularity[m].sum(), 1e-300) for m in members]
    everything = np.cumsum(popularity / popularity.sum())
    activity = rng.lognormal(0, 1, n_users)
    counts = rng.multinomial(int(nonzeros * 1.3), activity / activity.sum())
    users = np.repeat(np.arange(n_users, dtype=np.int32), counts)
    items = np.minimum(np.searchsorted(everything, rng.random(len(users))), n_items - 1).astype(np.int32)
    taste = rng.integers(0, CLUSTERS, (n_users, TASTES))
    chosen = taste[users, rng.integers(0, TASTES, len(users))]
    chosen[rng.random(len(users)) < 0.5] = -1
    for c in range(CLUSTERS):
        at = np.flatnonzero(chosen == c)
        if len(members[c]):
            items[at] = members[c][np.minimum(np.searchsorted(ladders[c], rng.random(len(at))), len(members[c]) - 1)]
    X = sp.csr_array((np.ones(len(users), dtype=np.float32), (users, items)), shape=(n_users, n_items))
    X.data[:] = 1.0
    return X


Answer = tuple[np.ndarray, np.ndarray]


def ours(X: sp.csr_array, k: int, tol: float) -> Answer:
    result = spectrum(X, k, tol=tol)
    return result.singular_values, result.right_vectors


def arpack(X: sp.csr_array, k: int, tol: float) -> Answer:
    _, s, vt = sp.linalg.svds(X, k=k, tol=tol, solver="arpack", return_singular_vectors="vh", rng=0)
    return s[::-1], vt[::-1].T


def propack(X: sp.csr_array, k: int, tol: float) -> Answer:
    _, s, vt = sp.linalg.svds(X, k=k, tol=tol, solver="propack", rng=0)
    return s[::-1], vt[::-1].T


def randomized(X: sp.csr_array, k: int, _: float) -> Answer:
    from sklearn.utils.extmath import randomized_svd

    _, s, vt = randomized_svd(X, k, n_iter=12, random_state=0)
    return s, vt.T


def one_product(X: sp.csr_array, k: int, _: float) -> Answer:
    """The trivial baseline: what a single XᵀXΩ with k columns costs; no decomposition does with less than several."""
    block = np.random.default_rng(0).standard_normal((X.shape[1], k)).astype(X.dtype)
    return np.ones(k), X.T @ (X @ block)


def lowrank(X: sp.csr_array, k: int, _: float) -> Answer:
    import torch

    torch.manual_seed(0)
    tensor = torch.sparse_csr_tensor(X.indptr, X.indices, X.data, size=X.shape)
    _, s, v = torch.svd_lowrank(tensor, q=k + 10, niter=12)
    return s[:k].numpy(), v[:, :k].numpy()


def implicit_als(X: sp.csr_array, k: int, _: float) -> Answer:
    from implicit.als import AlternatingLeastSquares

    threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
    with threadpool_limits(1, "blas"):  # it asks for that itself
        model = AlternatingLeastSquares(k, iterations=15, num_threads=threads, random_state=0, use_gpu=False)
        model.fit(sp.csr_matrix(X), show_progress=False)
    return np.ones(k), model.item_factors


def irspack_als(X: sp.csr_array, k: int, _: float) -> Answer:
    from irspack import IALSRecommender

    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    model = IALSRecommender(sp.csr_matrix(X), n_components=k, train_epochs=15, n_threads=threads, random_seed=0)
    return np.ones(k), model.learn().get_item_embedding()


METHODS: dict[str, Callable[[sp.csr_array, int, float], Answer]] = {
    "product": one_product,
    "ours": ours,
    "arpack": arpack,
    "propack": propack,
    "randomized": randomized,
    "svd_lowrank": lowrank,
    "implicit": implicit_als,
    "irspack": irspack_als,
}
MODELS = ("product", "implicit", "irspack")
"""Methods whose result is no decomposition, so that no residual is defined."""

PROBLEMS = {
    "power12m": (138_000, 27_000, 12_000_000),
    "power100m": (1_000_000, 100_000, 100_000_000),
    "tall": (2_000_000, 2_000, 20_000_000),
    "wide": (20_000, 200_000, 5_000_000),
    "ml-100k": (0, 0, 0),
}


def measured(name: str, X: sp.csr_array, k: int, tol: float) -> dict[str, Any]:
    (sigma, vectors), times = timed(lambda: METHODS[name](X, k, tol))
    row: dict[str, Any] = {"method": name, **times}
    if name == "ours":
        row |= work_of_ours(X, k, tol)
    if name not in MODELS:
        sigma = np.asarray(sigma, dtype=np.float64)
        residuals = measure_residuals(X, Spectrum(sigma, np.asarray(vectors), None, name, X.shape[0], 0))
        row |= {"residual_max": float(residuals.max()), "residual_median": float(np.median(residuals))}
        row |= {"sigma_1": float(sigma[0]), "sigma_k": float(sigma[-1])}
    return row


def work_of_ours(X: sp.csr_array, k: int, tol: float) -> dict[str, float]:
    """Arithmetic and traffic of our route, counted from its steps (a second run, so that counting costs nothing)."""
    result = spectrum(X, k, tol=tol)
    steps, n, width = result.n_iter, min(X.shape), BLOCK
    columns = steps * width
    sparse, dense = 4.0 * X.nnz * columns, 4.0 * n * columns**2
    traffic = steps * (X.nnz * 8 + 4.0 * (X.shape[0] + 2 * X.shape[1]) * width) + 4 * 4.0 * n * columns * steps / 2
    return {"solver": result.solver, "steps": steps, "sparse_flops": sparse, "dense_flops": dense, "bytes": traffic}


def problem(name: str, data: str | None) -> sp.csr_array:
    if name != "ml-100k":
        return power_law(*PROBLEMS[name])
    if data is None:
        raise SystemExit("--problem ml-100k needs --data, the path of u.data")
    users, items, _, _ = np.loadtxt(data, dtype=np.int64, unpack=True)
    return sp.csr_array((np.ones(len(users), dtype=np.float32), (users - 1, items - 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problem", choices=list(PROBLEMS), default="power12m")
    parser.add_argument("--data", help="u.data of MovieLens 100K")
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--tol", type=float, default=1e-3)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--json", help="JSON-lines file that rows are appended to")
    options = parser.parse_args()
    start = time.perf_counter()
    X = problem(options.problem, options.data)
    print(f"{X.shape[0]} x {X.shape[1]}, {X.nnz} non-zeros, made in {time.perf_counter() - start:.1f} s", flush=True)
    about = circumstances("simgauge", "numpy", "scipy", "scikit-learn", "llvmlite", "torch", "implicit", "irspack")
    about |= limits()
    print(
        f"{about['machine']}, OMP_NUM_THREADS={about['omp_num_threads']}, {about['gemm_gflops']} GFlop/s, "
        f"{about['copy_gbs']} GB/s"
    )
    about |= {
        "problem": options.problem,
        "users": X.shape[0],
        "items": X.shape[1],
        "nonzeros": int(X.nnz),
        "components": options.components,
    }
    rows: list[dict[str, Any]] = []
    for repetition in range(options.repeat):
        for name in options.methods:
            row = in_own_process(measured, name, X, options.components, options.tol)
            if "bytes" in row:
                row["limit_seconds"] = round(limit_seconds(row, about), 2)
            rows.append({"method": name, "repetition": repetition, "tol": options.tol, **row, **about})
            write_rows(options.json, rows[-1:])  # as they come: a run that is stopped keeps what it measured
            shown = {key: value for key, value in row.items() if key not in ("method", "sigma_1")}
            print(f"{repetition} {name:11s} {shown}", flush=True)
    print_table(rows, options.methods)


def limit_seconds(row: dict[str, Any], about: dict[str, Any]) -> float:
    flops = (row["sparse_flops"] + row["dense_flops"]) / (about["gemm_gflops"] * 1e9)
    return max(flops, row["bytes"] / (about["copy_gbs"] * 1e9))


def print_table(rows: list[dict[str, Any]], methods: list[str]) -> None:
    best = {}
    for name in methods:
        good = [row for row in rows if row["method"] == name and "seconds" in row]
        if good:
            best[name] = min(good, key=lambda row: row["seconds"])
    base = best.get("ours")
    print(f"\n{'method':11s} {'seconds':>8s} {'cpu s':>8s} {'x ours':>7s} {'peak MiB':>9s} {'residual':>9s}")
    for name, row in best.items():
        ratio = f"{row['seconds'] / base['seconds']:.2f}" if base else ""
        residual = f"{row['residual_max']:.1e}" if "residual_max" in row else ""
        print(
            f"{name:11s} {row['seconds']:8.2f} {row['cpu_seconds']:8.2f} {ratio:>7s} {row['peak_mib']:9d} "
            f"{residual:>9s}"
        )


if __name__ == "__main__":
    main()
