"""The same fits and audits on Dask and Spark: the users stay on the workers, sums and item tables come here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simgauge.distributed.cluster_error import ClusterError
    from simgauge.distributed.dask_events import from_dask
    from simgauge.distributed.dask_parts import DaskParts
    from simgauge.distributed.partitioned import PartitionedInteractions
    from simgauge.distributed.recognise import as_parts

_HOME = {
    "ClusterError": "cluster_error",
    "DaskParts": "dask_parts",
    "PartitionedInteractions": "partitioned",
    "as_parts": "recognise",
    "from_dask": "dask_events",
}
"""Public name -> module that defines it."""

__all__ = [
    "ClusterError",
    "DaskParts",
    "PartitionedInteractions",
    "as_parts",
    "from_dask",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"simgauge.distributed.{_HOME[name]}"), name)
    globals()[name] = value
    return value
