"""Spark's ALS: the fitted model in a session, and the folder that its save wrote, read without Spark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.libraries.found_tables import FoundTables, described, library_version

CONVENTION = "no biases; regParam is scaled by the rating counts of each row (ALS-WR); ids as Spark had them"
ALS_CLASS = "org.apache.spark.ml.recommendation.ALSModel"


def from_spark_als(model: Any) -> FoundTables:
    """``itemFactors`` and ``userFactors`` of an ALSModel (or of the one stage of a PipelineModel that is one)."""
    model = als_stage(model)
    items, item_ids = _collected(model.itemFactors)
    users, user_ids = _collected(model.userFactors)
    more = {"items_from": "itemFactors", "users_from": "userFactors"}
    about = described(model, objective="als-wr", biases="none", convention=CONVENTION, **more)
    about["version"] = library_version("pyspark")
    return FoundTables(items, users, item_ids=item_ids, user_ids=user_ids, provenance=about)


def is_spark_model(folder: Path) -> bool:
    """Whether a folder is laid out like a saved Spark model or pipeline."""
    return folder.is_dir() and (folder / "metadata").is_dir() and any((folder / "metadata").glob("part-*"))


def from_spark_folder(folder: Path) -> FoundTables:
    """The tables of a saved ALSModel, or of the one ALSModel among the stages of a saved PipelineModel."""
    metadata = _metadata(folder)
    if str(metadata.get("class", "")).endswith("PipelineModel"):
        stages = [stage for stage in sorted((folder / "stages").glob("*")) if _is_als(stage)]
        if len(stages) != 1:
            raise InputError(f"{folder.name} is a Spark pipeline with {len(stages)} ALS stages: pass a stage's folder.")
        folder, metadata = stages[0], _metadata(stages[0])
    if metadata.get("class") != ALS_CLASS:
        raise InputError(
            f"{folder.name} holds a Spark {metadata.get('class', 'model')}; read are ALSModel folders. Export the "
            "vectors of other models as Parquet and pass that."
        )
    items, item_ids = _factors(folder / "itemFactors")
    users, user_ids = _factors(folder / "userFactors")
    provenance = {
        "library": "pyspark",
        "version": metadata.get("sparkVersion"),
        "class": ALS_CLASS,
        "objective": "als-wr",
        "biases": "none",
        "convention": CONVENTION,
        "items_from": "itemFactors",
        "users_from": "userFactors",
    }
    return FoundTables(items, users, item_ids=item_ids, user_ids=user_ids, provenance=provenance)


def als_stage(model: Any) -> Any:
    """The ALSModel itself, or the one among the stages of a PipelineModel."""
    stages = [stage for stage in getattr(model, "stages", [model]) if hasattr(stage, "itemFactors")]
    if len(stages) != 1:
        raise InputError(
            f"of Spark, a fitted ALSModel is read, or a PipelineModel with one; received {type(model).__name__}. Fit "
            "ALS first; pass other vectors as arrays: Embedding(items, users)."
        )
    return stages[0]


def _collected(frame: Any) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rows = frame.select("id", "features").collect()
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    vectors = np.array([row[1] for row in rows], dtype=np.float32)
    order = np.argsort(ids)
    return vectors[order], ids[order]


def _factors(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    parts = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    if not parts:
        raise InputError(f"{folder.parent.name} has no {folder.name}/*.parquet: the model was not copied whole.")
    try:
        table = pa.concat_tables([pq.read_table(part, columns=["id", "features"], partitioning=None) for part in parts])
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{folder.parent.name}/{folder.name} cannot be read: {str(error)[:200]}.") from error
    table = table.sort_by("id")
    lists = table["features"].combine_chunks()
    lengths = np.asarray(lists.value_lengths())
    if len(lengths) == 0 or lists.null_count or (lengths != lengths[0]).any():
        raise InputError(f"{folder.parent.name}/{folder.name} holds no table: rows are missing or of unequal length.")
    vectors = np.asarray(lists.flatten(), dtype=np.float32).reshape(len(lengths), -1)
    return vectors, np.asarray(table["id"], dtype=np.int64)


def _metadata(folder: Path) -> dict[str, Any]:
    try:
        text = next(iter(sorted((folder / "metadata").glob("part-*")))).read_text(encoding="utf-8")
        loaded = json.loads(text.splitlines()[0])
    except (OSError, ValueError, IndexError, StopIteration) as error:
        raise InputError(f"{folder.name}/metadata is no metadata of a Spark model: {error}. Save it again.") from error
    return loaded if isinstance(loaded, dict) else {}


def _is_als(stage: Path) -> bool:
    return is_spark_model(stage) and _metadata(stage).get("class") == ALS_CLASS
