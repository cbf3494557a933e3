"""One code path for NumPy arrays and tensors on a device: namespaces of the array API, and the few copies between them.

A table stays where its user put it. What comes to the host are sums, lists of neighbours and samples, by `to_host` and
nothing else; what goes to the device are k x k matrices, by `beside`.
"""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Array


def namespace(array: Array) -> Any:
    """The array API namespace of an array: functions by their standard names for NumPy and torch alike.

    Examples
    --------
    >>> namespace(np.ones(2)).astype(np.ones(2), np.float32).dtype
    dtype('float32')
    """
    return array_api_compat.array_namespace(array)


def on_host(array: Array) -> bool:
    """Whether it is a NumPy array (also a memory-mapped one).

    Examples
    --------
    >>> on_host(np.ones(2))
    True
    """
    return isinstance(array, np.ndarray)


def is_tensor(array: Any) -> bool:
    """Whether it is a torch tensor; torch is not imported for it.

    Examples
    --------
    >>> is_tensor(np.ones(2))
    False
    """
    return bool(array_api_compat.is_torch_array(array))


def to_host(array: Array) -> NDArray[Any]:
    """A NumPy array of the same values: the only way from a device to the host.

    Examples
    --------
    >>> to_host(np.ones(2))
    array([1., 1.])
    """
    if isinstance(array, (np.ndarray, np.generic, float, int)):
        return np.asarray(array)
    return np.asarray(array.detach().cpu().numpy())


def beside(values: Any, like: Array, *, dtype: Any = None) -> Array:
    """Host values as an array next to `like`: same library and device, same dtype unless another is asked for.

    Parameters
    ----------
    dtype : optional
        A dtype of the namespace of `like`; None means that of `like`.

    Examples
    --------
    >>> beside([1, 2], np.ones(1, dtype=np.float32))
    array([1., 2.], dtype=float32)
    """
    kind = like.dtype if dtype is None else dtype
    if on_host(like):
        return np.asarray(values, dtype=kind)
    xp = namespace(like)
    return xp.asarray(np.ascontiguousarray(values), dtype=kind, device=array_api_compat.device(like))


def room_beside(shape: tuple[int, ...], like: Array, *, dtype: Any = None) -> Array:
    """An array with values yet to be written, next to `like`: same library and device, same dtype unless another is
    asked.

    Examples
    --------
    >>> room_beside((2, 3), np.ones(1, dtype=np.float32)).shape
    (2, 3)
    """
    kind = like.dtype if dtype is None else dtype
    if on_host(like):
        return np.empty(shape, dtype=kind)
    return namespace(like).empty(shape, dtype=kind, device=array_api_compat.device(like))


def doubled(array: Array) -> Array:
    """The array in float64; itself when it is float64 already."""
    xp = namespace(array)
    return xp.astype(array, xp.float64, copy=False)


def numpy_dtype(array: Array) -> np.dtype[Any]:
    """Dtype of an array or tensor, as NumPy names it.

    Examples
    --------
    >>> numpy_dtype(np.ones(1, dtype=np.float32))
    dtype('float32')
    """
    return np.dtype(array.dtype if isinstance(array.dtype, np.dtype) else str(array.dtype).rpartition(".")[2])
