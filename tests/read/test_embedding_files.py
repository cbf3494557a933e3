"""Vectors read the same from every format, with their ids and names; bad files are refused in words that help."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.read.embedding_files import read_embedding

Write = Callable[[list[str], np.ndarray, Path], object]


def wide(words: list[str], table: np.ndarray) -> pa.Table:
    return pa.table({"word": words, **{f"v{n}": table[:, n] for n in range(table.shape[1])}})


def lists(words: list[str], table: np.ndarray, fixed: bool = False) -> pa.Table:
    kind = pa.list_(pa.from_numpy_dtype(table.dtype), table.shape[1] if fixed else -1)
    return pa.table({"id": words, "embedding": pa.array(table.tolist(), kind), "other": [[1.0]] * len(words)})


def written(writer: Callable[[Path], object]) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        writer(path)
        return path

    return write


def write_json(words: list[str], table: np.ndarray, path: Path) -> object:
    rows = [{"id": word, "vector": row} for word, row in zip(words, table.tolist(), strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_list_csv(words: list[str], table: np.ndarray, path: Path) -> object:
    pd.DataFrame({"id": words, "embedding": [str(row) for row in table.tolist()]}).to_csv(path, index=False)
    return path


FORMATS: dict[str, Write] = {
    "wide.parquet": lambda words, table, path: written(lambda p: pq.write_table(wide(words, table), p))(path),
    "lists.parquet": lambda words, table, path: written(lambda p: pq.write_table(lists(words, table), p))(path),
    "fixed.parquet": lambda words, table, path: written(lambda p: pq.write_table(lists(words, table, True), p))(path),
    "wide.csv": lambda words, table, path: written(lambda p: wide(words, table).to_pandas().to_csv(p, index=False))(
        path
    ),
    "wide.tsv": lambda words, table, path: written(
        lambda p: wide(words, table).to_pandas().to_csv(p, index=False, sep="\t")
    )(path),
    "lists.csv": write_list_csv,
    "rows.jsonl": write_json,
    "pandas": lambda words, table, _: wide(words, table).to_pandas(),
    "pandas lists": lambda words, table, _: pd.DataFrame({"id": words, "emb": list(table)}),
    "polars lists": lambda words, table, _: pl.DataFrame({"id": words, "emb": list(table)}),
    "arrow": lambda words, table, _: lists(words, table, True),
}
WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=5)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORD.map("<{}>".format), min_size=1, max_size=6, unique=True), seed=st.integers(0, 99))
def test_round_trip(name: str, words: list[str], seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every bit of every float64, and ids with quotes, blanks, commas and any script."""
    table = np.random.default_rng(seed).standard_normal((len(words), 12)) * 10.0 ** (seed % 5)
    found = read_embedding(FORMATS[name](words, table, tmp_path_factory.mktemp("trip") / name))
    assert found.items.dtype == np.float64
    assert np.array_equal(found.items, table)
    assert found.item_ids.tolist() == words


@pytest.mark.parametrize("fixed", [False, True])
def test_float32_stays_float32(tmp_path: Path, fixed: bool, rng: np.random.Generator) -> None:
    table = rng.standard_normal((4, 3)).astype(np.float32)
    for content in (lists(["a", "b", "c", "d"], table, fixed), wide(["a", "b", "c", "d"], table)):
        pq.write_table(content, tmp_path / "x.parquet")
        assert read_embedding(tmp_path / "x.parquet").items.dtype == np.float32


