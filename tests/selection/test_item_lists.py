"""Lists from the interactions: what the table holds, and when they are offered."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
import pytest

from problems import cosines
from simgauge import Embedding, Interactions
from simgauge.errors import InputError
from simgauge.remedies import EaseWeights, RawColumns
from simgauge.selection.item_lists import ItemLists
from simgauge.selection.record import Change

X = np.array([[1.0, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0]])
IDS = ["a", "b", "c", "d", "e"]


def lists(reference, change=(1.2, 1.1, 1.3, "ratio")):
    embedding = Embedding(np.eye(5), item_ids=IDS)
    reference.fit(embedding, Interactions(X, item_ids=IDS))
    return ItemLists(reference.name, Change(*change), reference, embedding)


def test_the_table_holds_every_neighbour_with_something_in_common_best_first():
    table = lists(RawColumns()).to_arrow().to_pylist()
    similar = cosines(X[:, :4].T)
    np.fill_diagonal(similar, 0)
    assert {(row["item"], row["neighbor"]) for row in table} == {
        (IDS[i], IDS[j]) for i, j in zip(*np.nonzero(similar > 1e-12), strict=True)
    }
    for row in table:
        i, j = IDS.index(row["item"]), IDS.index(row["neighbor"])
        assert row["score"] == pytest.approx(similar[i, j])
        better = (similar[i] > similar[i, j] + 1e-12).sum()
        as_good = (similar[i] > similar[i, j] - 1e-12).sum()
        assert better < row["rank"] <= as_good
    for item in "abc":
        assert [row["rank"] for row in table if row["item"] == item] == [1, 2]
    assert not {"d", "e"} & {row["item"] for row in table}  # used alone, and never used


def test_k_cuts_and_weights_below_zero_say_nothing():
    two = lists(EaseWeights()).to_arrow(1)
    assert set(two["rank"].to_pylist()) == {1}
    strict = lists(EaseWeights(l2=0.01))
    assert min(strict.to_arrow()["score"].to_pylist()) > 0
    assert (strict.reference.weights_ < 0).any()  # control: there are such weights
    with pytest.raises(InputError, match="k=0: expected 1 or more"):
        lists(RawColumns()).to_arrow(0)


def test_a_file_says_what_it_holds():
    table = pq.read_table(io.BytesIO(lists(RawColumns()).to_parquet(2)))
    assert table.schema.metadata[b"simgauge_lists"] == b"raw columns (cosine)"
    assert table.column_names == ["item", "neighbor", "score", "rank"]


def test_they_win_only_beyond_doubt():
    assert lists(RawColumns()).wins
    assert lists(RawColumns()).sentence.startswith(
        "The interactions themselves gain more: raw columns (cosine), ×1.200"
    )
    level = lists(RawColumns(), (1.2, 0.9, 1.5, "ratio"))
    assert (level.wins, level.sentence) == (False, "")
    assert level.to_dict()["name"] == "raw columns (cosine)"
