"""The same events read the same from every format; every bad input is refused in words that help."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.interactions import Interactions
from simgauge.read.interactions import read_interactions

Write = Callable[[pa.Table, Path], object]


def write_sqlite(table: pa.Table, path: Path) -> object:
    frame = table.to_pandas()
    with closing(sqlite3.connect(path)) as connection:
        frame.to_sql("events", connection, index=False)
        connection.commit()
    return path


def write_duckdb(table: pa.Table, path: Path) -> object:
    with duckdb.connect(str(path)) as connection:
        connection.register("given", table)
        connection.execute("CREATE TABLE events AS SELECT * FROM given")
    return path


def write_parquet(table: pa.Table, path: Path) -> object:
    pq.write_table(table, path)
    return path


def write_json(table: pa.Table, path: Path) -> object:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist()), encoding="utf-8")
    return path


def write_csv(table: pa.Table, path: Path) -> object:
    table.to_pandas().to_csv(path, index=False, encoding="utf-8")
    return path


def write_tsv(table: pa.Table, path: Path) -> object:
    table.to_pandas().to_csv(path, index=False, sep="\t", encoding="utf-8")
    return path


def write_gzip(table: pa.Table, path: Path) -> object:
    path.write_bytes(gzip.compress(table.to_pandas().to_csv(index=False).encode()))
    return path


FORMATS: dict[str, Write] = {
    "events.csv": write_csv,
    "events.tsv": write_tsv,
    "events.csv.gz": write_gzip,
    "events.jsonl": write_json,
    "events.parquet": write_parquet,
    "events.sqlite": write_sqlite,
    "events.duckdb": write_duckdb,
    "pandas": lambda table, _: table.to_pandas(),
    "polars": lambda table, _: pl.from_arrow(table),
    "polars lazy": lambda table, _: pl.from_arrow(table).lazy(),
    "arrow": lambda table, _: table,
    "arrow stream": lambda table, _: table.to_reader(),
}

LABEL = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=6).map(
    lambda text: f"<{text}>"
)
ROW = st.tuples(LABEL, st.integers(-(2**63), 2**63 - 1), st.integers(1, 9).map(lambda n: n / 4))


def options_for(name: str) -> dict[str, str]:
    return {"query": "SELECT user, item, weight FROM events"} if name.endswith(("sqlite", "duckdb")) else {}


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=12))
def test_round_trip(name: str, rows: list[tuple[str, int, float]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Ids with quotes, spaces and any script come back as they were, integers of 64 bits too."""
    users, items, weights = map(list, zip(*rows, strict=True))
    source = FORMATS[name](
        pa.table({"user": users, "item": items, "weight": weights}), tmp_path_factory.mktemp("trip") / name
    )
    found = read_interactions(source, "user", "item", "weight", **options_for(name))
    expected: dict[tuple[str, int], float] = {}
    for user, item, weight in rows:
        expected[user, item] = expected.get((user, item), 0.0) + weight
    coo = found.matrix.tocoo()
    got = {
        (found.user_ids[row], int(found.item_ids[column])): float(value)
        for row, column, value in zip(*coo.coords, coo.data, strict=True)
    }
    assert got == expected
    assert found.item_ids.dtype == np.int64
    assert found.report["rows_read"] == len(rows)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_text("userId,movieId,rating\n1,10,2\n1,10,3\n2,10,1\n2,20,4\n")
    return path


def test_usual_names_are_taken_and_said(events: Path) -> None:
    found = read_interactions(events)
    assert found.matrix.toarray().tolist() == [[3.0, 0.0], [1.0, 4.0]], "of repeated ratings the last counts"
    assert found.report["columns"] == {"user": "userId", "item": "movieId", "weight": "rating"}
    assert "no user column was named: took 'userId'" in found.report["notes"]


def test_named_columns_without_weight_count_events(events: Path) -> None:
    assert read_interactions(events, "userId", "movieId").matrix.toarray().tolist() == [[2.0, 0.0], [1.0, 1.0]]


