"""Neighbours, spectra and bounds of tensors on a device beside the NumPy path, with the limit of the device beside
both.

    python bench/device.py --json out.jsonl                      # the GPU if torch sees one, else tensors on the CPU
    python bench/device.py --device cpu --table 20000 --stored 1000000

`limit_s` is what the counted operations take at the rates measured in the same run: a product of two square matrices in
the dtype of the problem (IEEE float32, TF32 off) and a copy within the memory of the device. Operations counted:

- topk: 2 n² d flops, and n² scores written and read once, for n rows of d components;
- spectrum: per step two products with the sparse matrix, of 4 nnz b flops that read nnz (value and index) bytes and
  write n b values, and 8 n m b flops against the m vectors of the basis;
- bounds: 2 n_pairs d values gathered and about 10 values of float64 read and written for each.

Every tensor call is preceded by one that is not counted (kernels are loaded then), and ends when the device has ended.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from measure import circumstances, write_rows
from simgauge.core.bounds.cosine_bounds import cosine_bounds
from simgauge.core.neighbors.topk import top_k
from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.spectral.spectrum import Spectrum, spectrum
from simgauge.core.tables.tensor_precision import ieee_products
from topk import clustered

Call = Callable[[], Any]


def finished(device: str) -> None:
    """Wait until the device has done what it was told."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def best_seconds(call: Call, repeat: int, device: str) -> tuple[Any, float, float | None]:
    """Result, least seconds of some calls, and the peak of memory on the device in MiB."""
    times, peak = [], None
    for _ in range(repeat):
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
        finished(device)
        start = time.perf_counter()
        result = call()
        finished(device)
        times.append(time.perf_counter() - start)
        if device.startswith("cuda"):
            peak = (torch.cuda.max_memory_allocated() - before) / 2**20
    return result, min(times), peak


