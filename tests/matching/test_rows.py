"""How the rows of two tables meet."""

from __future__ import annotations

import pytest

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.matching.rows import check_rows


def test_ids_are_counted_and_positions_are_told(rng):
    table = rng.standard_normal((5, 2))
    named = Embedding(table, item_ids=list("abcde"))
    assert "5 of 5" in check_rows(named, named)
    plain = Embedding(table)
    assert check_rows(plain, plain) == "Neither table has ids: rows were matched by position."


def test_what_cannot_be_told_is_asked(rng):
    table = rng.standard_normal((5, 2))
    with pytest.raises(InputError, match=r"5 and 4 rows.*--first-ids positions --second-ids positions"):
        check_rows(Embedding(table), Embedding(table[:4]))
    with pytest.raises(InputError, match="--second-ids FILE"):
        check_rows(Embedding(table, item_ids=list("abcde")), Embedding(table))
    with pytest.raises(InputError, match="--first-ids FILE"):
        check_rows(Embedding(table), Embedding(table, item_ids=[1, 2, 3, 4, 5]))
    assert "taken for the ids" in check_rows(Embedding(table), Embedding(table, item_ids=[4, 3, 2, 1, 0]))
    both = Embedding(table, item_ids="positions"), Embedding(table[:4], item_ids="positions")
    assert "4 of 4" in check_rows(*both)
