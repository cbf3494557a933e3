"""Tables of observations: which column is which, what is refused, what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.errors import DroppedDataWarning, InputError
from simgauge.read.events.options import ReadingOptions
from simgauge.read.observations import KINDS, read_observations


def write(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("sessions", "item_id,ts,session_id\n7,5,a\n8,6,a\n", {"session": ["a", "a"], "item": [7, 8], "time": [5, 6]}),
        ("sessions", "user_id,movieId\n1,7\n1,8\n", {"session": [1, 1], "item": [7, 8]}),
        ("sessions", "s,x,w\na,7,5\na,8,6\n", {"session": ["a", "a"], "item": [7, 8], "time": [5, 6]}),
        ("together", "a,b\n1,2\n", {"left": [1], "right": [2]}),
        ("together", "a,b,times\n1,2,3.5\n", {"left": [1], "right": [2], "count": [3.5]}),
        ("clicks", "position,clicked,asked,session\n2,b,a,s\n", {"asked": ["a"], "clicked": ["b"], "position": [2],
                                                                 "session": ["s"]}),
        ("clicks", "a b 2\n", {"asked": ["a"], "clicked": ["b"], "position": [2]}),
        ("shown", "clicked,user,item\ntrue,1,b\nNo,1,c\n", {"user": [1, 1], "item": ["b", "c"], "taken": [1, 0]}),
    ],
)  # fmt: skip
def test_columns_are_found_by_name_or_taken_in_order(tmp_path, kind, text, expected):
    found = read_observations(write(tmp_path, text), kind)
    assert {name: found[name].tolist() for name in KINDS[kind] if found.get(name) is not None} == expected
    assert f"{len(next(iter(expected.values())))} row" in found.sentence


def test_columns_are_named_by_options(tmp_path):
    text = "session_id,visitor,thing,when,item_id\ns,1,a,2024-01-02,x\ns,1,b,2024-01-03,y\n"
    named = ReadingOptions(user="visitor", item="thing", time="when")
    found = read_observations(write(tmp_path, text), "sessions", named)
    assert (found["session"].tolist(), found["item"].tolist()) == ([1, 1], ["a", "b"])
    assert np.diff(found["time"]).tolist() == [86400.0]
    with pytest.raises(InputError, match="no column 'nothing' for item"):
        read_observations(write(tmp_path, text), "sessions", ReadingOptions(item="nothing"))
    by_number = read_observations(write(tmp_path, text), "sessions", ReadingOptions(item="2", time=3))
    assert (by_number["item"].tolist(), by_number["session"].tolist()) == (["a", "b"], ["s", "s"])


def test_columns_in_doubt_are_asked_for(tmp_path):
    path = write(tmp_path, "a,b,c,d,e\n1,2,3,4,5\n")
    with pytest.raises(InputError, match=r"5 columns .*which of them is 'session' cannot be told.*--user"):
        read_observations(path, "sessions")
    with pytest.raises(InputError, match="which of them is 'asked' cannot be told"):
        read_observations(path, "clicks")
    with pytest.raises(InputError, match=r"1 column \(a\).*which of them is 'left'"):
        read_observations(write(tmp_path, "a\n1\n2\n"), "together")


def test_rows_without_ids_are_left_out_with_a_warning(tmp_path):
    path = write(tmp_path, "session_id,item_id,ts\ns,1,5\ns,,6\n,2,7\ns,2,8\n")
    with pytest.warns(DroppedDataWarning, match="2 rows without session or item left out"):
        found = read_observations(path, "sessions")
    assert found["time"].tolist() == [5.0, 8.0]
    with pytest.raises(InputError, match="all 1 rows lack an id"):
        read_observations(write(tmp_path, "session_id,item_id\n,1\n"), "sessions")


def test_numbers_and_times_that_are_none(tmp_path):
    with pytest.raises(InputError, match=r"column 'position', taken for position: row 2 .*holds no number"):
        read_observations(write(tmp_path, "asked,clicked,position\na,b,1\na,c,top\n"), "clicks")
    with pytest.raises(InputError, match="no value is a number or a date"):
        read_observations(write(tmp_path, "session_id,item_id,ts\ns,1,yesterday\ns,2,today\n"), "sessions")
    with pytest.raises(InputError, match="bring all times to one unit"):
        read_observations(write(tmp_path, "session_id,item_id,ts\ns,1,1600000000\ns,2,1600000001000\n"), "sessions")
    some = read_observations(write(tmp_path, "session_id,item_id,ts\ns,1,\ns,2,7\n"), "sessions")
    assert np.isnan(some["time"]).tolist() == [True, False]


def test_empty_and_missing_files(tmp_path):
    with pytest.raises(InputError, match=r"table.csv"):
        read_observations(write(tmp_path, ""), "clicks")
    with pytest.raises(InputError, match="holds no rows"):
        read_observations(write(tmp_path, "asked,clicked,position\n"), "clicks")
    with pytest.raises(InputError, match=r"none.csv"):
        read_observations(tmp_path / "none.csv", "clicks")


def test_frames_are_tables_too():
    import pandas as pd

    found = read_observations(pd.DataFrame({"left": ["a"], "right": ["b"], "count": [2]}), "together")
    assert (found["left"].tolist(), found["count"].tolist()) == (["a"], [2.0])
