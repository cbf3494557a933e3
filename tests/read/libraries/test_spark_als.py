"""Spark ALS: predictions are dot products of the tables read from what Spark 4.3 wrote (data/spark), without Spark.

`test_live` trains in a local Spark session; it takes half a minute and runs where SIMGAUGE_TEST_SPARK is set.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.libraries import from_library

WRITTEN = Path(__file__).parent / "data" / "spark"
PREDICTIONS = json.loads((WRITTEN / "predictions.json").read_text())


def assert_predicts(embedding: Embedding, predictions: list[tuple[int, int, float]]) -> None:
    """float32 dot products of three numbers, and every pair that Spark predicted."""
    row = {user: number for number, user in enumerate(embedding.user_ids.tolist())}
    column = {item: number for number, item in enumerate(embedding.item_ids.tolist())}
    scores = embedding.users @ embedding.items.T
    known = [(user, item, value) for user, item, value in predictions if value == value]
    assert len(known) == scores.size == 240
    assert np.allclose([scores[row[user], column[item]] for user, item, _ in known], [v for *_, v in known], atol=1e-5)


@pytest.mark.parametrize("folder", ["als", "pipeline"])
@pytest.mark.parametrize("read", [read_embedding, from_library])
def test_predictions_are_dot_products(folder: str, read: object) -> None:
    embedding = read(WRITTEN / folder)
    assert_predicts(embedding, PREDICTIONS)
    assert embedding.item_ids.tolist() == [7 * item + 100 for item in range(12)]  # Spark's ids, not row numbers
    assert embedding.provenance["library"] == "pyspark"
    assert embedding.provenance["version"] == "4.3.0"
    assert embedding.provenance["objective"] == "als-wr"
    assert embedding.provenance["bias_columns"] == []


def test_ids_tell_the_rows_apart() -> None:
    """The control: the same tables with the ids of the items in another order predict something else."""
    embedding = read_embedding(WRITTEN / "als")
    turned = Embedding(embedding.items, embedding.users, embedding.item_ids[::-1], embedding.user_ids)
    with pytest.raises(AssertionError):
        assert_predicts(turned, PREDICTIONS)


def test_bad_folders(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(WRITTEN / "als", folder)
    metadata = next((folder / "metadata").glob("part-*"))
    text = metadata.read_text()
    metadata.write_text(text.replace("recommendation.ALSModel", "feature.Word2VecModel"))
    with pytest.raises(InputError, match=r"Word2VecModel; read are ALSModel folders"):
        read_embedding(folder)
    metadata.write_text("{")
    with pytest.raises(InputError, match="no metadata of a Spark model"):
        read_embedding(folder)
    metadata.write_text(text)
    for part in (folder / "userFactors").glob("*.parquet"):
        part.unlink()
    with pytest.raises(InputError, match="was not copied whole"):
        read_embedding(folder)
    pq.write_table(pa.table({"id": [1, 2], "features": [[1.0], [1.0, 2.0]]}), folder / "userFactors" / "a.parquet")
    with pytest.raises(InputError, match="of unequal length"):
        read_embedding(folder)
    (folder / "userFactors" / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="userFactors cannot be read"):
        read_embedding(folder)
    with pytest.raises(InputError, match="leave users out"):
        read_embedding(WRITTEN / "als", users=np.eye(3))
    shutil.copytree(WRITTEN / "pipeline", tmp_path / "pipeline")
    shutil.copytree(next((tmp_path / "pipeline" / "stages").glob("*")), tmp_path / "pipeline" / "stages" / "1_ALS")
    with pytest.raises(InputError, match="2 ALS stages"):
        read_embedding(tmp_path / "pipeline")


LIVE = """
import sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import spark_model, test_spark_als
from simgauge.read.libraries import from_library
spark = spark_model.session()
for model in spark_model.train(spark):
    test_spark_als.assert_predicts(from_library(model), spark_model.predictions(spark, model))
try:
    from_library(spark)
except ValueError as error:
    assert "a fitted ALSModel is read" in str(error), error
else:
    raise SystemExit("a session was taken for a model")
spark.stop()
"""


@pytest.mark.skipif(not os.environ.get("SIMGAUGE_TEST_SPARK"), reason="set SIMGAUGE_TEST_SPARK=1: starts a JVM, 30 s")
def test_live() -> None:
    """Objects in a session; in a process of its own, because Spark warns and leaves threads behind."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("pyspark or Java is not installed (extra: adapters)")
    done = subprocess.run(
        [sys.executable, "-c", LIVE, str(Path(__file__).parent)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stderr[-3000:]}"
