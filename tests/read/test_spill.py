"""Interactions on disk are those of `read_interactions`, bit by bit, for every rule and kind of ids."""

from __future__ import annotations

import json
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from simgauge.core.tables.row_parts import LocalParts
from simgauge.embedding import Embedding
from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.models import LinearAutoencoder
from simgauge.read.interactions import read_interactions
from simgauge.read.spill import store_interactions
from simgauge.read.store import stored_pairs
from simgauge.read.store.stored_interactions import StoredInteractions

N_EVENTS = 4_000


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts and batches so small that users, pairs and parts are cut at every boundary there is."""
    from simgauge.read.store import spilled_events

    monkeypatch.setattr(stored_pairs.PairsWriter.__init__, "__defaults__", (97,))
    monkeypatch.setattr(stored_pairs, "USERS_PER_GROUP", 13)
    monkeypatch.setattr(spilled_events, "ROWS_PER_BATCH", 64)


def events(rng: np.random.Generator, ids: str = "integer", zeros: float = 0.0) -> pa.Table:
    users, items = rng.integers(0, 60, N_EVENTS) ** 2, rng.zipf(1.3, N_EVENTS) % 50
    weights = rng.random(N_EVENTS).astype(np.float64) * (rng.random(N_EVENTS) >= zeros)
    columns = {"user": users, "item": items, "weight": weights, "time": rng.integers(0, 20, N_EVENTS)}
    if ids == "text":
        columns |= {"user": [f"u{user}ß" for user in users], "item": [f"{'ü' * (i % 3)}{i}" for i in items]}
    if ids == "float":
        columns |= {"user": np.where(users % 7 == 0, np.nan, users), "item": items.astype(np.float64)}
    if ids == "missing":
        columns |= {"user": [None if user == 25 else int(user) for user in users]}
        columns |= {"item": [None if item == 3 else f"i{item}" for item in items]}
    return pa.table(columns)


def quietly(read, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedDataWarning)
        return read(*arguments, **options)


def assert_same(store: StoredInteractions, expected) -> None:
    found = store.in_memory()
    assert found.matrix.shape == expected.matrix.shape
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(found.matrix, name), getattr(expected.matrix, name))
    for name in ("user_ids", "item_ids"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype
    np.testing.assert_array_equal(store.item_counts, expected.item_counts)
    assert store.nnz == expected.nnz
    assert dict(store.report) == dict(expected.report)


@pytest.mark.parametrize("ids", ["integer", "text", "float", "missing"])
@pytest.mark.parametrize("rule", ["sum", "max", "mean", "last", "count"])
def test_the_same_bits_as_in_memory(tmp_path: Path, rng, ids: str, rule: str) -> None:
    path = tmp_path / "events.parquet"
    pq.write_table(events(rng, ids), path, row_group_size=500)
    options = {"user": "user", "item": "item", "weight": "weight", "duplicates": rule}
    store = quietly(store_interactions, path, tmp_path / "store", **options)
    assert len(store.matrix.parts) > 10
    assert_same(store, quietly(read_interactions, path, **options))


def test_order_of_times_decides_what_is_last(tmp_path: Path, rng) -> None:
    path = tmp_path / "events.parquet"
    pq.write_table(events(rng), path)
    options = {"user": "user", "item": "item", "weight": "weight", "time": "time", "duplicates": "last"}
    store = store_interactions(path, tmp_path / "store", **options)
    assert_same(store, read_interactions(path, **options))
    untimed = read_interactions(path, **(options | {"time": None}))
    assert (untimed.matrix != store.in_memory().matrix).nnz  # the control: times did matter


@pytest.mark.parametrize("minimums", [(1, 1), (20, 1), (8, 20)])
@pytest.mark.parametrize("zeros", [0.0, 0.9])
def test_zero_weights_and_minimum_counts(tmp_path: Path, rng, zeros: float, minimums: tuple[int, int]) -> None:
    path = tmp_path / "events.parquet"
    pq.write_table(events(rng, "text", zeros), path)
    options = {"user": 0, "item": 1, "weight": 2, "duplicates": "last"}
    if zeros:
        minimums = tuple(max(1, minimum // 6) for minimum in minimums)
    options |= {"min_user_count": minimums[0], "min_item_count": minimums[1]}
    store = store_interactions(path, tmp_path / "store", **options)
    expected = read_interactions(path, **options)
    assert_same(store, expected)
    assert minimums == (1, 1) or expected.report["minimum_counts"]["rounds"] > 0


def test_folders_globs_lists_and_text(tmp_path: Path, rng) -> None:
    table, folder = events(rng), tmp_path / "parts"
    folder.mkdir()
    for number in range(4):
        pq.write_table(table[number * 1000 : number * 1000 + 1000], folder / f"part-{number}.parquet")
    pa_csv.write_csv(table, tmp_path / "events.csv")
    expected = read_interactions(folder)
    paths = sorted(folder.iterdir())
    for number, source in enumerate((folder, str(folder / "*.parquet"), paths)):
        assert_same(store_interactions(source, tmp_path / f"store{number}"), expected)
    text = store_interactions(tmp_path / "events.csv", tmp_path / "text")
    assert_same(text, read_interactions(tmp_path / "events.csv"))
    np.testing.assert_array_equal(text.item_ids, expected.item_ids)
    assert_same(store_interactions(table, tmp_path / "frame"), read_interactions(table))


def test_the_result_of_a_query(tmp_path: Path, rng) -> None:
    with closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection:
        events(rng).to_pandas().to_sql("events", connection, index=False)
    options = {"query": "SELECT user, item, weight FROM events WHERE weight > 0.5"}
    store = store_interactions(tmp_path / "events.sqlite", tmp_path / "store", **options)
    assert_same(store, read_interactions(tmp_path / "events.sqlite", **options))


def test_a_store_is_read_into_memory_as_well(tmp_path: Path, rng) -> None:
    store = store_interactions(events(rng), tmp_path / "store")
    assert (read_interactions(tmp_path / "store").matrix != store.in_memory().matrix).nnz == 0


def test_untyped_ids_and_bad_lines_as_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    lines = ["user,item", "7, 12", "007,12", "7,12,9", ",3", "8,4"]
    path.write_text("\n".join(lines) + "\n")
    store = quietly(store_interactions, path, tmp_path / "store", on_bad_row="drop")
    assert_same(store, quietly(read_interactions, path, on_bad_row="drop"))
    assert store.report["rows_dropped"]["bad row"] == 1
    assert store.user_ids.tolist() == ["007", "7", "8"]
    path.write_text("user,item\n7,12\n99999999999999999999,12\n")
    assert_same(store_interactions(path, tmp_path / "store"), read_interactions(path))
    as_text = store_interactions(path, tmp_path / "store", id_type="text")
    assert as_text.user_ids.tolist() == ["7", "99999999999999999999"]


def test_without_weights_every_event_counts(tmp_path: Path, rng) -> None:
    path = tmp_path / "events.parquet"
    pq.write_table(events(rng).select(["user", "item"]), path)
    for rule in ("sum", "max", "last"):
        store = store_interactions(path, tmp_path / "store", duplicates=rule)
        assert_same(store, read_interactions(path, duplicates=rule))


def test_names_come_along(tmp_path: Path) -> None:
    table = pa.table({"user": [1, 2], "item": [10, 20]})
    store = store_interactions(table, tmp_path / "store", names={10: "tea", 20: "milk"})
    assert store.item_names.tolist() == ["tea", "milk"]
    assert StoredInteractions.load(tmp_path / "store").item_names.tolist() == ["tea", "milk"]


@pytest.mark.parametrize("penalty", ["product", "factors", "weights"])
def test_the_model_is_that_of_the_matrix_in_memory(tmp_path: Path, rng, penalty: str) -> None:
    path = tmp_path / "events.parquet"
    pq.write_table(events(rng), path)
    store = store_interactions(path, tmp_path / "store")
    model = LinearAutoencoder(8, penalty).fit(store.matrix)
    expected = LinearAutoencoder(8, penalty).fit(read_interactions(path).matrix)
    tolerance = 1e3 * np.finfo(np.float64).eps * expected.singular_values_[0]
    np.testing.assert_allclose(model.decoder_, expected.decoder_, atol=tolerance)
    with pytest.raises(ParameterError, match="needs all of XᵀX at once"):
        LinearAutoencoder(8, "dropout").fit(store.matrix)


def test_parts_are_maps_and_nothing_is_copied(tmp_path: Path, rng) -> None:
    store = store_interactions(events(rng), tmp_path / "store")
    assert isinstance(store.matrix, LocalParts)
    for part in store.matrix.parts:
        assert part.indices.dtype == part.indptr.dtype == np.int32
        for array in (part.indices, part.data, part.indptr):
            assert not array.flags.owndata
            assert not array.flags.writeable


def test_float32(tmp_path: Path, rng) -> None:
    store = store_interactions(events(rng), tmp_path / "store", dtype="float32")
    assert store.matrix.dtype == np.float32
    np.testing.assert_array_equal(
        store.matrix.gather().data,
        read_interactions(events(np.random.default_rng(20240308))).matrix.data.astype(np.float32),
    )


def test_progress_rises_to_one(tmp_path: Path, rng) -> None:
    seen: list[tuple[str, int, int]] = []
    store_interactions(events(rng), tmp_path / "store", progress=lambda *step: seen.append(step))
    done = [percent for _, percent, _ in seen]
    assert done == sorted(done)
    assert seen[-1] == ("writing", 100, 100)


def test_it_replaces_its_own_directory_and_no_other(tmp_path: Path, rng) -> None:
    table, target = events(rng), tmp_path / "store"
    store_interactions(table, target)
    assert_same(store_interactions(table[:100], target), read_interactions(table[:100]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="was not written by simgauge"):
        store_interactions(table, other)


def test_metadata_are_json_and_files_few(tmp_path: Path, rng) -> None:
    store = store_interactions(events(rng), tmp_path / "store")
    assert len(list(store.directory.iterdir())) == 6
    metadata = json.loads((store.directory / "stored_interactions.json").read_text())
    assert metadata["nnz"] == store.nnz == sum(part[1] for part in metadata["parts"])


def test_the_saved_embedding_is_that_of_the_matrix_in_memory(tmp_path: Path, rng) -> None:
    store = store_interactions(events(rng, "text"), tmp_path / "store")
    model = LinearAutoencoder(4).fit(store.matrix)
    model.save_embedding(store, tmp_path / "streamed")
    model.embedding(store.in_memory()).save(tmp_path / "whole")
    streamed, whole = Embedding.load(tmp_path / "streamed"), Embedding.load(tmp_path / "whole")
    for name in ("items", "item_ids", "item_names", "user_ids"):
        np.testing.assert_array_equal(getattr(streamed, name), getattr(whole, name))
    tolerance = 10 * np.finfo(np.float64).eps * np.abs(whole.users).max()
    np.testing.assert_allclose(streamed.users, whole.users, atol=tolerance)
    assert streamed.provenance == whole.provenance
