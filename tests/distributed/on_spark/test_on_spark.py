"""Matrices, events, tables and ALS models on Spark: the sums, rows and models of one machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from simgauge import audit
from simgauge.core.matrices.sparse_product import gram_term
from simgauge.core.spectral.spectrum import spectrum
from simgauge.core.tables.row_parts import LocalParts
from simgauge.distributed import (
    SparkParts,
    as_parts,
    from_spark,
    from_spark_als,
    table_from_spark,
)
from simgauge.distributed.on_spark import sum as sum_over_spark
from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.models import LinearAutoencoder
from simgauge.read.interactions import read_interactions
from simgauge.read.libraries import from_library

pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not on this machine"),
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pip install 'simgauge[spark]'"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning", "ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    builder = SparkSession.builder.master("local[2,3]")  # tasks are tried three times, as on a cluster
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def frame_of(spark, events):
    """Without pandas between: Spark warns of its newer versions."""
    names = list(events.columns)
    rows = [
        tuple(None if value is None or value != value else value for value in row) for row in events.values.tolist()
    ]
    return spark.createDataFrame(rows, names)


def rdd_of(spark, pieces, n_partitions=3):
    return spark.sparkContext.parallelize(pieces, n_partitions)


@pytest.fixture(scope="module")
def few(events):
    """Fewer events, with typed columns."""
    return pd.DataFrame({"user_id": events.user_id[:1500] + 0, "item_id": events.item_id[:1500] + 0})


@pytest.mark.parametrize(("edges", "n_partitions"), [([0, 1, 700, 700, 899], 3), ([300, 600], 1)])
def test_sums_and_rows_for_any_partitioning(spark, X, cut, edges, n_partitions):
    pieces, block = cut(X, edges), np.linspace(-1, 1, 400).reshape(200, 2)
    parts = SparkParts(rdd_of(spark, pieces, n_partitions))
    assert parts.shape == X.shape
    np.testing.assert_allclose(parts.sum(gram_term, block), X.T @ (X @ block), rtol=1e-12, atol=1e-12)
    assert (parts.gather() != X).nnz == 0
    starts = list(parts.map(lambda part, first: (first, part.shape[0])))
    assert starts == list(LocalParts(pieces).map(lambda part, first: (first, part.shape[0])))


def test_sums_in_several_levels_and_pieces(spark, monkeypatch):
    monkeypatch.setattr(sum_over_spark, "GROUP", 2)
    monkeypatch.setattr(sum_over_spark, "PIECE_BYTES", 100)
    pieces = [np.full((2, 3), float(number)) for number in range(7)]
    parts = SparkParts(rdd_of(spark, pieces, 7))

    def work(part, first):
        return np.full((60, 2), part.sum()), part.shape[0]

    total, rows = parts.sum(work)
    np.testing.assert_array_equal(total, np.full((60, 2), 6.0 * 21))
    assert rows == 14
    rounded = [parts.sum(lambda _, first: np.full(3, 0.1) * first) for _ in range(2)]
    np.testing.assert_array_equal(*rounded)  # the same order every time


def test_a_model_on_spark_is_the_model_of_one_machine_though_a_worker_dies(spark, X, cut, tmp_path, monkeypatch):
    from simgauge.core.matrices import sparse_product

    flag = tmp_path / "killed"

    def dying(part, first, block, *more):
        from simgauge.core.matrices.sparse_product import gram_term

        if first == 600 and flag.parent.joinpath("started").exists() and not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return gram_term(part, first, block, *more)

    def progress(text, percent, steps):
        (tmp_path / "started").touch()

    one = spectrum(X, 4, solver="lanczos", tol=1e-3)
    parts = SparkParts(rdd_of(spark, cut(X, [300, 600]), 2))
    monkeypatch.setattr(sparse_product, "gram_term", dying)
    result = spectrum(parts, 4, solver="lanczos", tol=1e-3, progress=progress)
    assert flag.exists()
    np.testing.assert_allclose(result.singular_values, one.singular_values, rtol=1e-12)
    np.testing.assert_allclose(result.right_vectors, one.right_vectors, atol=1e-7)


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ctrl_c_leaves_no_work_behind(spark, X, cut):
    parts = SparkParts(rdd_of(spark, cut(X, [300, 600]), 3))

    def slow(part, first):
        import time

        time.sleep(30)
        return part.sum()

    tracker = spark.sparkContext.statusTracker()

    def interrupt_once_it_runs():
        wait_until(tracker.getActiveJobsIds)
        time.sleep(1.0)  # this thread is waiting for the job by then, not talking to the gateway
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_once_it_runs).start()
    with pytest.raises(KeyboardInterrupt):
        parts.sum(slow)
    wait_until(lambda: not tracker.getActiveJobsIds())
    assert parts.sum(lambda part, _: part.sum()) == X.sum()


def test_events_to_a_model(spark, events):
    local = read_interactions(events, user="user_id", item="item_id", weight="plays")
    seen = from_spark(frame_of(spark, events.astype({"user_id": "int64"})).selectExpr(
        "cast(user_id as int) as user_id", "cast(item_id as bigint) as item_id", "plays"
    ), weight="plays", n_parts=3)  # fmt: skip
    assert seen.gather_user_ids().tolist() == local.user_ids.tolist()  # in order over all partitions
    assert seen.item_ids.tolist() == local.item_ids.tolist()
    assert abs(seen.matrix.gather() - local.matrix).max() < 1e-12
    assert seen.report["rows_of_weight_zero_dropped"] == int((events.plays == 0).sum())
    model, one = LinearAutoencoder(6).fit(seen), LinearAutoencoder(6).fit(local.matrix)
    np.testing.assert_allclose(model.decoder_, one.decoder_, atol=1e-9)
    users = model.transform(seen)
    assert isinstance(users, SparkParts)
    np.testing.assert_allclose(users.gather(), one.transform(local.matrix), atol=1e-9)
    np.testing.assert_allclose(users.take(np.array([7, 299, 7])), users.gather()[[7, 299, 7]])


def test_text_ids_missing_ids_and_given_items(spark):
    rows = [("b", "x"), ("a", "y"), ("b", "x"), (None, "x"), ("a", None), ("", "y"), ("ä", "z")]
    frame = spark.createDataFrame(rows, ["user", "item"])
    with pytest.warns(DroppedDataWarning, match=r"2 \(missing user id\), 1 \(missing item id\)"):
        seen = from_spark(frame)
    assert seen.gather_user_ids().tolist() == ["a", "b", "ä"]
    np.testing.assert_array_equal(seen.matrix.gather().toarray(), [[0, 1, 0], [2, 0, 0], [0, 0, 1]])
    assert seen.report["duplicates"]["events_merged"] == 1
    with pytest.raises(InputError, match="1 items are not among the 3 item_ids"):
        from_spark(frame, item_ids=["y", "x", "new"])
    with pytest.warns(DroppedDataWarning, match="unknown item"):
        seen = from_spark(frame, item_ids=["y", "x", "new"], unknown_items="drop", dtype="float32")
    np.testing.assert_array_equal(seen.matrix.gather().toarray(), [[1, 0, 0], [0, 2, 0]])
    assert seen.matrix.dtype == np.float32


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, 2, float("nan"))], "1 weights are missing, NaN.*user 1, item 2, weight nan"),
        ([(1, 2, -1.0)], "weight -1.0"),
        ([(1, 2, None), (3, 4, 1.0)], "weight None"),
        ([(1, 2, 0.0)], "none of the 1 rows"),
        ([], "holds no rows"),
    ],
)
def test_events_that_cannot_be_used(spark, rows, message):
    frame = spark.createDataFrame(rows, "user long, item long, weight double")
    with pytest.raises(InputError, match=message):
        from_spark(frame, weight="weight")


def test_bad_calls(spark, X):
    frame = spark.createDataFrame([(1.5, 2, "x")], "user double, item long, weight string")
    with pytest.raises(InputError, match="user ids must be integers or text; 'user' is double"):
        from_spark(frame)
    with pytest.raises(InputError, match="weights must be numbers; 'weight' is string"):
        from_spark(frame.selectExpr("item as user", "item as item", "weight"), weight="weight")
    with pytest.raises(InputError, match="expected a Spark DataFrame, received ndarray"):
        from_spark(np.eye(2))
    with pytest.raises(ParameterError, match="n_parts=0"):
        from_spark(frame, n_parts=0)
    with pytest.raises(InputError, match=r"expected a Spark RDD, received list.*from_spark"):
        SparkParts([1])
    with pytest.raises(InputError, match="partition 1, element 0 has 4 columns, float64, dense, but partition 0"):
        SparkParts(rdd_of(spark, [np.ones((2, 3)), np.ones((2, 4))], 2))
    with pytest.raises(InputError, match="partitions are empty"):
        SparkParts(rdd_of(spark, [np.ones((0, 3))], 1))


def test_tables_of_vectors(spark):
    rng = np.random.default_rng(3)
    table, ids = rng.standard_normal((40, 3)), rng.permutation(1000)[:40]
    rows = [(int(key), row.tolist()) for key, row in zip(ids, table, strict=True)]
    frame = spark.createDataFrame(rows, "id int, features array<double>").repartition(4)
    found = table_from_spark(frame, n_parts=3)
    order = np.argsort(ids)
    assert found.ids.tolist() == ids[order].tolist()
    np.testing.assert_array_equal(found.parts.gather(), table[order])
    np.testing.assert_array_equal(found.parts.take(np.array([39, 0, 0])), table[order][[39, 0, 0]])
    np.testing.assert_array_equal(as_parts(frame).gather(), table[order])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, [1.0]), (2, [1.0, 2.0])], r"partition \d has vectors of unequal length \(1 for 1, 2 for 2\)"),
        ([(1, [1.0]), (2, None)], r"partition \d has 1 ids without vector \(such as 2\)"),
        ([(None, [1.0])], r"partition \d has 1 rows without id"),
        ([(1, [None])], r"partition \d has 1 missing numbers"),
        ([(1, [1.0]), (1, [2.0])], r"1 ids occur twice \(such as 1\)"),
    ],
)
def test_tables_that_cannot_be_used(spark, rows, message):
    with pytest.raises(InputError, match=message):
        table_from_spark(spark.createDataFrame(rows, "id int, vector array<float>"), n_parts=1)


def test_frames_that_are_no_tables(spark, few):
    with pytest.raises(InputError, match=r"for events from_spark"):
        LinearAutoencoder(2).fit(spark.createDataFrame([(1, 2)], "user_key int, item_key int"))
    with pytest.raises(InputError, match="'vector' is string; expected array<float>"):
        table_from_spark(spark.createDataFrame([(1, "x")], "id int, vector string"))


def test_an_als_model_without_collecting_its_tables(spark):
    from pyspark.ml.recommendation import ALS

    rng = np.random.default_rng(5)
    rows = [(u, 7 * i + 100, float(rng.integers(1, 6))) for u in range(20) for i in range(12) if rng.random() < 0.5]
    als = ALS(rank=3, maxIter=1, seed=0, numUserBlocks=2, numItemBlocks=2)
    model = als.fit(spark.createDataFrame(rows, ["user", "item", "rating"]))
    embedding, collected = from_spark_als(model, n_parts=2), from_library(model)
    assert isinstance(embedding.items, SparkParts)
    assert isinstance(embedding.users, SparkParts)
    for side in ("items", "users"):
        np.testing.assert_array_equal(getattr(embedding, side).gather(), getattr(collected, side))
    assert embedding.item_ids.tolist() == collected.item_ids.tolist()
    assert embedding.user_ids.tolist() == collected.user_ids.tolist()
    assert embedding.provenance["objective"] == "als-wr"
    gram = embedding.items.sum(lambda part, _: part.T @ part)
    np.testing.assert_allclose(gram, collected.items.T @ collected.items, rtol=1e-5)
    with pytest.raises(InputError, match="a fitted ALSModel is read"):
        from_spark_als(spark)
    here, there = audit(collected, k=2, sample=5), audit(embedding, k=2, sample=5)
    for one, other in zip(here.findings, there.findings, strict=True):
        assert (one.id, one.verdict) == (other.id, other.verdict)
        assert other.value == (None if one.value is None else pytest.approx(one.value, rel=1e-4, abs=1e-6)), f"{one.id}"


def test_sparse_elements_of_other_formats_are_refused(spark):
    with pytest.raises(InputError, match="sparse"):
        SparkParts(rdd_of(spark, [sp.csr_array(np.eye(2)), np.eye(2)], 2))


def test_spark_code_of_the_page_runs(spark, capsys):
    page = (Path(__file__).parents[3] / "docs" / "clusters.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python spark\n(.*?)```", page, flags=re.S)
    exec(compile(block, "clusters.md", "exec"), {"spark": spark})
    assert "60 users, 20 items" in capsys.readouterr().out
