"""One measurement: seconds, processor seconds and peak memory of a call in a process of its own, as a JSON row."""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def in_own_process(call: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Run `call(*arguments)` in a forked process; its own dict comes back.

    The data are shared with the parent, so the `peak_mib` of `timed` is what the call needed beyond them.
    """
    receiver, sender = mp.get_context("fork").Pipe(duplex=False)
    process = mp.get_context("fork").Process(target=_child, args=(sender, call, arguments))
    process.start()
    sender.close()
    try:
        row = receiver.recv()
    except EOFError:
        row = {"error": "the process ended without an answer"}
    process.join()
    return row


def _child(sender: Any, call: Callable[..., dict[str, Any]], arguments: tuple[Any, ...]) -> None:
    try:
        sender.send(call(*arguments))
    except Exception as error:
        sender.send({"error": f"{type(error).__name__}: {error}"[:200]})


def timed(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """The result of a call, with its wall and processor seconds and the growth of the peak memory."""
    before = _peak_mib()
    wall, processor = time.perf_counter(), time.process_time()
    result = call()
    return result, {
        "seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - processor, 3),
        "peak_mib": round(_peak_mib() - before),
    }


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def circumstances(*packages: str) -> dict[str, Any]:
    """Machine, threads, load, versions and commit."""
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "openblas_num_threads": os.environ.get("OPENBLAS_NUM_THREADS"),
        "load_1min": os.getloadavg()[0],
        "versions": versions,
        "commit": _commit(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str | None:
    answer = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def write_rows(path: str | None, rows: list[dict[str, Any]]) -> None:
    """Append rows to a JSON-lines file."""
    if path is not None:
        with Path(path).open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
