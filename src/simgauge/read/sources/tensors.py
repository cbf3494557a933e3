"""Tensors of safetensors files by name: memory-mapped where NumPy has the type, bfloat16 widened to float32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1", "U8": "<u1"}


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors.

    Raises
    ------
    InputError
        Damaged, cut off, or not a safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  no mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path.name} is damaged or cut off: {error}. Copy or write it again.") from error


def read_tensor(path: Path, name: str) -> NDArray[Any]:
    """One tensor of a file that `tensor_shapes` has checked.

    Raises
    ------
    InputError
        A number type that has no place here, such as the 8-bit floats.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
    start, shape, kind = 8 + length + entry["data_offsets"][0], tuple(entry["shape"]), entry["dtype"]
    if kind == "BF16":  # the upper half of a float32
        halves = np.memmap(path, dtype="<u2", mode="r", offset=start, shape=shape)
        return (np.asarray(halves).astype(np.uint32) << 16).view(np.float32)
    if kind not in DTYPES:
        raise InputError(f"{path.name}:{name} holds {kind}; expected one of {', '.join((*DTYPES, 'BF16'))}.")
    return np.memmap(path, dtype=DTYPES[kind], mode="r", offset=start, shape=shape)
