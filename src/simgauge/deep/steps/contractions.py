"""Steps that multiply and add up: products of matrices, linear layers, attention, products entry by entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simgauge.deep.demands import Demands, Ids
from simgauge.deep.values import Value

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def contract(demands: Demands, first: Value, second: Value, subscripts: str) -> Value:
    """The product of two tensors, summed over the letters that the result lacks.

    Terms of the two along the summed letters have to cancel (one factor is the inverse of the other, as in W G⁻¹ G x);
    the result carries what is left.

    Parameters
    ----------
    demands : Demands
        Where the equations go.
    first, second : Value
        The factors.
    subscripts : str
        As of einsum: "oi,ti->to". An axis of length 1 that broadcasts has a letter of its own, not in the result.

    Returns
    -------
    Value
    """
    left, right, out = (list(part) for part in subscripts.replace("->", ",").split(","))
    sizes = dict(zip(left + right, first.shape + second.shape, strict=True))
    terms = [(term, left) for term in first.terms] + [(term, right) for term in second.terms]
    shared = [letter for letter in out if letter in left and letter in right]
    summed = [letter for letter in dict.fromkeys(left + right) if letter not in out]
    inner: list[Ids] = []
    outer: list[Ids] = []
    for term, letters in terms:
        depends = {letter for letter, size in zip(letters, term.shape, strict=True) if size > 1}
        _keep_apart(demands, term, letters, [letter for letter in shared if letter in depends])
        aligned = _aligned(term, letters, out + summed)
        (inner if depends & set(summed) else outer).append(aligned)
    _cancel(demands, inner, [sizes[letter] for letter in summed], len(out))
    shape = tuple(sizes[letter] for letter in out)
    return _total(demands, shape, [term[(...,) + (0,) * len(summed)] for term in outer])


def _aligned(term: Ids, letters: list[str], order: list[str]) -> Ids:
    """The term with one axis for each letter of `order`, of length 1 where it has none."""
    held = [letter for letter in order if letter in letters]
    by_order = np.transpose(term, [letters.index(letter) for letter in held])
    lengths = iter(by_order.shape)
    return by_order.reshape([next(lengths) if letter in held else 1 for letter in order])


def _keep_apart(demands: Demands, term: Ids, letters: list[str], shared: list[str]) -> None:
    """Along letters that both factors and the result have, entries meet one by one: no basis mixes along them."""
    if shared:
        at = [letters.index(letter) for letter in shared]
        rest = [axis for axis in range(term.ndim) if axis not in at]
        groups = np.transpose(term, at + rest).reshape(int(np.prod([term.shape[axis] for axis in at])), -1)
        demands.contract(groups)


def _cancel(demands: Demands, terms: list[Ids], sizes: list[int], n_outer: int) -> None:
    """Demand that terms cancel along the summed axes, which come last, and say which entries are summed together."""
    if not terms:
        return
    for term in terms:
        whole = np.broadcast_to(term, term.shape[:n_outer] + tuple(sizes))
        demands.contract(whole.reshape(-1, int(np.prod(sizes))))
    if len(terms) == 2:
        if terms[0].shape == terms[1].shape and (terms[0] == terms[1]).all():
            demands.fix(terms[0], "it is multiplied with itself, which only rotations survive")
        demands.equal(terms[0], terms[1], -1)
        return
    for term in terms:
        demands.fix(term, "it is summed with weights that stay as they are")


def _total(demands: Demands, shape: tuple[int, ...], terms: list[Ids]) -> Value:
    if len(terms) < 2:
        return Value.of(shape, *terms)
    total = terms[0]
    for term in terms[1:]:
        result = demands.new(np.broadcast_shapes(total.shape, term.shape))
        demands.add(total, term, result)
        total = result
    return Value.of(shape, total)


def matmul(demands: Demands, first: Value, second: Value) -> Value:
    """numpy's matmul: vectors, matrices, and stacks of matrices that broadcast."""
    one, other = len(first.shape), len(second.shape)
    n_batch = max(one, other, 2) - 2
    batch = LETTERS[:n_batch]
    left = ("i" if one > 1 else "") + "j"
    right = "j" + ("k" if other > 1 else "")
    left, right = left.replace("i", "X").replace("j", "Y"), right.replace("j", "Y").replace("k", "Z")
    out = left.replace("Y", "") + right.replace("Y", "")
    lead, trail = (batch[n_batch - max(ndim - 2, 0) :] for ndim in (one, other))
    return broadcast_contract(demands, first, second, lead + left, trail + right, batch + out)


