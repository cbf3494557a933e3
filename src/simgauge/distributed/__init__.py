"""The same fits and audits on Dask and Spark: the users stay on the workers, sums and item tables are copied to the
driver."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simgauge.distributed.cluster_error import ClusterError
    from simgauge.distributed.on_dask.events import from_dask
    from simgauge.distributed.on_dask.parts import DaskParts
    from simgauge.distributed.on_spark.events import from_spark
    from simgauge.distributed.on_spark.parts import SparkParts
    from simgauge.distributed.on_spark.tables import SparkTable, from_spark_als, table_from_spark
    from simgauge.distributed.partitioned import PartitionedInteractions
    from simgauge.distributed.plan import ClusterPlan, plan_fit
    from simgauge.distributed.recognise import as_parts

_HOME = {
    "ClusterError": "cluster_error",
    "ClusterPlan": "plan",
    "DaskParts": "on_dask.parts",
    "PartitionedInteractions": "partitioned",
    "SparkParts": "on_spark.parts",
    "SparkTable": "on_spark.tables",
    "as_parts": "recognise",
    "from_dask": "on_dask.events",
    "from_spark": "on_spark.events",
    "from_spark_als": "on_spark.tables",
    "plan_fit": "plan",
    "table_from_spark": "on_spark.tables",
}
"""Public name -> module that defines it."""

__all__ = [
    "ClusterError",
    "ClusterPlan",
    "DaskParts",
    "PartitionedInteractions",
    "SparkParts",
    "SparkTable",
    "as_parts",
    "from_dask",
    "from_spark",
    "from_spark_als",
    "plan_fit",
    "table_from_spark",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"simgauge.distributed.{_HOME[name]}"), name)
    globals()[name] = value
    return value
