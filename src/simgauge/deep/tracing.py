"""A network as the steps that it computes: traced by torch.export, then followed with unknown scales."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from typing import Any

from simgauge.deep.demands import Demands, Ids
from simgauge.deep.steps.contractions import sum_of_products
from simgauge.deep.steps.rules import apply_rule
from simgauge.deep.steps.step import Step, fixed_result, name_of
from simgauge.deep.values import Value
from simgauge.errors import InputError, optional_import

NO_STEP = {"_assert_tensor_metadata", "sym_size", "sym_constrain_range", "sym_constrain_range_for_size"}
"""Calls in a trace that check or read shapes and types, and no values."""


@dataclass(frozen=True)
class ParameterAxis:
    """One axis of a parameter, and the unknown scale of each of its entries."""

    parameter: str
    axis: int
    ids: Ids


@dataclass(frozen=True)
class Followed:
    """A network whose steps were all followed."""

    demands: Demands
    axes: tuple[ParameterAxis, ...]
    modules: dict[str, Value]
    """What leaves each submodule, by its dotted name; those whose output is a single tensor."""


def follow(model: Any, inputs: tuple[Any, ...], named_inputs: dict[str, Any] | None = None) -> Followed:
    """Trace a model on inputs and collect what its steps demand.

    Parameters
    ----------
    model : torch.nn.Module
        It is copied, and the copy is set to evaluation mode.
    inputs : tuple
        Positional inputs of ``forward``.
    named_inputs : dict, optional
        Inputs by name.

    Returns
    -------
    Followed

    Raises
    ------
    InputError
        The model cannot be traced: its control flow depends on data, or it calls what torch.export does not know.
    """
    graph_of = _exported(copy.deepcopy(model).eval(), inputs, named_inputs or {})
    demands = Demands()
    known: dict[Any, Any] = {}
    axes: list[ParameterAxis] = []
    by_storage: dict[Any, Value] = {}
    modules: dict[str, Value] = {}
    parameters = _parameters(graph_of)
    outputs_of = _module_outputs(graph_of)
    for node in graph_of.graph.nodes:
        if node.op == "placeholder":
            tensor = parameters.get(node.name)
            known[node] = fixed_result(node.meta.get("val"))
            if tensor is not None:
                known[node] = _parameter(demands, *tensor, axes, by_storage)
        elif node.op == "call_function":
            demands.step = _where(node)
            known[node] = _stepped(demands, node, known)
            if isinstance(known[node], Value):
                modules.update(dict.fromkeys(outputs_of.get(node.name, ()), known[node]))
        elif node.op == "output":
            demands.step = "the output of the model"
            _fix_all(demands, [known[part] for part in node.all_input_nodes])
        else:
            known[node] = fixed_result(node.meta.get("val"))
    return Followed(demands, tuple(axes), modules)


def _exported(model: Any, inputs: tuple[Any, ...], named_inputs: dict[str, Any]) -> Any:
    torch = optional_import("torch", extra="torch", purpose="following a network")
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about itself
            program = _program(torch, model, inputs, named_inputs)
            if any(_changes_in_place(node) for node in program.graph.nodes):
                program = program.run_decompositions({})
            program.graph.eliminate_dead_code()
    except Exception as error:
        said = str(error).strip().split("\n")[0][:300]
        raise InputError(
            f"the model cannot be traced on these inputs ({type(error).__name__}: {said}). "
            "torch.export follows models whose control flow does not depend on the data: pass the part that does not, "
            "for example the towers and the product that joins them."
        ) from error
    return program


def _program(torch: Any, model: Any, inputs: tuple[Any, ...], named_inputs: dict[str, Any]) -> Any:
    """The exported program; with the steps at which submodules end, where the export can keep them."""
    names = tuple(name for name, _ in model.named_modules() if name)
    try:
        return torch.export.export(model, inputs, named_inputs, strict=False, preserve_module_call_signature=names)
    except Exception:  # the export refuses signatures that it cannot describe; the program itself may be fine
        return torch.export.export(model, inputs, named_inputs, strict=False)


def _changes_in_place(node: Any) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable


def _parameters(program: Any) -> dict[str, tuple[str, Any]]:
    """Name and tensor of every floating-point parameter, by the node that brings it."""
    named = dict(program.named_parameters())
    lifted = program.graph_signature.inputs_to_parameters
    return {
        node: (name, named[name])
        for node, name in lifted.items()
        if name in named and named[name].dtype.is_floating_point
    }


def _parameter(
    demands: Demands, name: str, tensor: Any, axes: list[ParameterAxis], by_storage: dict[Any, Value]
) -> Value:
    """Unknown scales for each axis of a vector or a matrix; tied parameters share them."""
    shape = tuple(tensor.shape)
    storage = tensor.untyped_storage().data_ptr()
    key = (storage, tensor.storage_offset(), shape, tensor.stride())
    if key in by_storage:
        return by_storage[key]
    overlaps = any(other[0] == storage for other in by_storage)
    value = Value(shape)
    if 1 <= len(shape) <= 2 and not overlaps and tensor.numel():
        terms = []
        for axis, size in enumerate(shape):
            if size == 1 and len(shape) == 2:  # a factor of a single column is a factor of all rows
                continue
            ids = demands.new((size,))
            axes.append(ParameterAxis(name, axis, ids))
            terms.append(ids.reshape([size if other == axis else 1 for other in range(len(shape))]))
        value = Value(shape, tuple(terms))
    for other, known in by_storage.items():
        if other[0] == storage:
            known.fixed(demands, f"it shares memory with {name}")
    by_storage[key] = value
    return value


def _stepped(demands: Demands, node: Any, known: dict[Any, Any]) -> Any:
    if _only_summed(node) or name_of(node) in NO_STEP:
        return fixed_result(node.meta.get("val"))
    given = {name: _filled(part, known) for name, part in _arguments(node).items()}
    if _is_sum(node) and _only_summed(node.args[0]):
        left, right = (_filled(part, known) for part in node.args[0].args)
        return sum_of_products(demands, left, right, given["dim"], bool(given.get("keepdim")))
    if name_of(node) != "getitem" and not _has_terms(given):
        return fixed_result(node.meta.get("val"))
    return apply_rule(Step(demands, node, given))


def _is_sum(node: Any) -> bool:
    return name_of(node) in ("sum", "mean") and bool(_arguments(node).get("dim")) and hasattr(node.args[0], "users")


def _only_summed(node: Any) -> bool:
    """Whether a product of two tensors is used by one sum over axes and nothing else: the two steps are one product."""
    tensors = all(hasattr(part, "meta") and getattr(part.meta.get("val"), "ndim", 0) for part in node.args[:2])
    return (
        name_of(node) == "mul"
        and len(node.args) == 2
        and tensors
        and len(node.users) == 1
        and _is_sum(next(iter(node.users)))
    )


def _arguments(node: Any) -> dict[str, Any]:
    """Arguments by the names of the schema."""
    schema = getattr(node.target, "_schema", None)
    names = [argument.name for argument in schema.arguments] if schema is not None else ["a", "b", "c", "d"]
    return {**dict(zip(names, node.args, strict=False)), **node.kwargs}


def _filled(part: Any, known: dict[Any, Any]) -> Any:
    if isinstance(part, list | tuple):
        return [_filled(one, known) for one in part]
    try:
        return known.get(part, part)
    except TypeError:
        return part


def _has_terms(given: Any) -> bool:
    if isinstance(given, Value):
        return bool(given.terms)
    if isinstance(given, dict):
        given = list(given.values())
    return isinstance(given, list | tuple) and any(_has_terms(part) for part in given)


def _fix_all(demands: Demands, values: Any) -> None:
    for value in values:
        if isinstance(value, Value):
            value.fixed(demands, "it is an output")
        elif isinstance(value, list | tuple):
            _fix_all(demands, value)


def _module_outputs(program: Any) -> dict[str, list[str]]:
    """Names of submodules by the step whose result they return, where that is a single tensor."""
    found: dict[str, list[str]] = {}
    for call in program.module_call_graph:
        outputs = [getattr(part, "name", "") for part in call.signature.outputs] if call.signature else []
        named = [name for name in outputs if name]
        if call.fqn and len(named) == 1:
            found.setdefault(named[0], []).append(call.fqn)
    return found


def _where(node: Any) -> str:
    paths = [path for path, _ in (node.meta.get("nn_module_stack") or {}).values() if path]
    return f"{name_of(node)} in {paths[-1]}" if paths else name_of(node)