def broadcast_contract(demands: Demands, first: Value, second: Value, left: str, right: str, out: str) -> Value:
    """The contraction where an axis of length 1 stretches to the length that the other tensor has under its letter."""
    lengths: dict[str, int] = {}
    for letter, size in zip(left + right, first.shape + second.shape, strict=True):
        lengths[letter] = max(lengths.get(letter, 1), size)
    spare = iter(LETTERS[::-1])
    used = set(left + right + out)
    parts = []
    for letters, value in ((left, first), (right, second)):
        held = [
            next(name for name in spare if name not in used) if size < lengths[letter] else letter
            for letter, size in zip(letters, value.shape, strict=True)
        ]
        parts.append("".join(held))
    known = set(parts[0] + parts[1])
    kept = "".join(letter for letter in out if letter in known)
    result = contract(demands, first, second, f"{parts[0]},{parts[1]}->{kept}")
    if kept != out:  # pragma: no cover - an axis that is 1 on both sides keeps its letter
        raise AssertionError(f"{left},{right}->{out}")
    return result


def multiply(demands: Demands, first: Value, second: Value) -> Value:
    """The product entry by entry, of shapes that broadcast."""
    ndim = max(len(first.shape), len(second.shape))
    letters = LETTERS[:ndim]
    left, right = (letters[ndim - len(value.shape) :] for value in (first, second))
    return broadcast_contract(demands, first, second, left, right, letters)


def sum_of_products(demands: Demands, first: Value, second: Value, axes: Sequence[int], keep: bool) -> Value:
    """(x y) summed over axes, of shapes that broadcast: as one step, so that a basis may mix what is summed."""
    shape = np.broadcast_shapes(first.shape, second.shape)
    if len(first.terms) > 1 or len(second.terms) > 1:
        first, second = (
            value.fixed(demands, "parameters of two axes are used as they are") for value in (first, second)
        )
    over = {axis % len(shape) for axis in axes}
    letters = LETTERS[: len(shape)]
    left, right = (letters[len(shape) - len(value.shape) :] for value in (first, second))
    out = "".join(letter for axis, letter in enumerate(letters) if axis not in over)
    result = broadcast_contract(demands, first, second, left, right, out)
    final = [1 if axis in over else size for axis, size in enumerate(shape)] if keep else list(result.shape)
    terms = [
        term.reshape([1 if axis in over else term.shape[out.index(letters[axis])] for axis in range(len(shape))])
        if keep
        else term
        for term in result.terms
    ]
    return Value(tuple(final), tuple(terms))


def linear(demands: Demands, inputs: Value, weight: Value, bias: Value | None) -> Value:
    """x Wᵀ + b."""
    from simgauge.deep.steps.elementwise import sum_of

    batch = LETTERS[: len(inputs.shape) - 1]
    result = contract(demands, inputs, weight, f"{batch}Y,ZY->{batch}Z")
    return result if bias is None else sum_of(demands, result, bias)


def attention(demands: Demands, query: Value, key: Value, value: Value, reason: str, shares_keys: bool) -> Value:
    """softmax(q kᵀ) v over the last two axes; with `shares_keys`, consecutive heads of q use one head of k and v."""
    if shares_keys and query.shape[-3] != key.shape[-3]:
        times = query.shape[-3] // key.shape[-3]
        key, value = repeated(key, times), repeated(value, times)
    batch = LETTERS[: len(query.shape) - 2]
    scores = contract(demands, query, key, f"{batch}XY,{batch}ZY->{batch}XZ").fixed(demands, reason)
    return contract(demands, scores, value, f"{batch}XZ,{batch}ZY->{batch}XY")


def repeated(value: Value, times: int) -> Value:
    """Each head `times` times in a row, along the third axis from the end."""
    axis = len(value.shape) - 3
    shape = (*value.shape[:axis], value.shape[axis] * times, *value.shape[axis + 1 :])
    return Value.of(shape, *(np.repeat(term, times, axis) if term.shape[axis] > 1 else term for term in value.terms))


def einsum(demands: Demands, equation: str, operands: list[Value], node: Any) -> Value:
    """Two operands, each letter at most once in each of them; all else is fixed."""
    reason = f"{node.target} is followed for two tensors without repeated letters only"
    left, _, rest = equation.replace(" ", "").partition(",")
    right, arrow, out = rest.partition("->")
    plain = len(operands) == 2 and arrow and "." not in equation and "," not in right
    if plain and all(len(set(part)) == len(part) for part in (left, right, out)):
        alone = set(left + right) - (set(left) & set(right)) - set(out)
        if not alone:
            return broadcast_contract(demands, operands[0], operands[1], left, right, out)
    for operand in operands:
        operand.fixed(demands, reason)
    return Value(tuple(node.meta["val"].shape))
