"""Train and save a small ALS model with Spark, as a script: the folder under data/ that the tests read without Spark.

    python tests/read/libraries/spark_model.py DIRECTORY

Needs pyspark and Java. Writes the model folder, the same model as the stage of a pipeline, and its predictions.
"""

from __future__ import annotations

import json
import random
import sys
import warnings
from pathlib import Path
from typing import Any

USERS = [10 * user + 3 for user in range(20)]
ITEMS = [7 * item + 100 for item in range(12)]


def session() -> Any:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def train(spark: Any) -> tuple[Any, Any]:
    """An ALSModel and a PipelineModel with one, fitted to the same ratings."""
    from pyspark.ml import Pipeline
    from pyspark.ml.recommendation import ALS

    draw = random.Random(0)
    rows = [(user, item, float(draw.randint(1, 5))) for user in USERS for item in ITEMS if draw.random() < 0.5]
    ratings = spark.createDataFrame(rows, ["user", "item", "rating"])
    als = ALS(rank=3, maxIter=3, seed=0, regParam=0.1, numUserBlocks=2, numItemBlocks=2)
    return als.fit(ratings), Pipeline(stages=[als]).fit(ratings)


def predictions(spark: Any, model: Any) -> list[tuple[int, int, float]]:
    """(user, item, prediction) of every pair."""
    pairs = spark.createDataFrame([(user, item) for user in USERS for item in ITEMS], ["user", "item"])
    rows = model.transform(pairs).collect()
    return [(row["user"], row["item"], float(row["prediction"])) for row in rows]


def main(directory: Path) -> None:
    spark = session()
    model, pipeline = train(spark)
    model.write().overwrite().save(str(directory / "als"))
    pipeline.write().overwrite().save(str(directory / "pipeline"))
    (directory / "predictions.json").write_text(json.dumps(sorted(predictions(spark, model))) + "\n")
    spark.stop()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]).resolve())
