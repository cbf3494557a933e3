"""export and check: what arrives is verified by the store itself, and each planted fault is found."""

from __future__ import annotations

import json

import numpy as np
import pytest

import simgauge
from simgauge import Embedding, InputError, check, export
from simgauge.remedies import CanonicalGauge
from simgauge.shipping.verification import Truth, answers, scores_of
from simgauge.stores.rows import export_rows
from simgauge.stores.target import open_store, parse_target
from stores.places import SEARCHING, WRITTEN

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.stores]


@pytest.fixture
def model(rng):
    items = rng.standard_normal((400, 12)) * rng.lognormal(0, 1, (400, 1))
    items[3] = 0
    return Embedding(items, users=rng.standard_normal((50, 12)), item_ids=[f"i{row}" for row in range(400)])


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_target_is_verified_after_writing(place, model, kind):
    shipped = export(model, place(kind))
    assert shipped.verified
    assert shipped.rows_found == 399
    assert shipped.left_out == ("i3",)
    assert shipped.metric == "cosine"
    if kind in SEARCHING:
        assert shipped.exact.agreement.value == 1.0
    json.dumps(shipped.to_dict(), allow_nan=False)
    assert check(place(kind)).verdict == "ok"


def test_a_store_that_lost_rows_is_not_verified(place, model, monkeypatch):
    """Control: the same export with rows that do not arrive."""
    from simgauge.stores import duckdb_tables

    monkeypatch.setattr(
        duckdb_tables.DuckDBTable, "_insert",
        lambda self, base, *_: base.execute(f"INSERT INTO {self.table} SELECT 'i0', 'i0', 1.0, {[1.0] + [0.0] * 11}"),
    )  # fmt: skip
    assert not export(model, place("duckdb")).verified


def test_only_vectors_of_the_same_map_can_be_added(place, model):
    fitted = CanonicalGauge(1.0).fit(model)
    moved = fitted.transform(model)
    target = place("duckdb")
    export(moved, target)
    new = fitted.transform(
        Embedding(model.items[:5] + 0.1, users=model.users, item_ids=[f"n{row}" for row in range(5)])
    )
    assert export(new, target, append=True).rows_found == 404
    with pytest.raises(InputError, match="not made by the same map"):
        export(model, target, append=True)
    other = CanonicalGauge(0.5).fit(model).transform(model)
    with pytest.raises(InputError, match="not made by the same map"):
        export(other, target, append=True)
    narrow = Embedding(model.items[:, :5]).with_tables(model.items[:, :5], None)
    with pytest.raises(InputError, match="components"):
        export(narrow, target, append=True)


def test_a_faiss_index_takes_queries_as_the_model_makes_them(tmp_path, model):
    faiss = pytest.importorskip("faiss")
    fitted = CanonicalGauge(1.0, center="users").fit(model)
    fitted.transform(model).save(tmp_path / "fixed")
    fitted.save(tmp_path / "fixed" / "map.safetensors")
    export(tmp_path / "fixed", f"faiss:{tmp_path / 'v.faiss'}")
    index = faiss.read_index(str(tmp_path / "v.faiss"))
    _, found = index.search(model.items[:20].astype(np.float32), 10)
    rows = export_rows(fitted.transform(model))
    unit = rows.vectors().astype(np.float64)
    moved = fitted.transform_items(model.items[:20])
    for query, hits in zip(moved, found, strict=True):
        if query.any():
            assert set(hits) == set(np.argsort(-(unit @ query))[:10])


def test_targets_are_parsed_or_refused():
    assert parse_target("PARQUET:a/b:c.parquet").address == "a/b:c.parquet"
    assert parse_target("postgres://u@h/d").kind == "postgresql"
    for wrong in ("v.db", "mysql:v", "duckdb:", "", "C:/v"):
        with pytest.raises(InputError, match=r"names no target|after the colon"):
            parse_target(wrong)
    with pytest.raises(simgauge.ParameterError, match="cannot name a table"):
        open_store("duckdb:v.db", table="items; DROP TABLE users")


def test_scores_are_those_of_plain_loops(rng):
    queries, table = rng.standard_normal((3, 5)), rng.standard_normal((7, 5))
    for metric, one in {
        "dot": lambda q, x: sum(a * b for a, b in zip(q, x, strict=True)),
        "l2": lambda q, x: -(sum((a - b) ** 2 for a, b in zip(q, x, strict=True)) ** 0.5),
        "cosine": lambda q, x: float(q @ x / np.sqrt(q @ q) / np.sqrt(x @ x)),
    }.items():
        expected = [[one(q, x) for x in table] for q in queries]
        np.testing.assert_allclose(scores_of(queries, table, metric), expected, rtol=1e-12)
    tiny = scores_of(queries * 1e-200, table * 1e-200, "cosine")
    np.testing.assert_allclose(tiny, scores_of(queries, table, "cosine"), rtol=1e-12)


class Answering:
    """A store that answers what it is told."""

    def __init__(self, lists):
        self.lists = lists

    def search(self, _queries, k, *_, **__):
        return [np.array(row[:k]) for row in self.lists]


