"""The rule of every step that is known: from what enters it to what leaves it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from simgauge.deep.demands import Demands
from simgauge.deep.steps.contractions import attention, einsum, linear, matmul, multiply, sum_of_products
from simgauge.deep.steps.elementwise import chosen, homogeneous, power, reduced, sum_of
from simgauge.deep.steps.movements import PARTS, SAME, WHOLE, join, looked_up, move, picked
from simgauge.deep.steps.step import Step, fixed_result, name_of, values_in
from simgauge.deep.values import Value

Rule = Callable[[Step], Any]

HOMOGENEOUS = {"relu", "leaky_relu", "abs"}


def apply_rule(step: Step) -> Any:
    """What leaves a step; a step without a rule needs its inputs as they are.

    Parameters
    ----------
    step : Step
        With what enters it.

    Returns
    -------
    Value or list of Value
    """
    name = name_of(step.node)
    rule = RULES.get(name)
    if rule is None and name in WHOLE | PARTS:
        rule = functools.partial(_movement, parts=name in PARTS)
    if rule is None and name in SAME:
        rule = _same
    if rule is None and name in HOMOGENEOUS:
        rule = _homogeneous
    result = None if rule is None else rule(step)
    return _fixed(step, f"{name} is no linear step") if result is None else result


def _fixed(step: Step, reason: str) -> Any:
    for value in values_in(step.given):
        value.fixed(step.demands, reason)
    return fixed_result(step.node.meta.get("val"))


def _movement(step: Step, *, parts: bool) -> Any:
    if step.given.get("value", 0) != 0:
        return None
    (name, value), *others = [(name, part) for name, part in step.given.items() if isinstance(part, Value)]
    if any(key != "other" for key, _ in others):
        return None
    shapes = {key: part.shape for key, part in others}

    def movement(tensor: Any) -> Any:
        like = {key: tensor.new_empty(shape) for key, shape in shapes.items()}
        return step.node.target(**{**step.given, **like, name: tensor})

    results = move(step.demands, value, movement, parts=parts)
    return results if isinstance(step.node.meta["val"], list | tuple) else results[0]


def _same(step: Step) -> Any:
    whole_numbers = not step.node.meta["val"].dtype.is_floating_point
    return None if whole_numbers else next(part for part in step.given.values() if isinstance(part, Value))


def _homogeneous(step: Step) -> Any:
    return homogeneous(step.demands, step.given["self"])


def _dropout(step: Step) -> Any:
    off = not step.given.get("train", True) or step.given.get("p") == 0
    return step.given["input"] if off else None


def _sum(step: Step) -> Any:
    left, right = step.given["self"], step.given["other"]
    if not isinstance(left, Value) or not isinstance(right, Value):
        number = right if isinstance(left, Value) else left
        value = left if isinstance(left, Value) else right
        return value if number == 0 else None
    return sum_of(step.demands, left, right)


def _extreme(step: Step) -> Any:
    return homogeneous(step.demands, sum_of(step.demands, step.given["self"], step.given["other"]))


def _product(step: Step) -> Any:
    left, right = step.given["self"], step.given["other"]
    if not isinstance(left, Value) or not isinstance(right, Value):
        return left if isinstance(left, Value) else right
    if () in (left.shape, right.shape):
        scalar, other = (left, right) if left.shape == () else (right, left)
        scalar.fixed(step.demands, "a single number stays as it is")
        return other
    if len(left.terms) > 1 or len(right.terms) > 1:
        return None
    return multiply(step.demands, left, right)


def _quotient(step: Step) -> Any:
    left, right = step.given["self"], step.given["other"]
    if step.given.get("rounding_mode") is not None:
        return None
    if not isinstance(right, Value):
        return left
    return _product(step._replace(given={"self": left, "other": power(step.demands, right, -1.0)}))


def _power(exponent: float | None = None) -> Rule:
    def rule(step: Step) -> Any:
        by = step.given["exponent"] if exponent is None else exponent
        return power(step.demands, step.given["self"], float(by)) if isinstance(by, int | float) else None

    return rule


def _where(step: Step) -> Any:
    condition, left, right = step.given["condition"], step.given["self"], step.given["other"]
    if not isinstance(left, Value) or not isinstance(right, Value):
        value, number = (left, right) if isinstance(left, Value) else (right, left)
        return chosen(step.demands, value, condition.shape) if number in (0, math.inf, -math.inf) else None
    masked = [chosen(step.demands, value, condition.shape) for value in (left, right)]
    return sum_of(step.demands, *masked)


def _masked_fill(step: Step) -> Any:
    if step.given["value"] not in (0, math.inf, -math.inf):
        return None
    return chosen(step.demands, step.given["self"], step.given["mask"].shape)


def _reduction(*, linear: bool) -> Rule:
    def rule(step: Step) -> Any:
        axes = step.given.get("dim")
        axes = [axes] if isinstance(axes, int) else axes
        if name_of(step.node) == "linalg_vector_norm" and step.given.get("ord", 2) == 0:
            return None
        return reduced(step.demands, step.given["self"], axes, bool(step.given.get("keepdim")), linear=linear)

    return rule


def _layer_norm(step: Step) -> Any:
    value = step.given["input"].fixed(step.demands, "its length is divided out together with a small constant")
    return _gain_and_shift(step.demands, value, step.given.get("weight"), step.given.get("bias"))


def _batch_norm(step: Step) -> Any:
    if step.given["training"]:
        return None
    value = step.given["input"].fixed(step.demands, "its variance is divided out together with a small constant")
    parts = []
    for part in (step.given.get("weight"), step.given.get("bias")):
        shape = (value.shape[1],) + (1,) * (len(value.shape) - 2)
        parts.append(None if part is None else Value(shape, tuple(term.reshape(shape) for term in part.terms)))
    return _gain_and_shift(step.demands, value, *parts)


def _gain_and_shift(demands: Demands, value: Value, gain: Value | None, shift: Value | None) -> Value:
    scaled = value if gain is None else multiply(demands, value, gain)
    return scaled if shift is None else sum_of(demands, scaled, shift)


def _native_layer_norm(step: Step) -> Any:
    return [_layer_norm(step), *fixed_result(step.node.meta["val"])[1:]]


def _linear(step: Step) -> Any:
    return linear(step.demands, step.given["input"], step.given["weight"], step.given.get("bias"))


def _matmul(step: Step) -> Any:
    return matmul(step.demands, *values_in(step.given))


def _addmm(step: Step) -> Any:
    shift, *factors = values_in(step.given)
    return sum_of(step.demands, matmul(step.demands, *factors), shift)


def _vecdot(step: Step) -> Any:
    return sum_of_products(step.demands, step.given["x"], step.given["y"], [step.given.get("dim", -1)], False)


def _einsum(step: Step) -> Any:
    return einsum(step.demands, step.given["equation"], list(step.given["tensors"]), step.node)


def _attention(step: Step) -> Any:
    mask = step.given.get("attn_mask")
    if isinstance(mask, Value):
        mask.fixed(step.demands, "it is added to scores")
    shares = bool(step.given.get("enable_gqa"))
    query, key, value = (step.given[name] for name in ("query", "key", "value"))
    return attention(step.demands, query, key, value, "scores enter a softmax", shares)


def _embedding(step: Step) -> Any:
    return looked_up(step.demands, step.given["weight"], step.given["indices"].shape)


def _embedding_bag(step: Step) -> Any:
    if step.given.get("mode", 0) not in (0, 1):
        return None
    weights = step.given.get("per_sample_weights")
    if weights is not None:
        weights.fixed(step.demands, "weights within a bag stay as they are")
    first, *others = fixed_result(step.node.meta["val"])
    row = looked_up(step.demands, step.given["weight"], (1,))
    return [Value(first.shape, row.terms), *others]


def _index_select(step: Step) -> Any:
    return picked(step.demands, step.given["self"], step.given["dim"], step.given["index"].shape)


def _index(step: Step) -> Any:
    value, indices = step.given["self"], step.given["indices"]
    axes = [axis for axis, index in enumerate(indices) if index is not None]
    if axes != list(range(axes[0], axes[-1] + 1)):
        return None
    lengths = np.broadcast_shapes(*(indices[axis].shape for axis in axes))
    if len(value.terms) > 1:
        return looked_up(step.demands, value, lengths) if axes == [0] else None
    for axis in axes[1:]:
        value = value.fixed(step.demands, "the data choose among its coordinates") if value.along(axis) else value
    merged = [term.reshape(term.shape[: axes[0] + 1] + term.shape[axes[-1] + 1 :]) for term in value.terms]
    shape = value.shape[: axes[0] + 1] + value.shape[axes[-1] + 1 :]
    return picked(step.demands, Value(shape, tuple(merged)), axes[0], lengths)


def _join(step: Step) -> Any:
    return join(step.demands, step.given["tensors"], lambda parts: step.node.target(**{**step.given, "tensors": parts}))


def _getitem(step: Step) -> Any:
    return step.given["a"][step.given["b"]]


RULES: dict[str, Rule] = {
    "dropout": _dropout,
    "feature_dropout": _dropout,
    "add": _sum,
    "sub": _sum,
    "rsub": _sum,
    "maximum": _extreme,
    "minimum": _extreme,
    "mul": _product,
    "div": _quotient,
    "neg": lambda step: step.given["self"],
    "pow": _power(),
    "square": _power(2.0),
    "sqrt": _power(0.5),
    "rsqrt": _power(-0.5),
    "reciprocal": _power(-1.0),
    "where": _where,
    "masked_fill": _masked_fill,
    "sum": _reduction(linear=True),
    "mean": _reduction(linear=True),
    "amax": _reduction(linear=False),
    "amin": _reduction(linear=False),
    "linalg_vector_norm": _reduction(linear=False),
    "layer_norm": _layer_norm,
    "rms_norm": _layer_norm,
    "native_layer_norm": _native_layer_norm,
    "batch_norm": _batch_norm,
    "linear": _linear,
    "mm": _matmul,
    "bmm": _matmul,
    "matmul": _matmul,
    "mv": _matmul,
    "dot": _matmul,
    "addmm": _addmm,
    "baddbmm": _addmm,
    "einsum": _einsum,
    "linalg_vecdot": _vecdot,
    "scaled_dot_product_attention": _attention,
    "embedding": _embedding,
    "embedding_bag": _embedding_bag,
    "_embedding_bag": _embedding_bag,
    "_embedding_bag_forward_only": _embedding_bag,
    "index_select": _index_select,
    "index": _index,
    "cat": _join,
    "concat": _join,
    "concatenate": _join,
    "stack": _join,
    "getitem": _getitem,
}
