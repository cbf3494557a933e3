"""What can go wrong while interactions are sorted on disk: each is named, and nothing is left behind."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simgauge.errors import InputError, ParameterError
from simgauge.read.events.memory import BYTES_PER_EVENT, available_memory, in_memory_need, memory_bytes
from simgauge.read.interactions import read_interactions
from simgauge.read.spill import store_interactions
from simgauge.read.store import stored_pairs
from simgauge.read.store.stored_interactions import METADATA_FILE, StoredInteractions

FULL_DISK = """
import signal, resource, sys
from simgauge.errors import InputError
from simgauge.read.spill import store_interactions
import duckdb, pyarrow.parquet
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    store_interactions(sys.argv[1], sys.argv[2], memory="256MiB")
except InputError as error:
    print(error)
"""


def table(n_events: int, **columns) -> pa.Table:
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 1 + n_events // 20, n_events), rng.integers(0, 300, n_events)
    return pa.table({"user": users, "item": items, "weight": rng.integers(1, 6, n_events).astype(float)} | columns)


def parts(folder: Path, tables: list[pa.Table]) -> Path:
    folder.mkdir()
    for number, part in enumerate(tables):
        pq.write_table(part, folder / f"part-{number}.parquet", row_group_size=1_000)
    return folder


def assert_nothing_left(target: Path, *others: str) -> None:
    assert sorted(path.name for path in target.parent.iterdir()) == sorted(others)


@pytest.mark.parametrize("limit", [1 << 16, 2 << 20])
def test_a_full_disk_says_how_much_was_needed_and_where(tmp_path: Path, limit: int) -> None:
    pq.write_table(table(1_000_000), tmp_path / "events.parquet")
    arguments = [sys.executable, "-c", FULL_DISK, tmp_path / "events.parquet", tmp_path / "store", limit]
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{done.stderr}"
    assert f"the disk of {tmp_path} is full: 1,000,000 events need up to 42 MiB there" in done.stdout
    assert "11 MiB in the end" in done.stdout
    assert "Nothing was left behind" in done.stdout
    assert_nothing_left(tmp_path / "store", "events.parquet")


def test_a_disk_that_fills_while_parts_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stored_pairs._Growing, "append", full)
    with pytest.raises(InputError, match=r"the disk of .* is full: 100 events need up to"):
        store_interactions(table(100), tmp_path / "store")
    assert_nothing_left(tmp_path / "store")


def test_duckdb_says_that_the_disk_is_full_in_other_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    from simgauge.read.store.spilled_events import SpilledEvents

    for text, told in (
        ("Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB used)", "is full"),
        ("Out of Memory Error: could not allocate block of size 256.0 KiB (96 MiB/96 MiB used)", "memory='4GiB'"),
    ):
        error = duckdb.OutOfMemoryException(text)

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(SpilledEvents, "items", fail)
        with pytest.raises(InputError, match=told):
            store_interactions(table(100), tmp_path / "store")
        assert_nothing_left(tmp_path / "store")


def test_a_truncated_file_among_many_is_named(tmp_path: Path) -> None:
    folder = parts(tmp_path / "parts", [table(5_000)] * 5)
    assert store_interactions(folder, tmp_path / "store").report["rows_read"] == 25_000  # the control
    broken = folder / "part-2.parquet"
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"part-2.parquet is a Parquet file that was cut off"):
        store_interactions(folder, tmp_path / "other")
    broken.write_bytes(whole[:2_000] + bytes(8_000) + whole[10_000:])
    with pytest.raises(InputError, match=r"part-2.parquet is a damaged Parquet file"):
        store_interactions(folder, tmp_path / "other")
    broken.write_bytes(b"")
    with pytest.raises(InputError, match=r"part-2.parquet is empty"):
        store_interactions(folder, tmp_path / "other")
    assert_nothing_left(tmp_path / "other", "parts", "store")


def test_files_of_another_schema_are_named(tmp_path: Path) -> None:
    plain = table(100)
    text = plain.set_column(0, "user", plain["user"].cast(pa.string()))
    folder = parts(tmp_path / "text", [plain, plain, text])
    with pytest.raises(InputError, match=r"part-2.parquet holds string in column 'user', part-0.parquet holds int64"):
        store_interactions(folder, tmp_path / "store")
    folder = parts(tmp_path / "fewer", [plain, plain.drop_columns("item")])
    with pytest.raises(InputError, match=r"part-1.parquet has no column 'item', which part-0.parquet has"):
        store_interactions(folder, tmp_path / "store")
    folder = parts(tmp_path / "more", [plain, plain.append_column("more", plain["item"])])
    assert store_interactions(folder, tmp_path / "store").report["rows_read"] == 200  # columns not read may differ


def test_empty_files_and_tables(tmp_path: Path) -> None:
    folder = parts(tmp_path / "parts", [table(0), table(100), table(0)])
    assert store_interactions(folder, tmp_path / "store").report["rows_read"] == 100
    with pytest.raises(InputError, match="holds no rows"):
        store_interactions(parts(tmp_path / "none", [table(0), table(0)]), tmp_path / "other")
    with pytest.raises(InputError, match="lack a user or item id"):
        store_interactions(table(3, user=pa.nulls(3, pa.int64())), tmp_path / "other")
    with pytest.raises(InputError, match="every weight is zero"):
        store_interactions(table(3, weight=np.zeros(3)), tmp_path / "other")
    with pytest.raises(InputError, match="nothing is left"):
        store_interactions(table(3), tmp_path / "other", min_user_count=99)
    assert_nothing_left(tmp_path / "other", "parts", "none", "store")


def test_one_user_with_a_million_items_and_one_item_that_everybody_has(tmp_path: Path) -> None:
    busy, others = 1_000_000, 500
    users = np.concatenate([np.full(busy, 250), np.arange(others), np.full(700, 250)])
    items = np.concatenate([np.arange(busy), np.zeros(others, np.int64), np.zeros(700, np.int64)])
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({"user": users, "item": items, "weight": np.ones(len(users))}), path)
    store, expected = store_interactions(path, tmp_path / "store"), read_interactions(path)
    found = store.in_memory()
    assert (found.matrix != expected.matrix).nnz == 0
    assert int(store.item_counts[0]) == store.n_users == others
    assert int(found.user_counts[250]) == busy
    assert found.matrix[250, 0] == 702  # 700 events more, one as everybody, one of the million


@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf, None])
@pytest.mark.parametrize("suffix", ["parquet", "frame"])
def test_weights_that_are_no_weights_are_found_with_their_row(tmp_path: Path, value, suffix: str) -> None:
    weights = [1.0] * 90_000
    weights[70_000] = weights[80_000] = value
    source = given = table(90_000, weight=pa.array(weights, from_pandas=False))
    if suffix == "parquet":
        source = tmp_path / "events.parquet"
        pq.write_table(given, source, row_group_size=10_000)
    with pytest.raises(InputError, match=r"in data row 70001 \(2 such in all\)"):
        store_interactions(source, tmp_path / "store", duplicates="count")
    with pytest.raises(InputError, match=r"in data row 70001 \("):
        read_interactions(source)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"user": "usr"}, "no column 'usr' for user. Did you mean 'user'"),
        ({"memory": "lots"}, "memory='lots': expected an amount such as '2GiB'"),
        ({"memory": "10MiB"}, "expected 256 MiB or more"),
        ({"dtype": "float16"}, "dtype='float16'"),
        ({"duplicates": "first"}, "duplicates='first'"),
        ({"duplicates": "error"}, "events repeat a user-item pair .first: user 0, item "),
        ({"min_user_count": 0}, "min_user_count=0"),
    ],
)
def test_options_out_of_range(tmp_path: Path, options, message: str) -> None:
    with pytest.raises((InputError, ParameterError), match=message):
        store_interactions(table(20_000), tmp_path / "store", **options)
    assert_nothing_left(tmp_path / "store")


def test_a_damaged_store_is_refused(tmp_path: Path) -> None:
    made = store_interactions(table(2_000), tmp_path / "store")
    source = made.directory
    assert StoredInteractions.load(source).nnz == made.nnz  # the control
    for name, harm, message in (
        ("indices.npy", lambda path: path.unlink(), "indices.npy is missing"),
        ("users.parquet", lambda path: path.unlink(), "users.parquet is missing"),
        (METADATA_FILE, lambda path: path.unlink(), f"{METADATA_FILE} is missing"),
        ("data.npy", lambda path: path.write_bytes(path.read_bytes()[:-8]), "cut off or altered"),
        ("indices.npy", _flip_last_byte, "is not the file that was saved"),
        ("indptr.npy", _flip_last_byte, "is not the file that was saved"),
        ("data.npy", lambda path: path.write_bytes(b"\0" * path.stat().st_size), "is not the file that was saved"),
        (METADATA_FILE, lambda path: path.write_text("{"), "is damaged"),
        (METADATA_FILE, _newer, "format version 99 is newer than this simgauge"),
        (METADATA_FILE, lambda path: _without(path, "parts"), "is not the file that was saved"),
    ):
        path = source / name
        whole = path.read_bytes()
        harm(path)
        with pytest.raises(InputError, match=message):
            StoredInteractions.load(source)
        path.write_bytes(whole)
    assert StoredInteractions.load(source).nnz == made.nnz


def _flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 0x40
    path.write_bytes(content)


def _newer(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 99}))


def _without(path: Path, key: str) -> None:
    metadata = json.loads(path.read_text())
    del metadata[key]
    path.write_text(json.dumps(metadata))


def test_an_interrupted_sort_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(text: str, done: int, steps: int) -> None:
        if text == "writing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_interactions(table(2_000), tmp_path / "store", progress=interrupt)
    assert_nothing_left(tmp_path / "store")


def test_amounts_of_memory() -> None:
    assert [memory_bytes(amount) for amount in ("2GiB", "1.5gb", "300 MiB", 7, "7")] == [
        2 << 30,
        1_500_000_000,
        300 << 20,
        7,
        7,
    ]
    for amount in ("", "GiB", "-1", "2 apples", True, None):
        with pytest.raises(ParameterError, match="memory="):
            memory_bytes(amount)


def test_need_and_supply_of_memory(tmp_path: Path) -> None:
    folder = parts(tmp_path / "parts", [table(1_000), table(500)])
    assert in_memory_need(sorted(folder.iterdir())) == 1_500 * BYTES_PER_EVENT
    (tmp_path / "events.csv").write_text("user,item\n")
    assert in_memory_need([tmp_path / "events.csv"]) is None
    assert available_memory() > 1 << 20
