"""When row numbers may stand for ids, and what is said of ids that meet."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.interactions import Interactions
from simgauge.matching.ids import IdMatch, IdSource, check_few, match, positions_problem, source_of, sources_of


def numbered(n_items=6, n_users=4):
    return Embedding(np.eye(n_items)[:, :3] + 1, np.ones((n_users, 3)))


def problem(ids, **sizes):
    return positions_problem(numbered(**sizes), [IdSource("the labels", np.asarray(ids))], "items")


def test_every_number_once_is_no_problem_as_integers_or_text():
    assert problem(np.arange(6)) is None
    assert problem(np.array(list("543210"), dtype=object)) is None


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ([0, 1, 2, 3, 4, 6], "such as 6"),
        (["tea", "milk"], "such as 'tea', 'milk'"),
        ([1, 2, 3, 4, 5, 6], "look counted from 1.*seq 1 6 > ids.txt"),
        ([0, 1, 2, 3, 4, 5.5], "5.5"),
        ([-1, 0, 1, 2, 3, 4], "such as -1"),
        (["00", "01", "02", "03", "04", "05"], "'00', '01'"),
        ([0, 1, 2, 3, 4], "such as 5"),
        ([1, 2, 3, 4, 5], "such as 0"),
        ([10, 20, 30, 40, 50, 60], "as many ids as rows"),
        ([10, 20, 30, 40], "other table has 4 rows.*were the two swapped"),
    ],
)
def test_all_else_is_asked_about_with_the_way_out(ids, says):
    array = np.asarray(ids, dtype=object) if isinstance(ids[0], str) else np.asarray(ids)
    text = problem(array if array.dtype.kind != "f" else np.array([str(i) for i in ids], dtype=object))
    assert text is not None
    import re

    assert re.search(says, text), f"{text}"
    assert "--ids FILE" in text
    assert "--ids positions" in text
    assert "item_ids='positions'" in text


def test_rows_that_one_source_leaves_out_another_may_use():
    first, second = IdSource("a", np.array([0, 1, 2])), IdSource("b", np.array([3, 4, 5]))
    assert positions_problem(numbered(), [first, second], "items") is None
    assert "a or b" in str(positions_problem(numbered(), [first, second._replace(ids=np.array([3, 4]))], "items"))


def test_a_matrix_without_ids_counts_as_the_table_does_when_they_are_as_long():
    matrix = np.zeros((4, 6))
    matrix[:, :3] = 1  # three items never used
    seen = Interactions(matrix)
    assert positions_problem(numbered(), [source_of(seen, "it")], "items") is None
    assert positions_problem(numbered(n_items=7), [source_of(seen, "it")], "items")
    said = Interactions(matrix, item_ids=np.arange(6))
    assert positions_problem(numbered(), [source_of(said, "it")], "items"), "ids that somebody gave may mean others"
    assert source_of(said, "it", "users").ids.tolist() == [0, 1, 2, 3]


def test_match_counts_each_row_once_and_gives_two_examples():
    model = Embedding(np.ones((3, 2)), item_ids=["tea", "milk", "7"])
    found = match(model, IdSource("labels", np.array([7, 8, 9, 10])))
    assert (found.n_ids, found.n_matched, found.n_rows) == (4, 1, 3)
    assert found.left_out == ("8", "9")
    assert found.unused == ("tea", "milk")
    assert "1 of 4 ids of labels are in the embedding, 3 are left out (such as 8, 9)" in found.sentence
    assert found.to_dict()["left_out"] == 3


def test_few_shared_ids_are_refused_and_some_are_not():
    few = IdMatch("labels", "items", 1000, 9, 100, ("x",), ())
    with pytest.raises(InputError, match="--trust-ids"):
        check_few(few)
    for fine in (IdMatch("a", "items", 1000, 10, 100, (), ()), IdMatch("a", "items", 19, 1, 100, (), ())):
        check_few(fine)


def test_evidence_that_does_not_tell_its_ids_has_no_sources():
    assert sources_of(object()) == []
