"""How many threads a computation may use."""

from __future__ import annotations

import os


def thread_count() -> int:
    """OMP_NUM_THREADS where it is set, else the processors this process may use."""
    requested = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if requested.isdigit() and int(requested) > 0:
        return int(requested)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