def test_npy_npz_and_safetensors(tmp_path: Path, rng: np.random.Generator) -> None:
    items, users = rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    np.save(tmp_path / "items.npy", items)
    np.save(tmp_path / "users.npy", np.asfortranarray(users))
    np.savez(tmp_path / "both.npz", item_factors=items, user_factors=users, item_ids=np.array(["a", "b", "c", "d"]))
    save_file({"items": items, "users": users}, tmp_path / "both.safetensors")
    two_files = read_embedding(tmp_path / "items.npy", tmp_path / "users.npy")
    for found in (two_files, read_embedding(tmp_path / "both.npz"), read_embedding(tmp_path / "both.safetensors")):
        assert np.array_equal(found.items, items)
        assert np.array_equal(found.users, users)
    assert read_embedding(tmp_path / "both.npz").item_ids.tolist() == ["a", "b", "c", "d"]
    by_key = read_embedding(f"{tmp_path}/both.npz:user_factors", f"{tmp_path}/both.safetensors:items")
    assert np.array_equal(by_key.items, users)
    assert np.array_equal(by_key.users, items)


def test_a_file_with_both_sides_can_be_named_twice(tmp_path: Path) -> None:
    np.savez(tmp_path / "both.npz", items=np.eye(2), users=np.ones((3, 2)))
    found = read_embedding(tmp_path / "both.npz", tmp_path / "both.npz")
    assert (found.n_items, found.n_users) == (2, 3)


def test_several_tables_of_which_none_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.eye(2), b=np.eye(3))
    with pytest.raises(InputError, match=r"x.npz holds 2 tables: a \(2, 2\), b \(3, 3\)\. Say which, such as x.npz:a"):
        read_embedding(tmp_path / "x.npz")
    with pytest.raises(InputError, match="no column 'items' for vectors"):
        read_embedding(f"{tmp_path}/x.npz:items")
    save_file({"bias": np.ones(3)}, tmp_path / "x.safetensors")
    with pytest.raises(InputError, match=r"holds 0 tables: bias \(3,\)"):
        read_embedding(tmp_path / "x.safetensors")


def test_bfloat16_is_widened(tmp_path: Path) -> None:
    values = np.array([[1.0, -2.5], [0.15625, 3.0]], dtype=np.float32)  # exact in bfloat16
    raw = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    header = json.dumps({"items": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, len(raw)]}}).encode()
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + raw)
    found = read_embedding(tmp_path / "x.safetensors")
    assert found.items.dtype == np.float32
    assert np.array_equal(found.items, values)


def test_parts_are_one_table(tmp_path: Path, rng: np.random.Generator) -> None:
    table = rng.standard_normal((6, 2))
    for part in range(3):
        np.save(tmp_path / f"part{part}.npy", table[2 * part : 2 * part + 2])
        pq.write_table(
            wide([f"w{2 * part}", f"w{2 * part + 1}"], table[2 * part : 2 * part + 2]), tmp_path / f"p{part}.parquet"
        )
    assert np.array_equal(read_embedding(f"{tmp_path}/part*.npy").items, table)
    assert np.array_equal(read_embedding(sorted(tmp_path.glob("part*.npy"))).items, table)
    found = read_embedding(f"{tmp_path}/p?.parquet")
    assert np.array_equal(found.items, table)
    assert found.item_ids.tolist() == [f"w{n}" for n in range(6)]
    np.save(tmp_path / "part9.npy", np.ones((1, 3)))
    with pytest.raises(InputError, match=r"different numbers of columns: \[2, 2, 2, 3\]"):
        read_embedding(f"{tmp_path}/part*.npy")


def test_saved_embedding(tmp_path: Path) -> None:
    saved = Embedding(np.eye(2), users=np.ones((3, 2)), item_ids=["a", "b"]).save(tmp_path / "model")
    assert read_embedding(saved).item_ids.tolist() == ["a", "b"]
    assert read_embedding(saved, names={"a": "tea", "b": "milk"}).item_names.tolist() == ["tea", "milk"]
    assert read_embedding(saved, ids=[1, 2]).item_ids.tolist() == [1, 2]
    with pytest.raises(InputError, match="leave users out"):
        read_embedding(saved, np.eye(2))


