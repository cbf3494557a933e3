"""check with filters: recall among the rows that pass, for every store that filters; planted faults and controls."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, InputError, check, export
from simgauge.stores import duckdb_tables
from simgauge.stores.condition import Condition
from simgauge.stores.rows import export_rows
from simgauge.stores.target import open_store
from stores.places import SEARCHING, address_of, need

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.stores]

N, FEW = 1_200, 300
"""Rows; few for the local mode of Qdrant's client, which commits row by row."""
NO_COLUMN = ("faiss", "sqlite-vec")
"""Targets whose export has no column that queries can filter by."""


@pytest.fixture(params=["integers", "text"])
def model_of(rng, request):
    """Rows for a kind of target."""

    def made(kind):
        n = FEW if kind == "qdrant" else N
        ids = None if request.param == "integers" else [f"it's {row}/ü\\" for row in range(n)]
        shops = rng.choice(["a", "b", "c's \\ ü"], n, p=[0.05, 0.15, 0.8])
        return Embedding(rng.standard_normal((n, 12)), item_ids=ids, item_names=shops)

    return made


@pytest.mark.parametrize("kind", SEARCHING)
def test_stores_return_the_nearest_of_the_rows_that_pass(place, model_of, kind, rng):
    model = model_of(kind)
    rows, store = export_rows(model), open_store(place(kind))
    store.write(rows)
    unit, queries = rows.vectors().astype(np.float64), [0, 5]
    kept = np.sort(rng.choice(rows.n_rows, 60, replace=False))
    conditions = [(kept, Condition(rows.ids[kept]))]
    if kind not in NO_COLUMN:
        for shop in ("a", "c's \\ ü"):
            kept = np.flatnonzero(np.asarray(model.item_names) == shop)
            conditions.append((kept, Condition(rows.ids[kept], "name", shop)))
    for kept, condition in conditions:
        for exact in (True, False):
            lists = store.search(rows.vectors(queries), 10, "cosine", exact=exact, only=condition)
            for query, hits in zip(queries, lists, strict=True):
                nearest = rows.ids[kept[np.argsort(-(unit[kept] @ unit[query]))[:10]]]
                assert set(hits.tolist()) == set(nearest.tolist())


@pytest.mark.parametrize("kind", SEARCHING)
def test_every_store_that_filters_is_asked(place, model_of, kind):
    target = place(kind)
    export(model_of(kind), target)
    found = check(target)["store_filtered"]
    assert [one["rows"] for one in found.details["filters"]] == ([30] if kind == "qdrant" else [120, 12])
    assert (found.verdict, found.value) == ("ok", 1.0)
    if kind in NO_COLUMN:
        with pytest.raises(InputError, match=r"columns to filter by|auxiliary column"):
            check(target, filter="name")
        return
    named = check(target, filter="name")["store_filtered"]
    assert named.verdict == "ok"
    assert "name = 'b'" in named.summary
    assert "name = 'a'" in named.summary, "15 % and 5 % of the rows are nearest to a tenth and a hundredth"
    with pytest.raises(InputError, match="no row holds 'z' in 'name'"):
        check(target, filter="name=z")
    with pytest.raises(InputError, match="nowhere"):
        check(target, filter="nowhere")


def test_an_index_of_postgresql_that_returns_few_rows_under_a_filter(place, rng):
    """The condition is applied to the candidates of HNSW; pgvector's own remedy is the control."""
    need("postgresql")
    import psycopg

    target = place("postgresql")
    export(rng.standard_normal((12_000, 24)), target)
    with psycopg.connect(target, autocommit=True) as base:
        base.execute("ALTER TABLE items ADD COLUMN shop int")
        base.execute("UPDATE items SET shop = id % 100")
        base.execute("VACUUM ANALYZE items")
    found = check(target, filter="shop=7")["store_filtered"]
    assert found.verdict == "fail"
    assert found.value < 0.5
    assert found.details["filters"][0]["short"] == 1.0
    assert "return fewer rows" in found.summary
    assert "hnsw.iterative_scan" in found.action
    without = check(target)["store_filtered"]  # no column is named: as the planner would answer one
    assert without.verdict == "warn"
    assert "condition without an index of its own" in without.summary
    with psycopg.connect(target, autocommit=True) as base:
        base.execute("ALTER DATABASE shop SET hnsw.iterative_scan = 'strict_order'")
    assert check(target, filter="shop=7")["store_filtered"].verdict == "ok"
    assert check(target)["store_filtered"].verdict == "ok"


def test_a_graph_of_faiss_that_walks_too_little(tmp_path, rng):
    faiss = pytest.importorskip("faiss")
    vectors = rng.standard_normal((6_000, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for searched, verdict in ((12, "warn"), (6_000, "ok")):
        index = faiss.IndexHNSWFlat(24, 32, faiss.METRIC_INNER_PRODUCT)
        index.add(vectors)
        index.hnsw.efSearch = searched
        faiss.write_index(index, str(tmp_path / "v.faiss"))
        found = check(f"faiss:{tmp_path / 'v.faiss'}")["store_filtered"]
        assert found.verdict == verdict
    assert found.value == 1.0


def test_a_store_that_filters_after_its_search_is_found(tmp_path, model_of, monkeypatch):
    target = address_of("duckdb", tmp_path)
    export(model_of("duckdb"), target)
    assert check(target)["store_filtered"].verdict == "ok"  # control
    search = duckdb_tables.DuckDBTable.search

    def afterwards(self, queries, k, metric, *, exact, only=None):
        lists = search(self, queries, k, metric, exact=exact)
        return lists if only is None else [hits[np.isin(hits, only.ids)] for hits in lists]

    monkeypatch.setattr(duckdb_tables.DuckDBTable, "search", afterwards)
    found = check(target)["store_filtered"]
    assert found.verdict == "warn"
    assert "does not search all rows that pass" in found.cause
    assert all(one["short"] > 0.9 for one in found.details["filters"])


def test_what_cannot_be_filtered_by_is_said(tmp_path, rng):
    target = address_of("duckdb", tmp_path)
    export(rng.standard_normal((40, 3)), target)
    assert [one.id for one in check(target).findings].count("store_filtered") == 0  # a tenth is less than ten rows
    for wrong, words in {
        "norm": "values of type float",
        "norm; DROP": "name of a column",
        "=3": "name of a col",
    }.items():
        with pytest.raises(InputError, match=words):
            check(target, filter=wrong)
    assert check(target, filter="id=7")["store_filtered"].details["filters"][0]["k"] == 1