def measured_rates(device: str) -> dict[str, float]:
    """Flops a second of a square product in both dtypes, and bytes a second of a copy (read and written)."""
    size = 8192 if device.startswith("cuda") else 2048
    rates = {}
    for dtype in (torch.float32, torch.float64):
        square = torch.ones((size, size), dtype=dtype, device=device)
        with ieee_products(square):
            square @ square
            _, seconds, _ = best_seconds(lambda square=square: square @ square, 3, device)
        rates[str(dtype).removeprefix("torch.")] = 2 * size**3 / seconds
    source = torch.ones(1 << (30 if device.startswith("cuda") else 26), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    _, seconds, _ = best_seconds(lambda: target.copy_(source), 5, device)
    rates["bytes"] = 2 * source.numel() / seconds
    return rates


def power_law(n_users: int, n_items: int, stored: int, dtype: str) -> sp.csr_array:
    """Interactions whose items are as popular as those of real catalogues: ones, a few thousand to the first item."""
    rng = np.random.default_rng(0)
    popularity = (1.0 + np.arange(n_items)) ** -0.8
    columns = rng.choice(n_items, stored, p=popularity / popularity.sum())
    X = sp.coo_array((np.ones(stored, dtype), (rng.integers(0, n_users, stored), columns)), (n_users, n_items)).tocsr()
    X.data[:] = 1.0
    return X


def as_tensor(X: sp.csr_array, device: str) -> Any:
    """The same matrix as a CSR tensor with int32 indices."""
    return torch.sparse_csr_tensor(
        torch.as_tensor(X.indptr.astype(np.int32)),
        torch.as_tensor(X.indices.astype(np.int32)),
        torch.as_tensor(X.data),
        size=X.shape,
        check_invariants=False,
    ).to(device)


def neighbours(options: argparse.Namespace, dtype: str, rates: dict[str, float]) -> dict[str, Any]:
    table = clustered(options.table, options.components).astype(dtype)
    moved = torch.as_tensor(table, device=options.device)
    n = len(table)
    return {
        "problem": f"topk {n} x {options.components}, k={options.neighbors}",
        "numpy": lambda: top_k(table, options.neighbors),
        "tensor": lambda: top_k(moved, options.neighbors),
        "agreement": lambda one, other: float((one[0] == other[0]).all(axis=1).mean()),
        "limit_s": lambda _: 2.0 * n * n * options.components / rates["float32"] + 8.0 * n * n / rates["bytes"],
    }


def decomposition(options: argparse.Namespace, dtype: str, rates: dict[str, float]) -> dict[str, Any]:
    X = power_law(options.users, options.items, options.stored, dtype)
    moved = as_tensor(X, options.device)

    def limit(result: Spectrum) -> float:
        size, itemsize = min(X.shape), np.dtype(dtype).itemsize
        steps, products = result.n_iter, 2 * result.n_iter
        flops = products * 2.0 * X.nnz * BLOCK + 4.0 * size * BLOCK**2 * steps**2
        moved_bytes = products * (X.nnz * (itemsize + 4.0) + sum(X.shape) * BLOCK * itemsize)
        return float(flops / rates[dtype] + moved_bytes / rates["bytes"])

    return {
        "problem": f"spectrum {X.shape[0]} x {X.shape[1]}, {X.nnz} stored, {options.rank} components",
        "numpy": lambda: spectrum(X, options.rank, solver="lanczos"),
        "tensor": lambda: spectrum(moved, options.rank, solver="lanczos"),
        "agreement": lambda one, other: 1.0 - float(np.abs(one.singular_values / other.singular_values - 1.0).max()),
        "limit_s": limit,
    }


def bounds_of(group: str) -> Callable[[argparse.Namespace, str, dict[str, float]], dict[str, Any]]:
    def problem(options: argparse.Namespace, dtype: str, rates: dict[str, float]) -> dict[str, Any]:
        table = clustered(options.table, options.components).astype(dtype)
        moved = torch.as_tensor(table, device=options.device)
        pairs = np.random.default_rng(1).integers(0, len(table), (options.pairs, 2))
        values = 2.0 * len(pairs) * options.components
        return {
            "problem": f"bounds {group}, {len(pairs)} pairs of {options.components}",
            "numpy": lambda: cosine_bounds(table, pairs, 4.0, group),
            "tensor": lambda: cosine_bounds(moved, pairs, 4.0, group),
            "agreement": lambda one, other: 1.0 - float(np.abs(np.subtract(one, other)).max()),
            "limit_s": lambda _: values * (np.dtype(dtype).itemsize + 10 * 8.0) / rates["bytes"],
        }

    return problem


PROBLEMS = {
    "topk": neighbours,
    "spectrum": decomposition,
    "linear": bounds_of("linear"),
    "diagonal": bounds_of("diagonal"),
}


def measured(name: str, dtype: str, options: argparse.Namespace, rates: dict[str, float]) -> list[dict[str, Any]]:
    """Rows of one problem: NumPy and tensor."""
    problem = PROBLEMS[name](options, dtype, rates)
    reference, rows = None, []
    for method in options.methods:
        device = options.device if method == "tensor" else "cpu"
        if method == "tensor":
            problem["tensor"]()
        result, seconds, peak = best_seconds(problem[method], options.repeat, device)
        row = {"problem": problem["problem"], "dtype": dtype, "method": method, "seconds": round(seconds, 4)}
        if method == "tensor":
            row |= {"limit_s": round(problem["limit_s"](result), 5), "device_peak_mib": peak and round(peak)}
            row["agreement"] = None if reference is None else problem["agreement"](result, reference)
        reference = result
        rows.append(row)
        print(row, flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--methods", nargs="+", default=["numpy", "tensor"], choices=["numpy", "tensor"])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"], choices=["float32", "float64"])
    parser.add_argument("--table", type=int, default=100_000)
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--neighbors", type=int, default=10)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=30_000)
    parser.add_argument("--stored", type=int, default=12_000_000)
    parser.add_argument("--rank", type=int, default=128)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", help="JSON-lines file that rows are appended to")
    options = parser.parse_args()
    rates = measured_rates(options.device)
    about = circumstances("simgauge", "numpy", "torch")
    name = torch.cuda.get_device_name() if options.device.startswith("cuda") else "cpu"
    about |= {"device": name, "measured_rates": rates, "torch_threads": torch.get_num_threads()}
    print(f"{name}: " + ", ".join(f"{key} {rate:.3g}/s" for key, rate in rates.items()), flush=True)
    records = [
        row for name in options.problems for dtype in options.dtypes for row in measured(name, dtype, options, rates)
    ]
    write_rows(options.json, [{**row, **about} for row in records])


if __name__ == "__main__":
    main()