class TestColumns:
    def test_numbered_columns_come_in_order_and_others_are_noted(self) -> None:
        table = pa.table({"item": [7], "v10": [10.0], "v9": [9.0], "year": [1995], "v1": [1.0]})
        found = read_embedding(table)
        assert found.items.tolist() == [[1.0, 9.0, 10.0]]
        assert found.item_ids.tolist() == [7]
        assert found.provenance["sources"]["items"]["left_out"] == ["year (whole numbers)"]

    def test_names_beside_ids(self) -> None:
        table = pa.table({"item_id": [7, 8], "title": ["<b>tea</b>", "milk"], "x": [1.0, 2.0], "y": [0.0, 1.0]})
        assert read_embedding(table).item_names.tolist() == ["<b>tea</b>", "milk"]
        assert read_embedding(table, ids="title").item_ids.tolist() == ["<b>tea</b>", "milk"]
        assert read_embedding(table, names="item_id").item_names.tolist() == ["7", "8"]

    def test_headerless_table_with_ids_in_front(self, tmp_path: Path) -> None:
        (tmp_path / "x.csv").write_text("7,0.5,1.5\n9,2.5,3.5\n")
        found = read_embedding(tmp_path / "x.csv")
        assert (found.item_ids.tolist(), found.items.tolist()) == ([7, 9], [[0.5, 1.5], [2.5, 3.5]])
        (tmp_path / "x.csv").write_text("0.5,1.5\n2.5,3.5\n")
        assert read_embedding(tmp_path / "x.csv").items.tolist() == [[0.5, 1.5], [2.5, 3.5]]

    def test_pandas_index_column_is_no_dimension(self, tmp_path: Path) -> None:
        frame = pd.DataFrame([[0.5, 1.5], [2.5, 3.5]], index=["a", "b"])
        frame.to_csv(tmp_path / "x.csv")
        found = read_embedding(tmp_path / "x.csv")
        assert found.items.tolist() == [[0.5, 1.5], [2.5, 3.5]]
        assert found.item_ids.tolist() == ["a", "b"]

    def test_list_column_by_name(self, tmp_path: Path) -> None:
        table = pa.table({"id": [1], "a": [[1.0, 2.0]], "b": [[3.0, 4.0]]})
        pq.write_table(table, tmp_path / "x.parquet")
        assert read_embedding(f"{tmp_path}/x.parquet:b").items.tolist() == [[3.0, 4.0]]
        with pytest.raises(InputError, match=r"several columns of lists \(a, b\): say which"):
            read_embedding(tmp_path / "x.parquet")
        with pytest.raises(InputError, match="'id' does not hold lists"):
            read_embedding(f"{tmp_path}/x.parquet:id")

    @pytest.mark.parametrize(
        ("table", "text"),
        [
            (
                {"id": ["a", "b"], "emb": [[1.0], [1.0, 2.0]]},
                "data row 2: column 'emb' holds a vector of length 2 where 1 is expected",
            ),
            ({"id": ["a", "b"], "emb": [[1.0], None]}, "data row 2: column 'emb' holds no vector"),
            (
                {"id": ["a", "b"], "emb": [[1.0], [None]]},
                "data row 2: column 'emb' holds a vector with a missing number",
            ),
            (
                {"id": ["a"], "emb": pa.array([[]], pa.list_(pa.float64()))},
                "data row 1: column 'emb' holds a vector of length 0",
            ),
            ({"id": ["a", "b"], "v0": [1.0, None], "v1": [1.0, 1.0]}, "data row 2: column 'v0' holds no number"),
            ({"id": ["a", "b"], "v0": [1.0, float("inf")], "v1": [1.0, 1.0]}, "first: row 1"),
            ({"id": ["a", "a"], "v0": [1.0, 2.0], "v1": [1.0, 1.0]}, "labels are duplicates .such as 'a'"),
            ({"id": ["a", None], "v0": [1.0, 2.0], "v1": [1.0, 1.0]}, "1 of 2 labels are missing"),
            ({"id": ["a"], "name": ["b"]}, "no columns of numbers"),
            ({"id": pa.array([], pa.string()), "v0": pa.array([], pa.float64())}, "holds no rows"),
        ],
    )
    def test_bad_tables(self, table: dict[str, object], text: str) -> None:
        with pytest.raises(InputError, match=text):
            read_embedding(pa.table(table))

    def test_text_that_turns_up_among_the_numbers(self, tmp_path: Path) -> None:
        rows = [f"w{n},0.5,1.5" for n in range(1500)]
        rows[1200] = "w1200,0.5,oops"
        (tmp_path / "x.csv").write_text("word,v0,v1\n" + "\n".join(rows) + "\n")
        with pytest.raises(InputError, match=r"x\.csv, line 1202: column 'v1' holds no number but 'oops'"):
            read_embedding(tmp_path / "x.csv")


