"""Every target against the real thing: rows come back as they were sent, whole or not at all, under their own ids."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.stores.rows import export_rows
from simgauge.stores.target import open_store
from stores.places import PLAIN, SEARCHING, WRITTEN

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.stores]

N, K = 300, 16
EPS = float(np.finfo(np.float32).eps)


@pytest.fixture
def table(rng):
    """A zero row, a tiny and a huge one, opposite rows: what stores treat differently."""
    vectors = rng.standard_normal((N, K)) * rng.lognormal(0, 1, (N, 1))
    vectors[7], vectors[8], vectors[9], vectors[10] = 0, vectors[8] * 1e-5, vectors[9] * 1e6, -vectors[11]
    return vectors


@pytest.fixture(params=["integers", "text"])
def model(table, request):
    ids = None if request.param == "integers" else [f"item-{row}/ü" for row in range(N)]
    return Embedding(table, item_ids=ids, item_names=[f"<b>{row}</b>" for row in range(N)])


@pytest.mark.parametrize("kind", WRITTEN)
def test_rows_written_are_rows_found(place, model, kind):
    rows = export_rows(model)
    store = open_store(place(kind))
    store.write(rows)
    found = store.read()
    assert found.count == len(found.ids) == N - 1
    order = {label: row for row, label in enumerate(rows.ids.tolist())}
    places = [order[label] for label in found.ids.tolist()]  # ids have the type they were given with
    np.testing.assert_allclose(found.vectors, rows.vectors()[places], atol=2 * EPS)
    assert found.card["n_rows"] == N - 1
    assert found.card["zero_rows_left_out"] == 1


@pytest.mark.parametrize("kind", SEARCHING)
@pytest.mark.parametrize("exact", [True, False])
def test_the_store_finds_the_neighbours_that_are_there(place, model, kind, exact):
    rows = export_rows(model)
    store = open_store(place(kind))
    store.write(rows)
    unit = rows.vectors().astype(np.float64)
    asked = [0, 8, 9, 11, 200]
    for query, hits in zip(asked, store.search(unit[asked].astype(np.float32), 10, "cosine", exact=exact), strict=True):
        expected = rows.ids[np.argsort(-(unit @ unit[query]), kind="stable")[:10]]
        assert set(hits.tolist()) == set(expected.tolist())


@pytest.mark.parametrize("kind", WRITTEN)
def test_writing_again_replaces_what_was_there(place, table, kind):
    store = open_store(place(kind))
    store.write(export_rows(Embedding(table)))
    store.write(export_rows(Embedding(table[:50], item_ids=np.arange(1000, 1050))))
    found = store.read()
    assert found.count == 49
    assert set(found.ids.tolist()) == set(range(1000, 1050)) - {1007}


@pytest.mark.parametrize("kind", [kind for kind in SEARCHING if kind != "faiss"])
def test_appending_is_idempotent_by_id(place, table, kind):
    store = open_store(place(kind))
    store.write(export_rows(Embedding(table)))
    more = Embedding(-table[:3], item_ids=[0, 1, 5000])
    for _ in range(2):
        store.append(export_rows(more))
    found = store.read()
    assert found.count == N
    row = found.ids.tolist().index(0)
    np.testing.assert_allclose(found.vectors[row], -table[0] / np.linalg.norm(table[0]), atol=4 * EPS)


@pytest.mark.parametrize("kind", [*PLAIN, "faiss"])
def test_files_are_replaced_as_a_whole(place, table, kind):
    store = open_store(place(kind))
    store.write(export_rows(Embedding(table)))
    with pytest.raises(InputError, match="replaced as a whole"):
        store.append(export_rows(Embedding(table)))


FILES = [*PLAIN, "faiss"]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("kind", FILES)
def test_files_of_somebody_else_are_left_alone(place, table, kind):
    target = place(kind)
    folder = Path(target.partition(":")[2]).parent
    rows = export_rows(Embedding(table))
    open_store(target).write(rows)
    names = sorted(contents(folder))
    assert len(names) >= 2, "the file and its card"
    for name in names:
        (folder / name).write_text("mine")
        before = contents(folder)
        with pytest.raises(InputError, match="exists, and is not as"):
            open_store(target).write(rows)
        assert contents(folder) == before
        (folder / name).unlink()
        for other in names:
            (folder / other).unlink(missing_ok=True)
        (folder / name).write_text("mine")  # the same without a card
        with pytest.raises(InputError, match="exists, and is not as"):
            open_store(target).write(rows)
        assert contents(folder) == {name: b"mine"}
        (folder / name).unlink()
        open_store(target).write(rows)  # control: where nothing of others is, it is written
        assert open_store(target).read().count == N - 1


def count_of(target):
    """Rows there; "unfinished" where the export says that of itself."""
    try:
        found = open_store(target).read()
    except InputError as error:
        return "unfinished" if "did not finish" in str(error) else str(error)
    assert found.card["n_rows"] == found.count
    return found.count


class Stopped(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("kind", FILES)
def test_an_export_that_ends_between_two_files_leaves_a_whole_one_or_says_so(place, table, kind, monkeypatch):
    target = place(kind)
    old, new = (export_rows(Embedding(table[start:], item_ids=np.arange(start, N))) for start in (0, 10))
    open_store(target).write(old)
    replace, seen = Path.replace, set()
    for steps in range(5):
        done = []

        def ended(self, to, done=done, steps=steps):
            if len(done) == steps:
                raise Stopped
            done.append(to)
            return replace(self, to)

        monkeypatch.setattr(Path, "replace", ended)
        with contextlib.suppress(Stopped):
            open_store(target).write(new)
        monkeypatch.setattr(Path, "replace", replace)
        seen.add(count_of(target))
        open_store(target).write(old)  # the next run works, whatever was left
        assert open_store(target).read().count == N - 1
    several = len(contents(Path(target.partition(":")[2]).parent)) > 2
    assert seen == {N - 1, N - 10} | ({"unfinished"} if several else set())


def test_a_name_that_says_another_format_is_refused_before_anything_is_written(tmp_path, table):
    with pytest.raises(InputError, match="its name says Parquet"):
        open_store(f"npy:{tmp_path / 'v.parquet'}").write(export_rows(Embedding(table)))
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_kind_is_not_read_as_this_one(tmp_path, table):
    open_store(f"npy:{tmp_path / 'v'}").write(export_rows(Embedding(table)))
    with pytest.raises(InputError, match="is npy, and parquet was asked for"):
        open_store(f"parquet:{tmp_path / 'v'}").read()


@pytest.mark.parametrize("kind", SEARCHING)
def test_a_failing_write_leaves_what_was_there(place, table, kind, monkeypatch):
    store = open_store(place(kind))
    store.write(export_rows(Embedding(table)))
    before = store.read()
    rows = export_rows(Embedding(table * 2, item_ids=np.arange(N) + 10_000))

    def interrupted(text, done, steps):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_store(place(kind)).write(rows, progress=interrupted)
    after = open_store(place(kind)).read()
    assert set(after.ids.tolist()) == set(before.ids.tolist())
    store = open_store(place(kind))
    store.write(rows)  # the next run works, whatever the killed one left
    assert store.read().count == N - 1


@pytest.mark.parametrize("kind", [kind for kind in SEARCHING if kind not in ("faiss", "qdrant-edge")])
def test_a_table_of_somebody_else_is_left_alone(place, table, kind):
    target = place(kind)
    make_foreign(kind, target)
    with pytest.raises(InputError, match="simgauge did not write"):
        open_store(target).write(export_rows(Embedding(table)))
    open_store(target, table="mine").write(export_rows(Embedding(table)))  # control: another name is free
    assert open_store(target, table="mine").read().count == N - 1


def make_foreign(kind, target):
    address = target.partition(":")[2] if kind != "postgresql" else target
    if kind == "duckdb":
        import duckdb

        with duckdb.connect(address) as base:
            base.execute("CREATE TABLE items AS SELECT 1 AS id, [1.0, 2.0]::FLOAT[2] AS vector")
    elif kind == "sqlite-vec":
        import sqlite3

        base = sqlite3.connect(address)
        base.execute("CREATE TABLE items (id INTEGER)")
        base.commit()
        base.close()
    elif kind == "postgresql":
        import psycopg

        with psycopg.connect(address) as base:
            base.execute("CREATE TABLE items (id bigint)")
    elif kind == "lancedb":
        import lancedb

        lancedb.connect(address).create_table("items", [{"id": 1, "vector": [1.0, 2.0]}])
    elif kind == "chroma":
        import chromadb

        chromadb.PersistentClient(
            address, settings=chromadb.config.Settings(anonymized_telemetry=False)
        ).create_collection("items", embedding_function=None)
    elif kind == "milvus":
        from pymilvus import MilvusClient

        client = MilvusClient(address)
        client.create_collection("items", dimension=2)
        client.close()
    elif kind == "qdrant":
        from qdrant_client import QdrantClient, models

        client = QdrantClient(path=address)
        client.create_collection("items", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
        client.close()


def test_a_card_that_leads_out_of_the_folder_is_refused(place, table):
    target = place("qdrant-edge")
    store = open_store(target)
    store.write(export_rows(Embedding(table)))
    card = Path(target.removeprefix("qdrant-edge:")) / "simgauge_card.json"
    shard = store.read().card["shard"]
    assert open_store(target).read().count == N - 1
    card.write_text(card.read_text(encoding="utf-8").replace(shard, f"../{Path(card).parent.name}/{shard}"))
    with pytest.raises(InputError, match="no shard of an export"):
        open_store(target).read()


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_is_not_there_is_said(place, kind):
    with pytest.raises(InputError, match=r"no collection|not exist|no such|missing|not found|holds no|is no|no table"):
        open_store(place(kind)).read()


def test_wide_vectors_are_refused_or_kept_without_an_index(place, rng):
    wide = export_rows(Embedding(rng.standard_normal((12, 8_200))))
    with pytest.raises(InputError, match="at most 8192 components"):
        open_store(place("sqlite-vec")).write(wide)
    written = open_store(place("postgresql")).write(wide)
    assert written.index is None
    assert "at most 4000 components" in written.notes[0]
    half = open_store(place("postgresql")).write(export_rows(Embedding(rng.standard_normal((12, 2_500)))))
    assert half.index == "HNSW, half precision"


def test_the_query_that_postgresql_is_told_to_run_uses_its_index(place, rng):
    """Of half precision, too: only a query that orders by the indexed expression is answered through the index."""
    import psycopg

    for width in (16, 2_500):
        rows = export_rows(Embedding(rng.standard_normal((30, width))))
        store = open_store(place("postgresql"))
        store.write(rows)
        query = str(rows.vectors(slice(0, 1))[0].tolist())
        told = store.recipe(rows).replace("$1", "%(query)s::vector") if width == 16 else store.recipe(rows)
        told = told.replace(f"$1::halfvec({width})", f"%(query)s::halfvec({width})").replace("$1", "%(query)s::vector")
        with psycopg.connect(place("postgresql")) as base:
            base.execute("SET enable_sort = off")
            plan = base.execute(f"EXPLAIN {told}", {"query": query}).fetchall()
        assert any("Index Scan using" in line for (line,) in plan)
        found = store.read()
        assert (found.metric, found.index) == ("cosine", "HNSW")
        assert [hits[0] for hits in store.search(rows.vectors([3, 4]), 5, "cosine", exact=False)] == [3, 4]


def test_half_precision_and_arrays_of_others_in_postgresql(place, rng):
    import psycopg

    with psycopg.connect(place("postgresql")) as base:
        base.execute("CREATE EXTENSION IF NOT EXISTS vector")
        base.execute("CREATE TABLE half (id bigint, vector halfvec(4))")
        base.execute("CREATE TABLE arrays (id bigint, vector real[])")
        base.cursor().executemany(
            "INSERT INTO half VALUES (%s, %s::halfvec)",
            [(row, str(vector)) for row, vector in enumerate(rng.standard_normal((20, 4)).tolist())],
        )
        base.execute("CREATE INDEX ON half USING hnsw (vector halfvec_l2_ops)")
    store = open_store(place("postgresql"), table="half")
    found = store.read()
    assert (found.metric, found.index, found.vectors.shape) == ("l2", "HNSW", (20, 4))
    for exact in (True, False):
        assert store.search(found.vectors[[6]], 3, "l2", exact=exact)[0][0] == found.ids[6]
    with pytest.raises(InputError, match=r"cannot be searched: it holds real\[\]"):
        open_store(place("postgresql"), table="arrays").read()


def test_words_with_spaces_do_not_go_into_word2vec_files(place):
    with pytest.raises(InputError, match="holds a space"):
        open_store(place("word2vec")).write(export_rows(Embedding(np.eye(2), item_ids=["a b", "c"])))


def test_vectors_for_dot_product_keep_their_norms_where_the_store_can_hold_them(place, table):
    model = Embedding(table).with_tables(table, None, remedy={"metric": "dot"})
    rows = export_rows(model)
    for kind in ("duckdb", "faiss", "postgresql", "milvus", "qdrant-edge"):
        store = open_store(place(kind))
        store.write(rows)
        found = store.read()
        norms = np.linalg.norm(found.vectors.astype(np.float64), axis=1)
        np.testing.assert_allclose(np.sort(norms), np.sort(rows.norms), rtol=1e-5)
    for kind in ("sqlite-vec", "chroma"):
        with pytest.raises(InputError, match=r"inner product, which these vectors are for|loses rows"):
            open_store(place(kind)).write(rows)
