"""A network after a change of basis or scale at a free place, and the proof that its outputs stay."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.random_gauges import check_gauge_matrix, random_gauge_matrix
from simgauge.deep.places import FreePlace
from simgauge.errors import ParameterError, SimgaugeError, optional_import
from simgauge.parameters import Rng, as_generator

Factors = NDArray[np.float64]


class OutputsMovedError(SimgaugeError):
    """A change that must leave outputs as they are moved them: a fault in simgauge, or rounding that grew."""


class Verification(NamedTuple):
    """How far outputs moved, and how far rounding of parameters alone may move them."""

    difference: float
    """Largest difference of an output, relative to the largest output."""
    tolerance: float
    """10⁴ eps of the changed network's dtype: the change has condition number 10 and rounding passes through layers."""


def rescaled(
    model: Any,
    place: FreePlace,
    gauge: NDArray[np.floating] | None = None,
    *,
    condition_number: float = 10.0,
    rng: Rng = 0,
) -> Any:
    """A copy of a network in which the basis or the scales of one place are changed.

    Parameters
    ----------
    model : torch.nn.Module
        It stays as it is.
    place : FreePlace
        From `find_free_places` of this model.
    gauge : array, optional
        For a place of kind "basis" an invertible matrix (size, size), for "scales" positive factors (size,). Drawn at
        random by default.
    condition_number : float, default 10
        Of the matrix that is drawn, or the ratio of the largest to the smallest factor.
    rng : optional
        Seed or generator.

    Returns
    -------
    torch.nn.Module
        Same class, same dtype, same device.

    Raises
    ------
    ParameterError
        The gauge has another shape, is singular, or has factors that are not positive.

    Notes
    -----
    *Gauge*: all outputs stay, for all inputs, up to rounding.
    *Numerics*: the change is computed in float64 and rounded once to the parameters' dtype.
    """
    G = _as_gauge(place, gauge) if gauge is not None else drawn_gauge(place, condition_number, as_generator(rng))
    changed = copy.deepcopy(model)
    _change(changed, place, G)
    return changed


def rescaled_everywhere(
    model: Any, places: Sequence[FreePlace], *, condition_number: float = 10.0, rng: Rng = 0
) -> Any:
    """A copy of a network in which all places are changed at once, at random.

    Parameters
    ----------
    model : torch.nn.Module
        It stays as it is; the copy has float64 parameters.
    places : sequence of FreePlace
        From `find_free_places` of this model.
    condition_number : float, default 10
        Of each change.
    rng : optional
        Seed or generator.

    Returns
    -------
    torch.nn.Module
    """
    draws = as_generator(rng)
    changed = copy.deepcopy(model).double()
    for place in places:
        _change(changed, place, drawn_gauge(place, condition_number, draws))
    return changed


def _change(model: Any, place: FreePlace, G: Factors) -> None:
    torch = optional_import("torch", extra="torch", purpose="rescaling a network")
    named = dict(model.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for carrier in place.carriers:
            tensor = named[carrier.parameter]
            before = np.moveaxis(tensor.detach().cpu().to(torch.float64).numpy(), carrier.axis, 0)
            after = moved_along(before, carrier.positions, carrier.power, G)
            tensor.copy_(torch.from_numpy(np.ascontiguousarray(np.moveaxis(after, 0, carrier.axis))))


def verify_outputs(model: Any, changed: Any, *inputs: Any, **named_inputs: Any) -> Verification:
    """Compare the outputs of two networks in float64 on the same inputs.

    Both are copied to float64, so that rounding to the parameters' dtype is not taken for a change of outputs.

    Returns
    -------
    Verification
    """
    torch = optional_import("torch", extra="torch", purpose="comparing networks")
    with torch.no_grad():
        results = [
            _flat(torch, copy.deepcopy(one).eval().double()(*_double(torch, inputs), **_double(torch, named_inputs)))
            for one in (model, changed)
        ]
    largest = max((float(part.abs().max()) for part in results[0] if part.numel()), default=0.0)
    moved = max((float((a - b).abs().max()) for a, b in zip(*results, strict=True) if a.numel()), default=0.0)
    precisions = [torch.finfo(one.dtype).eps for one in changed.parameters() if one.is_floating_point()]
    return Verification(moved / largest if largest else moved, 1e4 * max(precisions, default=2.0**-52))


def _as_gauge(place: FreePlace, gauge: NDArray[np.floating]) -> Factors:
    if place.kind == "basis":
        return check_gauge_matrix(gauge, place.size)
    factors = np.asarray(gauge, dtype=np.float64)
    if factors.shape != (place.size,) or not (np.isfinite(factors).all() and (factors > 0).all()):
        raise ParameterError(
            f"gauge has shape {factors.shape}: place {place.name!r} needs {place.size} positive, finite factors."
        )
    return factors


def drawn_gauge(place: FreePlace, condition_number: float, rng: np.random.Generator) -> Factors:
    """A random matrix or random factors for a place, of this condition number."""
    if place.kind == "basis":
        return random_gauge_matrix(place.size, condition_number, rng)
    exponents = rng.uniform(size=place.size)
    if place.size > 1:
        exponents[:2] = 0.0, 1.0
    return np.asarray(condition_number ** (exponents - exponents.mean()))


def moved_along(array: Factors, positions: NDArray[np.int64], power: float, G: Factors) -> Factors:
    """The array with these entries of its first axis in a new basis (G a matrix) or in new scales (G factors)."""
    result = array.copy()
    matrix = None
    if G.ndim == 2:
        matrix = G if power > 0 else np.linalg.inv(G).T
    for copy_of in positions:
        part = array[copy_of]
        if matrix is None:
            result[copy_of] = part * (G**power).reshape(-1, *(1,) * (part.ndim - 1))
        else:
            result[copy_of] = np.tensordot(matrix, part, axes=1)
    return result


def _double(torch: Any, given: Any) -> Any:
    if isinstance(given, dict):
        return {name: _double(torch, part) for name, part in given.items()}
    if isinstance(given, list | tuple):
        return type(given)(_double(torch, part) for part in given)
    return given.double() if torch.is_tensor(given) and given.is_floating_point() else given


def _flat(torch: Any, output: Any) -> list[Any]:
    if torch.is_tensor(output):
        return [output.double()]
    if hasattr(output, "to_tuple"):
        output = output.to_tuple()
    parts = list(output.values()) if isinstance(output, dict) else output
    return [tensor for part in parts for tensor in _flat(torch, part)] if isinstance(parts, list | tuple) else []