class TestLabels:
    def test_from_files_columns_and_sequences(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.eye(2))
        (tmp_path / "ids.csv").write_text("row,movie_id\n0,10\n1,20\n")
        (tmp_path / "names.csv").write_text("movieId,title\n20,Heat\n10,Toy Story\n")
        found = read_embedding(tmp_path / "x.npy", ids=tmp_path / "ids.csv", names=tmp_path / "names.csv")
        assert found.item_ids.tolist() == [10, 20]
        assert found.item_names.tolist() == ["Toy Story", "Heat"]  # joined by id
        in_order = read_embedding(tmp_path / "x.npy", names=f"{tmp_path}/names.csv:title")
        assert in_order.item_names.tolist() == ["Heat", "Toy Story"]
        both = read_embedding(tmp_path / "x.npy", np.eye(2), user_ids=["u", "v"], ids=["a", "b"], names={"b": "B"})
        assert both.user_ids is not None
        assert both.user_ids.tolist() == ["u", "v"]
        assert both.item_names.tolist() == ["a", "B"]

    def test_names_by_id_need_ids(self, tmp_path: Path) -> None:
        """A table of ids and names beside rows without ids: taken in order, it would name the wrong rows."""
        np.save(tmp_path / "x.npy", np.eye(2))
        (tmp_path / "names.csv").write_text("id,name\n20,Heat\n10,Toy Story\n")
        with pytest.raises(InputError, match=r"names ids \(the first is 20\), and the rows of the vectors have none"):
            read_embedding(tmp_path / "x.npy", names=tmp_path / "names.csv")
        both = read_embedding(tmp_path / "x.npy", ids=f"{tmp_path}/names.csv:id", names=tmp_path / "names.csv")
        assert (both.item_ids.tolist(), both.item_names.tolist()) == ([20, 10], ["Heat", "Toy Story"])
        in_order = read_embedding(tmp_path / "x.npy", names=f"{tmp_path}/names.csv:name")
        assert in_order.item_names.tolist() == ["Heat", "Toy Story"]
        by_column = read_embedding(tmp_path / "x.npy", ids=[10, 20], names=f"{tmp_path}/names.csv:id:name")
        assert by_column.item_names.tolist() == ["Toy Story", "Heat"]
        (tmp_path / "names.csv").write_text("id,name\n0,Heat\n1,Toy Story\n")
        assert read_embedding(tmp_path / "x.npy", names=tmp_path / "names.csv").item_names[1] == "Toy Story"

    def test_that_do_not_fit(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.eye(3))
        (tmp_path / "ids.txt").write_text("a\nb\n")
        with pytest.raises(InputError, match="item_ids: 2 labels for 3 rows"):
            read_embedding(tmp_path / "x.npy", ids=tmp_path / "ids.txt")
        with pytest.raises(InputError, match="ids='movie_id' is no file"):
            read_embedding(tmp_path / "x.npy", ids="movie_id")
        with pytest.raises(InputError, match="neither a file nor a column"):
            read_embedding(tmp_path / "x.npy", names="title")
        with pytest.raises(InputError, match="item_names: 2 names for 3 items"):
            read_embedding(tmp_path / "x.npy", names=f"{tmp_path}/ids.txt")
        with pytest.raises(InputError, match="no users' table"):
            read_embedding(tmp_path / "x.npy", user_ids=["u"])
        with pytest.raises(InputError, match="no column 'nothing' for item ids"):
            read_embedding(pa.table({"a": [1.0]}), ids="nothing")


