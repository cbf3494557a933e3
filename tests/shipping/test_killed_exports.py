"""Exports killed at random moments: the old or the new rows are there as a whole, and the next export works."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.stores.rows import export_rows
from simgauge.stores.target import open_store
from stores.killing import Killing

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.stores]

KINDS = ("chroma", "duckdb", "lancedb", "milvus", "parquet", "postgresql", "qdrant", "qdrant-edge", "sqlite-vec")
ROUNDS = 1
"""The long version is ``make torture``."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_export_leaves_the_old_or_the_new_rows(kind, place, tmp_path):
    killing = Killing(kind, place(kind), tmp_path)
    for _ in range(ROUNDS):
        killing.round()
    assert killing.faults == []
    assert sum(killing.seen.values()) == ROUNDS


def test_what_is_there_in_part_is_seen(place, tmp_path):
    """Control: half of the rows, and rows of both, are neither of the two."""
    killing = Killing("duckdb", place("duckdb"), tmp_path)
    assert killing.state() == "A"
    rng, n = np.random.default_rng(1), killing.n
    for ids in (np.arange(n // 2), np.arange(n // 2, n // 2 + n)):
        open_store(killing.target).write(export_rows(Embedding(rng.standard_normal((len(ids), 16)), item_ids=ids)))
        assert killing.state() == f"{len(ids)} rows, of neither as a whole"


@pytest.mark.parametrize("kind", ["chroma", "milvus"])
@pytest.mark.parametrize("then", ["write", "append"])
def test_an_export_that_ends_between_two_names_says_so_and_loses_nothing(kind, then, place, rng):
    """These stores rename a collection in one step, and cannot exchange two."""
    store = open_store(place(kind))
    old = export_rows(Embedding(rng.standard_normal((40, 4))))
    store.write(old)
    rename(store, "items", "items_replaced")
    with pytest.raises(InputError, match="did not finish: what was there is kept as 'items_replaced'"):
        store.read()
    more = export_rows(Embedding(rng.standard_normal((5, 4)), item_ids=np.arange(100, 105)))
    getattr(store, then)(more)
    assert store.read().count == (5 if then == "write" else 45)
    with pytest.raises(InputError, match="no table 'items_replaced'"):
        open_store(place(kind), table="items_replaced").read()


def rename(store, name, other):
    with store._open() as client:
        if store.kind == "milvus":
            client.rename_collection(name, other)
        else:
            client.get_collection(name, embedding_function=None).modify(name=other)
