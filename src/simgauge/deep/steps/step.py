"""One step of a traced network: its name, what enters it, and the tensors among that."""

from __future__ import annotations

from typing import Any, NamedTuple

from simgauge.deep.demands import Demands
from simgauge.deep.values import Value


class Step(NamedTuple):
    """One step of a traced network."""

    demands: Demands
    """Where its equations go."""
    node: Any
    """The `torch.fx.Node`."""
    given: dict[str, Any]
    """Its arguments by the names of its schema; tensors are `Value`s."""


def name_of(node: Any) -> str:
    """The name of the operation without namespace and overload."""
    packet = getattr(node.target, "overloadpacket", None)
    return str(getattr(packet, "__name__", getattr(node.target, "__name__", node.target)))


def fixed_result(meta: Any) -> Any:
    """Tensors that stay as they are, of the shapes that the trace recorded."""
    if isinstance(meta, list | tuple):
        return [fixed_result(part) for part in meta]
    return Value(tuple(int(size) for size in meta.shape)) if hasattr(meta, "shape") else meta


def values_in(given: Any) -> list[Value]:
    """All tensors among arguments, in their order."""
    if isinstance(given, Value):
        return [given]
    if isinstance(given, dict):
        given = list(given.values())
    if isinstance(given, list | tuple):
        return [value for part in given for value in values_in(part)]
    return []
