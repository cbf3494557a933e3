"""Canonical form of two tables beside its limit: two Gram matrices and one output product, timed alone, in the same
run.

OMP_NUM_THREADS=2 python bench/canonical_form.py --rows 1000000 --components 128 --repeat 3 --json out.jsonl
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from limits import limits
from measure import circumstances, in_own_process, timed, write_rows
from simgauge import Embedding, canonical_gauge
from simgauge.core.gauges.canonical import canonical_core, power_map

Tables = tuple[np.ndarray, np.ndarray]


def two_grams_and_a_product(tables: Tables) -> None:
    """The same arithmetic without any of the care: what nothing can be faster than."""
    users, items = tables
    _ = users.T @ users, items.T @ items
    np.matmul(items, np.eye(items.shape[1], dtype=items.dtype))


def core_and_items(tables: Tables) -> None:
    """The canonical form and the items in it, on arrays."""
    power_map(canonical_core(*tables), 1.0).apply_items(tables[1])


def embedding_to_embedding(tables: Tables) -> None:
    """What a user calls: checked tables in, both tables out in the new gauge."""
    users, items = tables
    canonical_gauge(Embedding(items, users=users), 1.0)


METHODS = {"limit": two_grams_and_a_product, "core": core_and_items, "embedding": embedding_to_embedding}


def measured(name: str, tables: Tables) -> dict[str, Any]:
    np.ones((500, 500)) @ np.ones((500, 500))  # threads of BLAS start outside the measurement
    return {"method": name, **timed(lambda: METHODS[name](tables))[1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", help="JSON-lines file that rows are appended to")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    users, items = (rng.standard_normal((options.rows, options.components), dtype=np.float32) for _ in range(2))
    about = circumstances("simgauge", "numpy", "scipy") | limits()
    about |= {"rows": options.rows, "components": options.components}
    rows = [
        {"repetition": repetition, **in_own_process(measured, name, (users, items)), **about}
        for repetition in range(options.repeat)
        for name in METHODS
    ]
    write_rows(options.json, rows)
    base = min(row["seconds"] for row in rows if row["method"] == "limit")
    print(f"{'method':10s} {'seconds':>8s} {'x limit':>8s} {'cpu s':>7s} {'peak MiB':>9s}")
    for name in METHODS:
        best = min((row for row in rows if row["method"] == name), key=lambda row: row["seconds"])
        print(
            f"{name:10s} {best['seconds']:8.2f} {best['seconds'] / base:8.2f} {best['cpu_seconds']:7.2f} "
            f"{best['peak_mib']:9d}"
        )


if __name__ == "__main__":
    main()
