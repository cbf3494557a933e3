"""Steps that work entry by entry, or reduce along an axis: sums, ReLU, powers, means, norms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simgauge.deep.demands import FIXED, Demands, Ids
from simgauge.deep.values import Value


def sum_of(demands: Demands, *values: Value) -> Value:
    """The sum, maximum or choice of tensors of shapes that broadcast: all of them carry the same factors."""
    shape = np.broadcast_shapes(*(value.shape for value in values))
    carried = [_stretched(value, len(shape), demands) for value in values]
    common = carried[0]
    for other in carried[1:]:
        demands.equal(common, other)
    largest = max(carried, key=lambda term: term.size)
    whole = np.broadcast_to(largest, np.broadcast_shapes(*(term.shape for term in carried)))
    return Value.of(shape, np.array(whole))


def _stretched(value: Value, ndim: int, demands: Demands) -> Ids:
    term = value.one_term(demands, "parameters of two axes are added as they are")
    plain = np.full((1,) * len(value.shape), FIXED, np.int64) if term is None else term
    return plain.reshape((1,) * (ndim - plain.ndim) + plain.shape)


def homogeneous(demands: Demands, value: Value) -> Value:
    """ReLU and its kin: f(c x) = c f(x) for c > 0, entry by entry."""
    term = value.one_term(demands, "parameters of two axes are used entry by entry")
    if term is not None:
        demands.alone(term)
    return Value(value.shape, () if term is None else (term,))


def power(demands: Demands, value: Value, exponent: float) -> Value:
    """x^p: factors are raised to the same power."""
    term = value.one_term(demands, "parameters of two axes are used entry by entry")
    if term is None or exponent == 1:
        return value if exponent == 1 else Value(value.shape)
    demands.alone(term)
    if exponent == 0:
        return Value(value.shape)
    result = demands.new(term.shape)
    if exponent == -1:
        demands.equal(result, term, -1)
    else:
        demands.multiply(term, exponent, result)
    return Value(value.shape, (result,))


def chosen(demands: Demands, value: Value, mask_shape: Sequence[int]) -> Value:
    """The value where a mask says so, and zero or ∓∞ elsewhere."""
    term = value.one_term(demands, "parameters of two axes are masked as they are")
    if term is None:
        return Value(value.shape)
    padded = (1,) * (term.ndim - len(mask_shape)) + tuple(mask_shape)
    if any(length > 1 and term.shape[axis] > 1 for axis, length in enumerate(padded)):
        demands.alone(term)
    return Value(value.shape, (term,))


def reduced(demands: Demands, value: Value, axes: Sequence[int] | None, keep: bool, *, linear: bool) -> Value:
    """A sum or mean (`linear`), a maximum or a norm over axes: entries that are reduced together share a factor."""
    ndim = len(value.shape)
    over = {axis % ndim for axis in axes} if axes else set(range(ndim))
    shape = tuple(1 if axis in over else size for axis, size in enumerate(value.shape))
    term = value.one_term(demands, "parameters of two axes are reduced as they are")
    final = shape if keep else tuple(size for axis, size in enumerate(shape) if axis not in over)
    if term is None:
        return Value(final)
    along = [axis for axis in over if term.shape[axis] > 1]
    if not linear:
        demands.alone(term)
    elif along:
        rest = [axis for axis in range(ndim) if axis not in along]
        demands.contract(
            np.transpose(term, along + rest).reshape(int(np.prod([term.shape[axis] for axis in along])), -1)
        )
    for axis in along:
        demands.equal(term, np.take(term, [0], axis=axis))
        term = np.take(term, [0], axis=axis)
    return Value.of(final, term if keep else term.reshape([n for axis, n in enumerate(term.shape) if axis not in over]))