class TestBadFiles:
    def test_sides_of_different_width(self, tmp_path: Path) -> None:
        np.save(tmp_path / "items.npy", np.eye(3))
        np.save(tmp_path / "users.npy", np.ones((2, 4)))
        with pytest.raises(InputError, match="items have 3 columns and users 4"):
            read_embedding(tmp_path / "items.npy", tmp_path / "users.npy")

    def test_content_that_is_not_what_the_name_says(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.eye(2))
        content = (tmp_path / "x.npy").read_bytes()
        for name in ("x.parquet", "x.csv", "x.npz", "x.safetensors", "x.jsonl"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(InputError, match=rf"{name}: its name says \w+, its content is npy"):
                read_embedding(tmp_path / name)
        (tmp_path / "x.npy").write_text("0.1 0.2\n")
        with pytest.raises(InputError, match="its name says npy, its content is text"):
            read_embedding(tmp_path / "x.npy")
        (tmp_path / "x.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
        with pytest.raises(InputError, match=r"x\.h5 is damaged or cut off"):
            read_embedding(tmp_path / "x.h5")
        (tmp_path / "noise").write_bytes(bytes(range(256)) * 4)
        with pytest.raises(InputError, match="is binary"):
            read_embedding(tmp_path / "noise")

    @pytest.mark.parametrize("keep", [0, 5, 12, 40, 200])
    def test_files_that_were_cut_off(self, tmp_path: Path, keep: int) -> None:
        """Wherever the cut falls: an InputError with the file's name, never another exception."""
        table = np.arange(60.0).reshape(20, 3)
        np.save(tmp_path / "x.npy", table)
        np.savez(tmp_path / "x.npz", table)
        save_file({"items": table}, tmp_path / "x.safetensors")
        pq.write_table(wide([f"w{n}" for n in range(20)], table), tmp_path / "x.parquet")
        for name in ("x.npy", "x.npz", "x.safetensors", "x.parquet"):
            (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:keep])
            with pytest.raises(InputError, match=name):
                read_embedding(tmp_path / name)

    def test_hostile_safetensors(self, tmp_path: Path) -> None:
        header = json.dumps({"items": {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 4]}}).encode()
        (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
        with pytest.raises(InputError, match=r"x\.safetensors is damaged"):
            read_embedding(tmp_path / "x.safetensors")

    def test_json_that_was_cut_off(self, tmp_path: Path) -> None:
        (tmp_path / "x.jsonl").write_text('{"id": "a", "vector": [1, 2]}\n{"id": "b", "vector": [1,')
        with pytest.raises(InputError, match=r"x\.jsonl, line 2"):
            read_embedding(tmp_path / "x.jsonl")

    def test_nothing_there(self, tmp_path: Path) -> None:
        (tmp_path / "x.csv").write_text("")
        with pytest.raises(InputError, match="is empty"):
            read_embedding(tmp_path / "x.csv")
        with pytest.raises(InputError, match="does not exist"):
            read_embedding(tmp_path / "y.npy")
        with pytest.raises(InputError, match="received 1 dimension"):
            read_embedding(np.ones(3))
        with pytest.raises(ParameterError, match="expected 'error' or 'drop'"):
            read_embedding(np.eye(2), on_bad_row="ignore")

    def test_addresses_are_not_fetched(self) -> None:
        for address in ("https://example.com/x.npy", "s3://bucket/x.parquet"):
            with pytest.raises(InputError, match="is an address, and nothing is fetched from the network"):
                read_embedding(address)

    def test_provenance_tells_what_not_where(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.eye(2))
        origin = read_embedding(tmp_path / "x.npy").provenance["sources"]["items"]
        assert origin["file"] == "x.npy"
        assert origin["bytes"] == (tmp_path / "x.npy").stat().st_size
        assert len(origin["sha256"]) == 64
        assert str(tmp_path) not in json.dumps(origin)
