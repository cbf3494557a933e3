"""What is known of a tensor in a network: its shape, and the unknown scales that its entries carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simgauge.deep.demands import FIXED, Demands, Ids


@dataclass(frozen=True)
class Value:
    """A tensor: the logarithm of an entry's factor is the sum of its `terms`.

    A term holds unknowns in an array of as many axes as the tensor, with length 1 along axes on which it does not
    depend. An activation has one term, a matrix of parameters one for its rows and one for its columns, and a tensor
    that stays as it is has none.
    """

    shape: tuple[int, ...]
    terms: tuple[Ids, ...] = ()

    @classmethod
    def of(cls, shape: tuple[int, ...], *terms: Ids) -> Value:
        """The tensor with these terms; those that are fixed everywhere are left out."""
        return cls(shape, tuple(compressed(term) for term in terms if (term != FIXED).any()))

    def fixed(self, demands: Demands, reason: str) -> Value:
        """The same tensor, all of whose coordinates stay as they are."""
        for term in self.terms:
            demands.fix(term, reason)
        return Value(self.shape)

    def one_term(self, demands: Demands, reason: str) -> Ids | None:
        """The single term of an activation; None where all is fixed, and a matrix of parameters is fixed by asking."""
        if len(self.terms) > 1:
            self.fixed(demands, reason)
            return None
        return self.terms[0] if self.terms else None

    def along(self, axis: int) -> bool:
        """Whether factors may differ along this axis."""
        return any(term.shape[axis] > 1 for term in self.terms)


def compressed(term: Ids) -> Ids:
    """The term with length 1 along every axis on which it is constant.

    Examples
    --------
    >>> compressed(np.array([[3, 4], [3, 4]])).tolist()
    [[3, 4]]
    """
    for axis in range(term.ndim):
        if term.shape[axis] > 1 and (term == np.take(term, [0], axis=axis)).all():
            term = np.take(term, [0], axis=axis)
    return term


def moved(value: Value, movement: Callable[[Any], Any]) -> list[tuple[Ids, ...]]:
    """Terms of every result of a step that only moves entries: the step itself, applied to the unknowns.

    Parameters
    ----------
    value : Value
        What is moved.
    movement : callable
        From a tensor of `value.shape` to a tensor or a sequence of tensors.

    Returns
    -------
    list of tuple
        For each result, the moved terms in the order of `value.terms`.
    """
    import torch

    by_term = []
    for term in value.terms:
        result = movement(torch.from_numpy(np.broadcast_to(term, value.shape).copy()))
        results = list(result) if isinstance(result, list | tuple) else [result]
        by_term.append([part.contiguous().numpy() for part in results])
    return [tuple(parts) for parts in zip(*by_term, strict=True)]
