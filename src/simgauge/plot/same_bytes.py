"""Settings of matplotlib by which the same data give the same drawing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_ONE_AT_A_TIME = threading.Lock()
"""The settings of matplotlib belong to the whole process: two threads would restore each other's."""


@contextmanager
def drawn_alike(more: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Settings of matplotlib by which the same data give the same bytes, and more; threads wait for each other."""
    import matplotlib as mpl

    settings: Any = {"svg.hashsalt": "simgauge", "svg.fonttype": "path", **(more or {})}
    with _ONE_AT_A_TIME, mpl.rc_context(settings):
        yield
