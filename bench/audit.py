"""Time and peak memory of `audit` beyond the input, by table size; optionally beside vecscope in the same run.

    OMP_NUM_THREADS=2 .venv/bin/python bench/audit.py --sizes 20000x64 100000x768 [--vecscope PYTHON_WITH_VECSCOPE]

Each measurement is a process of its own. The table is random with decaying directions, float32, memory-mapped from a
temporary file, so that the resident size counts what the audit itself takes plus the pages it touches.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHILD = """
import json, resource, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
mode = sys.argv[2]
start = time.perf_counter()
if mode == "simgauge":
    from simgauge import Embedding, audit
    table = np.load(sys.argv[1], mmap_mode="r")
    result = audit(Embedding(table))
else:
    from vecscope import audit
    result = audit(np.load(sys.argv[1]), k=10)
print(json.dumps({"seconds": round(time.perf_counter() - start, 2),
                  "cpu_seconds": round(time.process_time(), 2),
                  "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""


def table(path: Path, n: int, k: int) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, k))
    scale = (np.arange(1, k + 1) ** -0.5).astype(np.float32)
    for start in range(0, n, 10_000):
        out[start : start + 10_000] = rng.standard_normal((min(10_000, n - start), k), dtype=np.float32) * scale
    out.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["20000x64", "100000x768"])
    parser.add_argument("--vecscope", help="a Python that has vecscope installed")
    parser.add_argument("--timeout", type=float, default=600)
    arguments = parser.parse_args()
    threads = os.environ.get("OMP_NUM_THREADS", "unset")
    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores, OMP_NUM_THREADS={threads}")
    for size in arguments.sizes:
        n, k = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table.npy"
            table(path, n, k)
            rivals = [("simgauge", sys.executable)] + ([("vecscope", arguments.vecscope)] if arguments.vecscope else [])
            for name, python in rivals:
                start = time.perf_counter()
                try:
                    done = subprocess.run([python, "-c", CHILD, str(path), name], capture_output=True, text=True,
                                          timeout=arguments.timeout, check=True)  # fmt: skip
                    row = json.loads(done.stdout.splitlines()[-1])
                except subprocess.TimeoutExpired:
                    row = {"seconds": f"> {time.perf_counter() - start:.0f}", "cpu_seconds": None, "peak_mib": None}
                print(json.dumps({"size": size, "input_mib": n * k * 4 >> 20, "tool": name, **row}), flush=True)


if __name__ == "__main__":
    main()
