"""Cases that people sent, as they are; skipped where they are not there. `test_understood` holds the like of each."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from conftest import SHARED
from simgauge.errors import DroppedDataWarning
from simgauge.evidence import evidence_from_files
from simgauge.read.interactions import read_interactions

CASES = SHARED.parent / "cases"


def case(name: str):
    found = sorted(CASES.glob(f"{name}-*"))
    if not found:
        pytest.skip(f"no shared case {name} at {CASES}")
    return found[0]


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedDataWarning)
        found = read_interactions(path, **options)
    return found, "\n".join([*found.report["understood"], *found.report["notes"]])


def test_48_words_for_null_are_no_users():
    found, told = read(case("48") / "nulls.csv")
    assert (found.n_users, found.report["rows_dropped"]["missing user id"]) == (40, 166)
    assert "user 'NULL' in 88 rows" in told


def test_49_repeated_headers_are_left_out_and_named():
    found, told = read(case("49") / "rephdr.csv")
    assert (found.n_users, found.n_items, found.user_ids.dtype) == (40, 25, np.int64)
    assert "(the header again) in 8 rows" in told


@pytest.mark.parametrize("name", ["floatids.csv", "floatids_mixed.csv"])
def test_50_one_and_one_point_zero_are_one_user(name):
    found, _ = read(case("50") / name)
    assert (found.n_users, found.user_ids.dtype) == (40, np.int64)


def test_51_a_header_of_text_alone_can_be_said():
    path = case("51") / "oddhdr.csv"
    assert "--header" in read(path)[1]
    assert read(path, user="who", item="what", has_header=True)[0].n_users == 40


def test_52_columns_that_were_not_used_are_named():
    assert "action ('dislike', 'like')" in read(case("52") / "like.csv")[1]
    assert "--like 'event=transaction'" in read(case("52") / "views.csv")[1]
    assert read(case("52") / "like.csv", like="action=like")[0].nnz < read(case("52") / "like.csv")[0].nnz


def test_53_repeated_ratings_are_not_added_up():
    found, told = read(case("53") / "dups.csv")
    assert found.matrix.max() == 5
    assert "the last was kept" in told


def test_54_a_pivot_is_called_a_matrix():
    assert "users in rows and items in columns" in read(case("54") / "pivot0_nohdr.csv", user=0, item=1)[1]


def test_59_backslashes_before_quotes_are_read():
    found, _ = read(case("59") / "bx_backslash.csv", user="User-ID", item="ISBN", weight="Book-Rating")
    assert (found.n_users, found.n_items) == (40, 25)


def test_60_ids_beyond_64_bits_are_text():
    assert read(case("60") / "huge.csv")[0].user_ids[0] == "18446744073709551617"


def test_66_a_column_called_label_is_the_label():
    found = evidence_from_files(labels=case("66") / "labels.csv")
    assert found.labels[0] == {"t6"}
