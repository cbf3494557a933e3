"""A hundred models beside one, and a growing rank beside fits from nothing, on the power-law problem.

    OMP_NUM_THREADS=2 python bench/path.py --repeat 2 --json bench/results/path.jsonl

`one`: spectrum and the tables of one model. `hundred`: spectrum, and 100 models (3 penalties, 4 ranks, strengths) with
their losses; `hundred_tables`: the same with both tables of each formed. `grown`: ranks 32, 64, 128 by
`GrowingSpectrum`; `from_nothing`: the same three ranks, each by a spectrum of its own.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from limits import limits
from measure import circumstances, in_own_process, timed, write_rows
from simgauge import factorize, factorize_path, spectrum
from simgauge.core.spectral.spectrum import GrowingSpectrum
from spectrum import PROBLEMS, power_law

RANKS = (32, 64, 96, 128)
PENALTIES = ("product", "factors", "weights")


def one(X: Any) -> int:
    factorize(spectrum(X, 128, tol=1e-3), "product", 1.0)
    return 1


def _hundred(X: Any, tables: bool) -> int:
    whole = spectrum(X, 128, tol=1e-3)
    weakest = float(whole.singular_values[-1]) ** 2
    strengths = weakest * np.geomspace(0.01, 10, 9)
    count = 0
    for model in factorize_path(whole, PENALTIES, l2=strengths.tolist(), n_components=list(RANKS)):
        _ = model.factors() if tables else model.loss
        count += 1
        if count == 100:
            break
    return count


def hundred(X: Any) -> int:
    return _hundred(X, tables=False)


def hundred_tables(X: Any) -> int:
    return _hundred(X, tables=True)


def grown(X: Any) -> int:
    growing = GrowingSpectrum(X, tol=1e-3)
    return [growing.leading(rank).n_iter for rank in (32, 64, 128)][-1]


def from_nothing(X: Any) -> int:
    return sum(spectrum(X, rank, tol=1e-3).n_iter for rank in (32, 64, 128))


METHODS = {
    "one": one,
    "hundred": hundred,
    "hundred_tables": hundred_tables,
    "grown": grown,
    "from_nothing": from_nothing,
}


def measured(name: str, X: Any) -> dict[str, Any]:
    count, times = timed(lambda: METHODS[name](X))
    return {"method": name, "models_or_steps": count, **times}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--json", help="JSON-lines file that rows are appended to")
    options = parser.parse_args()
    X = power_law(*PROBLEMS["power12m"])
    about = circumstances("simgauge", "numpy", "scipy", "llvmlite") | limits() | {"nonzeros": int(X.nnz)}
    rows = [
        {"repetition": repetition, **in_own_process(measured, name, X), **about}
        for repetition in range(options.repeat)
        for name in METHODS
    ]
    write_rows(options.json, rows)
    best = {name: min((r for r in rows if r["method"] == name), key=lambda r: r["seconds"]) for name in METHODS}
    print(f"{'method':15s} {'seconds':>8s} {'x one':>6s} {'cpu s':>7s} {'models or steps':>16s}")
    for name, row in best.items():
        ratio = row["seconds"] / best["one"]["seconds"]
        print(f"{name:15s} {row['seconds']:8.2f} {ratio:6.2f} {row['cpu_seconds']:7.2f} {row['models_or_steps']:16d}")


if __name__ == "__main__":
    main()