def test_agreement_counts_what_is_right_and_lets_ties_be():
    table = np.array([[1.0, 0.0], [0.9, 0.1], [0.9, 0.1], [0.0, 1.0]])
    truth = Truth.of(np.arange(4), table, "cosine")
    asked = np.array([0])

    def share(*rows):
        return answers(Answering([rows]), truth, exact=True, queries=asked, k=2).agreement.value

    assert share(0, 1) == share(0, 2) == share(2, 0) == 1.0  # equal rows: either is right
    assert share(0, 3) == 0.5
    assert share(0, 0) == 0.5  # a row twice counts once
    assert share(3) == 0.0


def planted(folder, vectors, metric, *, graph=False):
    faiss = pytest.importorskip("faiss")
    kind = {"dot": faiss.METRIC_INNER_PRODUCT, "l2": faiss.METRIC_L2}[metric]
    width = vectors.shape[1]
    index = faiss.IndexHNSWFlat(width, 8, kind) if graph else faiss.IndexFlat(width, kind)
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    path = folder / "planted.faiss"
    faiss.write_index(index, str(path))
    return f"faiss:{path}"


class TestPlantedFaults:
    """Each fault by name, and a control without it."""

    @pytest.fixture
    def vectors(self, rng):
        return rng.standard_normal((3_000, 16)).astype(np.float32)

    @pytest.fixture
    def unit(self, vectors):
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def test_control(self, tmp_path, unit):
        assert check(planted(tmp_path, unit, "dot")).verdict == "ok"
        assert check(planted(tmp_path, unit, "l2")).verdict == "ok"  # unit rows rank alike

    def test_the_wrong_metric(self, tmp_path, vectors):
        found = check(planted(tmp_path, vectors * np.linspace(0.1, 5, 3_000)[:, None], "dot"))
        assert found["store_metric"].verdict == "fail"
        assert found["store_exact"].verdict == "fail"
        assert check(planted(tmp_path, vectors, "l2"), expect="l2").verdict == "ok"

    def test_zero_rows(self, tmp_path, unit):
        unit[5] = 0
        found = check(planted(tmp_path, unit, "dot"))["store_zero_rows"]
        assert (found.verdict, found.value) == ("fail", 1.0)
        assert "5" in found.summary

    def test_tiny_norms(self, tmp_path, vectors):
        vectors[7] *= 1e-5
        assert check(planted(tmp_path, vectors, "dot"), expect="dot")["store_norms"].verdict == "warn"

    def test_a_graph_of_inner_products_and_rows_beaten_on_themselves(self, tmp_path, rng, vectors):
        stretched = vectors * rng.lognormal(0, 1, (3_000, 1)).astype(np.float32)
        found = check(planted(tmp_path, stretched, "dot", graph=True), expect="dot")
        assert found["store_self_dominated"].value > 0.5
        own = (stretched.astype(float) ** 2).sum(1)
        expected = ((stretched.astype(float) @ stretched.T.astype(float)).max(1) > own * (1 + 1e-6)).mean()
        sampled = found["store_self_dominated"].value
        assert abs(sampled - expected) < 4 * np.sqrt(expected * (1 - expected) / 200)

    def test_a_poor_index(self, tmp_path, rng):
        wide = rng.standard_normal((6_000, 200)).astype(np.float32)
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
        found = check(planted(tmp_path, wide, "dot", graph=True))["store_recall"]
        assert found.verdict == "fail"
        assert found.value < 0.9

    def test_missing_rows(self, place, rng):
        duckdb = pytest.importorskip("duckdb")
        target = place("duckdb")
        export(rng.standard_normal((50, 4)), target)
        with duckdb.connect(target.partition(":")[2]) as base:
            base.execute("DELETE FROM items WHERE id < 10")
        found = check(target)["store_rows"]
        assert found.verdict == "fail"
        assert "50 rows were exported" in found.summary

    def test_a_half_written_file(self, tmp_path, rng):
        target = f"npy:{tmp_path / 'v.npy'}"
        export(rng.standard_normal((50, 4)), target)
        np.save(tmp_path / "v.npy", rng.standard_normal((50, 4)).astype(np.float32))
        with pytest.raises(InputError, match="an export did not finish, or the file was altered"):
            check(target)

    def test_other_tables_and_columns_than_ours(self, place, unit):
        duckdb = pytest.importorskip("duckdb")
        target = place("duckdb")
        with duckdb.connect(target.partition(":")[2]) as base:
            rows = [(int(row) * 7, vector.tolist()) for row, vector in enumerate(unit[:100])]
            base.execute("CREATE TABLE docs (doc BIGINT, emb FLOAT[16])")
            base.executemany("INSERT INTO docs VALUES (?, ?)", rows)
        found = check(target, table="docs", vector="emb", id_column="doc")
        assert found.n_rows == 100
        assert found.verdict == "ok"
        assert found["store_card"].verdict == "info"
        with pytest.raises(InputError, match="no table 'items'"):
            check(target)


def test_usearch_files_are_checked(tmp_path, rng):
    usearch = pytest.importorskip("usearch.index")
    vectors = rng.standard_normal((300, 16)).astype(np.float32)
    index = usearch.Index(ndim=16, metric="cos", dtype="f32")
    index.add(np.arange(300) * 3, vectors)
    index.save(tmp_path / "v.usearch")
    found = check(f"usearch:{tmp_path / 'v.usearch'}")
    assert found.n_rows == 300
    assert found["store_metric"].verdict == "ok"
    assert found["store_exact"].value == 1.0