def test_headerless_columns_by_position_name_or_default(tmp_path: Path) -> None:
    path = tmp_path / "u.data"
    path.write_text("196\t242\t3\t881250949\n186\t302\t4\t891717742\n196\t302\t1\t891717743\n")
    expected = [[0.0, 4.0], [3.0, 1.0]]
    for columns in ((), (0, 1, 2), ("column0", "column1", "column2")):
        assert read_interactions(path, *columns).matrix.toarray().tolist() == expected
    assert "took user=0, item=1, weight=2" in " ".join(read_interactions(path).report["notes"])
    path.write_text("1 2 3 4 5\n5 4 3 2 1\n")
    with pytest.raises(InputError, match="no column 'user' for user"):
        read_interactions(path)


def test_two_headerless_columns_have_no_weight(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("1 2\n1 2\n2 2\n")
    assert read_interactions(path).matrix.toarray().tolist() == [[2.0], [1.0]]


@pytest.mark.parametrize(("rule", "value"), [("sum", 5.0), ("max", 3.0), ("mean", 2.5), ("last", 3.0), ("count", 2.0)])
def test_duplicate_rules(events: Path, rule: str, value: float) -> None:
    found = read_interactions(events, duplicates=rule)
    assert found.matrix[0, 0] == value
    assert found.report["duplicates"] == {"rule": rule, "events_merged": 1}


def test_last_by_time_not_by_order() -> None:
    table = pa.table({"user": [1, 1], "item": [1, 1], "weight": [7.0, 5.0], "when": ["2024-02-01", "2024-01-01"]})
    assert read_interactions(table, "user", "item", "weight", duplicates="last").matrix[0, 0] == 5.0
    assert read_interactions(table, "user", "item", "weight", time="when", duplicates="last").matrix[0, 0] == 7.0


def test_globs_lists_and_directories_are_one_table(tmp_path: Path) -> None:
    for part in (1, 2):
        pq.write_table(pa.table({"user": [part], "item": ["a"]}), tmp_path / f"part-{part}[x].parquet")
    (tmp_path / "_SUCCESS").write_text("")
    for source in (f"{tmp_path}/part-*.parquet", sorted(tmp_path.glob("part*")), tmp_path):
        assert read_interactions(source).user_ids.tolist() == [1, 2]
    with pytest.raises(InputError, match="no file matches"):
        read_interactions(f"{tmp_path}/other-*.parquet")


def test_signs_of_globs_in_the_name_of_a_file_that_is_there(tmp_path: Path) -> None:
    for user, name in enumerate(("part*.parquet", "partly.parquet", "part'1'.csv")):
        (write_csv if name.endswith("csv") else write_parquet)(
            pa.table({"user": [user], "item": ["a"]}), tmp_path / name
        )
        assert read_interactions(tmp_path / name).user_ids.tolist() == [user]
    assert read_interactions(tmp_path / "part*.parquet").user_ids.tolist() == [0]


def test_missing_ids_are_dropped_counted_and_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user,item\nann,tea\n,tea\nbob,\n,\nzoe,milk\n")
    with pytest.warns(DroppedDataWarning, match=r"2 \(missing user id\), 1 \(missing item id\)"):
        found = read_interactions(path)
    assert found.report["rows_read"] == 5
    assert found.report["rows_dropped"] == {"missing user id": 2, "missing item id": 1}
    assert found.user_ids.tolist() == ["ann", "zoe"]


def test_users_seen_only_in_dropped_rows_are_no_rows() -> None:
    frame = pd.DataFrame({"user": ["a", "b", "b"], "item": ["x", None, "y"]})
    with pytest.warns(DroppedDataWarning):
        assert read_interactions(frame).user_ids.tolist() == ["a", "b"]
    with pytest.warns(DroppedDataWarning):
        assert read_interactions(frame.iloc[:2]).user_ids.tolist() == ["a"]


def test_pandas_ids_that_became_floats_are_integers_again() -> None:
    frame = pd.DataFrame({"user": [1.0, float("nan"), 3.0], "item": [1, 2, 3]})
    with pytest.warns(DroppedDataWarning):
        found = read_interactions(frame)
    assert found.user_ids.tolist() == [1, 3]
    assert found.user_ids.dtype == np.int64


def test_pairs_of_weight_zero_are_dropped_and_reported() -> None:
    table = pa.table({"user": [1, 1, 2], "item": [1, 2, 1], "weight": [0.0, 1.0, 0.0]})
    found = read_interactions(table)
    assert (found.user_ids.tolist(), found.item_ids.tolist()) == ([1], [2])
    assert found.report["pairs_of_weight_zero_dropped"] == 2


def test_last_event_of_weight_zero_takes_the_pair_back() -> None:
    table = pa.table({"user": [1, 1, 1], "item": [1, 1, 2], "weight": [5.0, 0.0, 1.0]})
    assert read_interactions(table, duplicates="last").item_ids.tolist() == [2]


def test_minimum_counts_hold_together_afterwards() -> None:
    dense = np.eye(4) + np.eye(4, k=1)
    dense[:2, :2] = 1.0
    found = read_interactions(dense, min_user_count=2, min_item_count=2)
    assert found.user_counts.min() >= 2
    assert found.item_counts.min() >= 2
    assert found.report["minimum_counts"]["users_dropped"] == 4 - found.n_users
    with pytest.raises(InputError, match=r"nothing is left of .* with min_user_count=5"):
        read_interactions(dense, min_user_count=5)


def test_names_from_mapping_file_and_column(events: Path, tmp_path: Path) -> None:
    movies = tmp_path / "movies.csv"
    movies.write_text('movieId,year,title\n20,1995,"Heat, <b>1995</b>"\n99,1990,Other\n')
    found = read_interactions(events, names=movies)
    assert found.item_names is not None
    assert found.item_names.tolist() == ["10", "Heat, <b>1995</b>"]
    assert found.report["names"] == {"named": 1, "without_name": 1}
    by_column = read_interactions(events, names=f"{movies}:year").item_names
    assert by_column is not None
    assert by_column.tolist() == ["10", "1995"]
    by_mapping = read_interactions(events, names={"10": "Up"}).item_names
    assert by_mapping is not None
    assert by_mapping.tolist() == ["Up", "20"]
    with pytest.raises(InputError, match=r"none of the 2 ids .* is among the 1 ids with names"):
        read_interactions(events, names={"x": "y"})


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr"])
def test_sparse_files(tmp_path: Path, kind: str) -> None:
    sparse.save_npz(tmp_path / "x.npz", sparse.coo_array([[0.0, 2.0], [1.0, 0.0]]).asformat(kind))
    found = read_interactions(tmp_path / "x.npz")
    assert found.matrix.toarray().tolist() == [[0.0, 2.0], [1.0, 0.0]]
    with pytest.raises(ParameterError, match="this source is a matrix"):
        read_interactions(tmp_path / "x.npz", "user", "item")


def test_saved_interactions_and_matrices_read_back(tmp_path: Path) -> None:
    saved = Interactions(np.eye(3), item_ids=["a", "b", "c"]).save(tmp_path / "seen")
    assert read_interactions(saved).item_ids.tolist() == ["a", "b", "c"]
    assert read_interactions(sparse.eye_array(3)).nnz == 3
    assert read_interactions(np.eye(2)[:1]).n_users == 1


def test_one_user_is_enough() -> None:
    assert (
        repr(read_interactions(pa.table({"user": [1], "item": [1]}))) == "Interactions(1 user, 1 item, 1 pair, float64)"
    )


def test_two_reads_give_the_same_bits(tmp_path: Path, rng: np.random.Generator) -> None:
    n = 300_000
    table = pa.table(
        {"user": rng.integers(0, 900, n), "item": rng.integers(0, 50, n), "weight": rng.random(n)}  # many repeats
    )
    pq.write_table(table, tmp_path / "events.parquet", row_group_size=20_000)
    first, second = (read_interactions(tmp_path / "events.parquet").matrix for _ in range(2))
    assert np.array_equal(first.data, second.data)
    expected = np.zeros((900, 50))
    np.add.at(expected, (table["user"].to_numpy(), table["item"].to_numpy()), table["weight"].to_numpy())
    assert np.allclose(first.toarray(), expected, rtol=1e-12)


def test_the_order_of_the_file_is_kept(tmp_path: Path) -> None:
    """What "last" means without times; threads of the reader must not change it."""
    n = 400_000
    place = np.arange(n)
    pq.write_table(
        pa.table({"user": place % 7, "item": place % 3, "weight": place + 1.0}),
        tmp_path / "events.parquet",
        row_group_size=5_000,
    )
    found = read_interactions(tmp_path / "events.parquet", duplicates="last").matrix
    expected = {(int(p % 7), int(p % 3)): p + 1.0 for p in place}
    assert {(u, i): found[u, i] for u in range(7) for i in range(3)} == expected


class TestBadInput:
    def test_misnamed_column(self, events: Path) -> None:
        with pytest.raises(
            InputError, match=r"events.csv has no column 'movie' for item. Did you mean 'movieId'\? Its"
        ):
            read_interactions(events, "userId", "movie")
        with pytest.raises(InputError, match="no column number 3 for weight: it has 3, counted from 0"):
            read_interactions(events, 0, 1, 3)
        with pytest.raises(InputError, match="one column was given for two roles"):
            read_interactions(events, "userId", "userId")
        with pytest.raises(InputError, match="Its columns: a, b"):
            read_interactions(pa.table({"a": [1], "b": [2]}))

    def test_column_of_a_frame_that_occurs_twice(self) -> None:
        table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["user", "user"])
        with pytest.raises(InputError, match="2 columns called 'user'"):
            read_interactions(table, "user", "user")
        with pytest.raises(InputError, match="the frame cannot be read"):
            read_interactions(pd.DataFrame([[1, 2]], columns=["user", "user"]))

    @pytest.mark.parametrize(
        ("values", "text"),
        [
            ("2\nnan", "weight 'weight' is NaN or no number in data row 2"),
            ("2\n3\ninf", "weight 'weight' is inf in data row 3"),
            ("-1.5\n3", "weight 'weight' is -1.5 in data row 1"),
            ("2\nmany", "weight 'weight' is 'many', no number in data row 2"),
            ('2\n""', "weight 'weight' is missing in data row 2"),
        ],
    )
    def test_weights(self, tmp_path: Path, values: str, text: str) -> None:
        path = tmp_path / "events.csv"
        path.write_text("user,item,weight\n" + "".join(f"1,{n},{w}\n" for n, w in enumerate(values.split("\n"))))
        with pytest.raises(InputError, match=text):
            read_interactions(path)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, None])
    def test_weights_of_frames(self, value: float | None) -> None:
        for frame in (pd.DataFrame, pl.DataFrame, pa.table):
            with pytest.raises(InputError, match=r"weight 'weight' .* in data row 2 \(1 such"):
                read_interactions(frame({"user": [1, 2], "item": [1, 2], "weight": [1.0, value]}))

    def test_empty(self, tmp_path: Path) -> None:
        empty = tmp_path / "events.csv"
        empty.write_text("")
        with pytest.raises(InputError, match=r"events.csv is empty \(0 bytes\)"):
            read_interactions(empty)
        empty.write_text("user,item\n")
        with pytest.raises(InputError, match="holds no rows"):
            read_interactions(empty)
        with pytest.raises(InputError, match="holds no rows"):
            read_interactions(pl.DataFrame({"user": [], "item": []}))
        with (
            pytest.raises(InputError, match="all 1 rows lack a user or item id"),
        ):
            read_interactions(pa.table({"user": pa.array([None], pa.string()), "item": ["x"]}))
        with pytest.raises(InputError, match="every weight is zero"):
            read_interactions(pa.table({"user": [1], "item": [1], "weight": [0.0]}))

    def test_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="does not exist"):
            read_interactions(tmp_path / "nothing.csv")
        with pytest.raises(InputError, match="empty directory"):
            read_interactions(tmp_path)

    def test_file_that_is_not_what_its_name_says(self, tmp_path: Path, events: Path) -> None:
        disguised = tmp_path / "events.parquet"
        disguised.write_bytes(events.read_bytes())
        with pytest.raises(InputError, match="its name says Parquet, its content is text"):
            read_interactions(disguised)
        disguised = tmp_path / "other.csv"
        pq.write_table(pa.table({"user": [1], "item": [1]}), disguised)
        with pytest.raises(InputError, match="its name says text, its content is Parquet"):
            read_interactions(disguised)
        disguised = tmp_path / "events.jsonl"
        disguised.write_bytes(events.read_bytes())
        with pytest.raises(InputError, match="its name says JSON"):
            read_interactions(disguised)
        (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
        with pytest.raises(InputError, match="is npy, not a table"):
            read_interactions(tmp_path / "x.npy")

    def test_parquet_that_was_cut_off(self, tmp_path: Path) -> None:
        path = tmp_path / "events.parquet"
        pq.write_table(pa.table({"user": np.arange(1000), "item": np.arange(1000)}), path)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match="cut off"):
            read_interactions(path)
        path.write_bytes(whole[:4] + bytes(len(whole) - 8 - 200) + whole[-204:])
        with pytest.raises(InputError, match=r"events\.parquet cannot be read as Parquet"):
            read_interactions(path)

    def test_text_that_was_cut_off(self, tmp_path: Path) -> None:
        path = tmp_path / "events.csv"
        path.write_text("user,item,rating\n1,2,3\n4,5")
        with pytest.raises(InputError, match=r"events.csv, line 3 \('4,5'\).*on_bad_row='drop'"):
            read_interactions(path)
        with pytest.warns(DroppedDataWarning, match=r"1 \(bad row\)"):
            found = read_interactions(path, on_bad_row="drop")
        assert found.nnz == 1
        assert found.report["rows_read"] == 2
        whole = gzip.compress(b"user,item\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(100_000)))
        (tmp_path / "events.csv.gz").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match=r"events\.csv\.gz"):
            read_interactions(tmp_path / "events.csv.gz")

    def test_json_that_was_cut_off(self, tmp_path: Path) -> None:
        path = tmp_path / "events.jsonl"
        path.write_text('{"user": 1, "item": 2}\n{"user": 1, "it')
        with pytest.raises(InputError, match=r"events\.jsonl, line 2: not JSON"):
            read_interactions(path)

    def test_ids_that_do_not_fit(self, tmp_path: Path) -> None:
        path = tmp_path / "events.csv"
        path.write_text(f"user,item\n{2**63},1\n5,1\n")
        assert read_interactions(path).user_ids.tolist() == ["5", str(2**63)], (
            "ids beyond 64 bits are text by themselves"
        )
        assert read_interactions(path, id_type="text").user_ids.tolist() == ["5", str(2**63)]
        table = pa.table({"user": pa.array([2**64 - 1], pa.uint64()), "item": [1]})
        assert read_interactions(table).user_ids.tolist() == [str(2**64 - 1)]
        assert read_interactions(table, id_type="text").user_ids.tolist() == [str(2**64 - 1)]

    def test_nested_ids(self) -> None:
        with pytest.raises(InputError, match="nested values"):
            read_interactions(pa.table({"user": [[1]], "item": [1]}))

    @pytest.mark.parametrize(
        "option",
        [
            {"duplicates": "average"},
            {"id_type": "int"},
            {"on_bad_row": "ignore"},
            {"min_user_count": 0},
            {"min_item_count": 1.5},
        ],
    )
    def test_options(self, events: Path, option: dict[str, object]) -> None:
        with pytest.raises(ParameterError, match="expected"):
            read_interactions(events, **option)

    def test_things_that_are_no_source(self) -> None:
        with pytest.raises(InputError, match=r"received builtins\.int"):
            read_interactions(3)
        with pytest.raises(InputError, match=r"received pandas\."):
            read_interactions(pd.Series([1]))

    def test_parts_with_other_columns(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("user,item\n1,2\n")
        (tmp_path / "b.csv").write_text("item,user\n1,2\n")
        with pytest.raises(InputError, match="has other columns than"):
            read_interactions([tmp_path / "a.csv", tmp_path / "b.csv"])
