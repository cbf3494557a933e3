"""How the rows of two embeddings meet: by their ids, or by their numbers where neither has ids."""

from __future__ import annotations

import numpy as np

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.matching.ids import IdSource, match, positions_problem


def check_rows(first: Embedding, second: Embedding) -> str:
    """Sentences on how the items of two embeddings were matched.

    Raises
    ------
    InputError
        A table without ids whose row numbers cannot be told to be the ids of the other.

    Examples
    --------
    >>> check_rows(Embedding([[1.0], [2.0]]), Embedding([[2.0], [1.5]]))
    'Neither table has ids: rows were matched by position.'
    """
    if first.item_ids_given and second.item_ids_given:
        found = match(first, IdSource("the second table", np.asarray(second.item_ids)))
        return f"Of the {found.sentence}."
    if not (first.item_ids_given or second.item_ids_given):
        return _by_number(first, second)
    numbered, named, name = (second, first, "first") if first.item_ids_given else (first, second, "second")
    source = IdSource(f"the {name} table", np.asarray(named.item_ids))
    problem = positions_problem(numbered, [source], "items")
    if problem:
        raise InputError(problem.replace("--ids", "--second-ids" if first.item_ids_given else "--first-ids"))
    return f"One table has no ids: its row numbers, counted from 0, were taken for the ids of the {name} table."


def _by_number(first: Embedding, second: Embedding) -> str:
    if first.n_items != second.n_items:
        raise InputError(
            f"neither table has ids, and they have {first.n_items:,} and {second.n_items:,} rows: which row belongs to "
            "which cannot be told. Pass --first-ids FILE and --second-ids FILE (item_ids=), or say that rows are "
            "counted alike: --first-ids positions --second-ids positions (item_ids='positions')."
        )
    return "Neither table has ids: rows were matched by position."
