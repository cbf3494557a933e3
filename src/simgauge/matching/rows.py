"""How the rows of two embeddings meet: by their ids, or by their numbers where neither has ids."""

from __future__ import annotations

import numpy as np

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.matching.ids import IdSource, match, positions_problem


def check_rows(first: Embedding, second: Embedding, names: tuple[str, str] = ("first", "second")) -> str:
    """Sentences on how the items of two embeddings were matched.

    Parameters
    ----------
    first, second : Embedding
    names : pair of str
        What the caller calls the two; the options for their ids are named so.

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
        return _by_number(first, second, names)
    one, other = names
    numbered, named, name = (second, first, one) if first.item_ids_given else (first, second, other)
    source = IdSource(f"the {name} table", np.asarray(named.item_ids))
    problem = positions_problem(numbered, [source], "items")
    if problem:
        raise InputError(problem.replace("--ids", f"--{other if first.item_ids_given else one}-ids"))
    return f"One table has no ids: its row numbers, counted from 0, were taken for the ids of the {name} table."


def _by_number(first: Embedding, second: Embedding, names: tuple[str, str]) -> str:
    if first.n_items != second.n_items:
        one, other = (f"--{name}-ids" for name in names)
        raise InputError(
            f"neither table has ids, and they have {first.n_items:,} and {second.n_items:,} rows: which row belongs to "
            f"which cannot be told. Pass {one} FILE and {other} FILE (item_ids=), or say that rows are counted alike: "
            f"{one} positions {other} positions (item_ids='positions')."
        )
    return "Neither table has ids: rows were matched by position."
