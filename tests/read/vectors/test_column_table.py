"""Parquet, Arrow and frames: every type that holds numbers and ids, and what a frame's index means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from read.vectors.table_problem import COUNTED, NUMBERS, ROWS, TABLE, WORDS, assert_whole, read
from simgauge.errors import InputError

HALF = TABLE.astype(np.float16)
WIDE = {f"v{n}": TABLE[:, n] for n in range(4)}
TABLES: dict[str, tuple[pa.Table, list[Any]]] = {
    "lists": (pa.table({"id": WORDS, "emb": pa.array(ROWS, pa.list_(pa.float32()))}), WORDS),
    "fixed lists": (pa.table({"id": WORDS, "emb": pa.array(ROWS, pa.list_(pa.float32(), 4))}), WORDS),
    "large lists": (pa.table({"id": WORDS, "emb": pa.array(ROWS, pa.large_list(pa.float64()))}), WORDS),
    "lists beside lists of many lengths": (
        pa.table({"id": WORDS, "g": [[1], [2, 3]] * 20, "f": pa.array(ROWS)}),
        WORDS,
    ),
    "lists as text": (pa.table({"id": WORDS, "emb": [str(row) for row in ROWS]}), WORDS),
    "categories": (pa.table({"id": pa.array(WORDS).dictionary_encode(), **WIDE}), WORDS),
    "ids that passed through floats": (pa.table({"id": pa.array(NUMBERS, pa.float64()), **WIDE}), NUMBERS),
    "ids beyond 63 bits": (
        pa.table({"id": pa.array([2**64 - 1 - n for n in range(40)], pa.uint64()), **WIDE}),
        [str(2**64 - 1 - n) for n in range(40)],
    ),
    "names with points": (pa.table({"a.b": WORDS, **{f"v.{n}": TABLE[:, n] for n in range(4)}}), WORDS),
    "an index of numbers": (
        pa.Table.from_pandas(pd.DataFrame(TABLE, index=NUMBERS).rename(columns=str)),
        NUMBERS,
    ),
    "an index of words": (pa.Table.from_pandas(pd.DataFrame(WIDE, index=pd.Index(WORDS, name="foo"))), WORDS),
    "user ids beside": (pa.table({"user_id": [n % 7 for n in COUNTED], "item_id": NUMBERS, **WIDE}), NUMBERS),
}


@pytest.mark.parametrize("case", TABLES)
def test_files_and_tables(case: str, tmp_path: Path) -> None:
    table, ids = TABLES[case]
    pq.write_table(table, tmp_path / "x.parquet")
    feather.write_feather(table, tmp_path / "x.feather")
    with pa.OSFile(str(tmp_path / "stream.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    sources = [table, tmp_path / "x.parquet", tmp_path / "x.feather", tmp_path / "stream.arrow"]
    for source in sources:
        assert_whole(source, ids)
    content = (tmp_path / "x.feather").read_bytes()
    (tmp_path / "cut.feather").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"cut\.feather is damaged or cut off"):
        read(tmp_path / "cut.feather")


@pytest.mark.parametrize(
    ("frame", "ids"),
    [
        (pd.DataFrame(TABLE), COUNTED),
        (pd.DataFrame(TABLE, index=WORDS), WORDS),
        (pd.DataFrame(TABLE, index=NUMBERS), NUMBERS),
        (pd.DataFrame(np.vstack([TABLE, TABLE]), columns=list("abcd")).iloc[40:], list(range(40, 80))),
        (pd.DataFrame(TABLE, index=pd.MultiIndex.from_arrays([WORDS, NUMBERS], names=["word", "n"])), WORDS),
        (pd.DataFrame({"id": WORDS, "v": list(TABLE)}), WORDS),
        (pd.DataFrame({"id": WORDS, "v": [tuple(row) for row in ROWS]}), WORDS),
        (pl.DataFrame(TABLE, schema=list("abcd")), COUNTED),
        (pl.LazyFrame({"id": WORDS, "v": ROWS}), WORDS),
    ],
)
def test_frames(frame: Any, ids: list[Any]) -> None:
    assert_whole(frame, ids)


def test_a_permuted_index_numbers_nothing() -> None:
    """Rows that were shuffled keep the ids that their index gives them."""
    order = np.random.default_rng(0).permutation(40)
    found, _ = read(pd.DataFrame(TABLE).iloc[order])
    assert found.item_ids.tolist() == order.tolist()
    assert np.array_equal(found.items[np.argsort(order)], TABLE)


def test_half_precision_stays_exact() -> None:
    table = pa.table({"id": WORDS, "v": pa.array(list(HALF), pa.list_(pa.float16(), 4))})
    found, understood = read(table)
    assert (found.items.dtype, understood["dtype"]) == (np.float32, "float16")
    assert np.array_equal(found.items, HALF)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (
            {"id": WORDS, "e": [row.tobytes() for row in TABLE]},
            r"column 'e' is binary \(decode it first: np\.frombuffer",
        ),
        ({"id": WORDS, "e": [{"indices": [1], "values": [0.5]}] * 40}, r"column 'e' is struct<indices"),
        ({"id": WORDS, "a": ROWS, "b": ROWS}, r"several columns of lists \(a, b\)"),
        ({"id": WORDS, "text_emb": ROWS, "image_emb": ROWS, "c": ROWS}, "say which holds the vectors"),
        (
            {"a": TABLE[:, 0], "zz": NUMBERS, "b": TABLE[:, 1]},
            r"column zz of whole numbers beside 2 columns of fractions",
        ),
        ({"u": [n % 7 for n in COUNTED], "x": NUMBERS, "y": [10**9 + n for n in COUNTED]}, "whole numbers only"),
        (
            {"a": TABLE[:, 0], "imdb_id": NUMBERS, "tmdb_id": COUNTED, "b": TABLE[:, 1]},
            r"--ids imdb_id or --ids tmdb_id",
        ),
    ],
)
def test_questions(columns: dict[str, Any], text: str, tmp_path: Path) -> None:
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    for source in (pa.table(columns), tmp_path / "x.parquet"):
        with pytest.raises(InputError, match=text):
            read(source)


def test_the_answers_to_questions(tmp_path: Path) -> None:
    columns = {"a": TABLE[:, 0], "zz": NUMBERS, "b": TABLE[:, 1]}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet", ids="zz")[0].item_ids.tolist() == NUMBERS
    assert read(f"{tmp_path}/x.parquet:a,b")[0].n_components == 2
    assert read(f"{tmp_path}/x.parquet:a,zz,b")[0].items[3, 1] == NUMBERS[3]
    assert read(f"{tmp_path}/x.parquet:0..2")[0].n_components == 3


def test_parts_with_other_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": WORDS, **WIDE}), tmp_path / "a1.parquet")
    pq.write_table(pa.table({"id": WORDS, "w": TABLE[:, 0]}), tmp_path / "a2.parquet")
    with pytest.raises(InputError, match=r"a2\.parquet has other columns than a1\.parquet"):
        read(f"{tmp_path}/a*.parquet")


def test_what_is_no_frame() -> None:
    for source in (3, None, pd.Series(ROWS), pl.Series(ROWS)):
        with pytest.raises(InputError, match="expected a path, a glob, a list of paths, an array, a tensor"):
            read(source)


def test_offsets_outside_a_buffer_are_refused(tmp_path: Path) -> None:
    """An Arrow file with a damaged offset would end the process where its text is read."""
    table = pa.table({"id": WORDS, **WIDE})
    feather.write_feather(table, tmp_path / "x.feather", compression="uncompressed")
    content = bytearray((tmp_path / "x.feather").read_bytes())
    offsets = np.cumsum([0, *map(len, WORDS)]).astype("<i4").tobytes()
    place = content.index(offsets)
    content[place + 40 : place + 44] = (2**30).to_bytes(4, "little")
    (tmp_path / "x.feather").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.feather is damaged or cut off"):
        read(tmp_path / "x.feather")
