"""Steps that move entries and change none: views, transposes, parts, joins, copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simgauge.deep.demands import Demands
from simgauge.deep.values import Value, moved

WHOLE = {
    "view",
    "reshape",
    "_unsafe_view",
    "_reshape_alias",
    "flatten",
    "unflatten",
    "permute",
    "transpose",
    "t",
    "numpy_T",
    "mT",
    "adjoint",
    "movedim",
    "swapaxes",
    "squeeze",
    "unsqueeze",
    "expand",
    "expand_as",
    "repeat",
    "repeat_interleave",
    "tile",
    "broadcast_to",
    "view_as",
}
"""Steps that keep every entry and the order along an axis, so that vectors stay whole."""

PARTS = {
    "select",
    "slice",
    "narrow",
    "split",
    "split_with_sizes",
    "chunk",
    "tensor_split",
    "unbind",
    "unfold",
    "flip",
    "roll",
    "diagonal",
    "tril",
    "triu",
    "constant_pad_nd",
}
"""Steps that may take a part of a vector or shift it."""

SAME = {
    "alias",
    "clone",
    "contiguous",
    "detach",
    "detach_",
    "to",
    "_to_copy",
    "type_as",
    "lift_fresh_copy",
    "positive",
    "requires_grad_",
    "float",
    "double",
    "half",
}
"""Steps that return what they are given."""


def move(demands: Demands, value: Value, movement: Callable[[Any], Any], *, parts: bool) -> list[Value]:
    """Results of a movement; with `parts`, no basis may mix what is taken with what is left.

    Parameters
    ----------
    demands : Demands
        Where the equations go.
    value : Value
        What is moved.
    movement : callable
        From a tensor to a tensor or several.
    parts : bool
        Whether vectors may be taken apart.

    Returns
    -------
    list of Value
    """
    shapes = shapes_after(value, movement)
    if not value.terms:
        return [Value(shape) for shape in shapes]
    results = []
    for shape, terms in zip(shapes, moved(value, movement), strict=True):
        result = Value.of(shape, *terms)
        if parts:
            for term in value.terms:
                taken = [part for part in result.terms if np.isin(part, term).any()]
                for part in taken:
                    demands.select(term, part)
        results.append(result)
    return results


def shapes_after(value: Value, movement: Callable[[Any], Any]) -> list[tuple[int, ...]]:
    """Shapes of the results of a movement, found without data."""
    import torch

    result = movement(torch.empty(value.shape, device="meta"))
    return [tuple(part.shape) for part in (result if isinstance(result, list | tuple) else [result])]


def join(demands: Demands, values: Sequence[Value], movement: Callable[[list[Any]], Any]) -> Value:
    """One tensor after another (`cat`, `stack`): no basis may mix entries of different tensors.

    Parameters
    ----------
    demands : Demands
        Where the equations go.
    values : sequence of Value
        What is joined.
    movement : callable
        From the list of tensors to the joined tensor.

    Returns
    -------
    Value
    """
    import torch

    plain = [value.one_term(demands, "parameters of two axes are joined as they are") for value in values]
    tensors = []
    for value, term in zip(values, plain, strict=True):
        ids = np.zeros(value.shape, np.int64) if term is None else np.array(np.broadcast_to(term, value.shape))
        tensors.append(torch.from_numpy(ids))
        if term is not None:
            demands.select(term, term)
    joined = movement(tensors).contiguous().numpy()
    return Value.of(joined.shape, joined)


def picked(demands: Demands, value: Value, axis: int, index_shape: Sequence[int]) -> Value:
    """Entries at positions that the data choose, along an axis on which no factor may depend."""
    axis %= len(value.shape)
    if value.along(axis):
        value = value.fixed(demands, "the data choose among its coordinates")
    lead, trail = value.shape[:axis], value.shape[axis + 1 :]
    shape = (*lead, *index_shape, *trail)
    terms = [
        term.reshape((*term.shape[:axis], *(1,) * len(index_shape), *term.shape[axis + 1 :])) for term in value.terms
    ]
    return Value.of(shape, *terms)


def looked_up(demands: Demands, table: Value, index_shape: Sequence[int]) -> Value:
    """Rows of a table of parameters: rows keep their lengths, columns may change their basis."""
    kept = []
    for term in table.terms:
        if term.shape[0] > 1:
            demands.fix(term, "rows are looked up, and all of them share what follows")
        else:
            kept.append(term)
    return picked(demands, Value(table.shape, tuple(kept)), 0, index_shape)
