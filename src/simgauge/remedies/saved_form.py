"""A fitted remedy as one safetensors file: its header JSON, nothing that can run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.storage.atomic import atomic_file
from simgauge.storage.manifest import BLANK, SEAL, seal

FORMAT_VERSION = 2


HEADER = "simgauge_remedy"


TEXT = ".text"
"""Ending of tensors that hold a JSON list of text as UTF-8 bytes."""


Arrays = dict[str, NDArray[Any]]


def save_remedy(remedy: Any, path: str | Path) -> Path:
    """Write a fitted remedy; see `Remedy.save`."""
    content = remedy_bytes(remedy)
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def remedy_bytes(remedy: Any) -> bytes:
    """The file of a fitted remedy: its header holds the SHA-256 of all of the file's bytes."""
    from safetensors.numpy import save

    spec, arrays = _packed(remedy)
    spec["format_version"] = FORMAT_VERSION
    # a safetensors file needs one tensor at least
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()} or {"empty": np.zeros(1)}
    text = json.dumps({**spec, SEAL: BLANK}, ensure_ascii=False)
    blank = save(tensors, metadata={HEADER: text})
    return seal(blank, header_end(blank))


def header_end(content: bytes) -> int:
    """Where the header of a safetensors file ends."""
    return 8 + int.from_bytes(content[:8], "little")


def fingerprint(remedy: Any) -> str:
    """SHA-256 of a fitted map, its class and parameters."""
    spec, arrays = _packed(remedy)
    return _hash_of({**spec, "format_version": FORMAT_VERSION}, arrays)


def _packed(remedy: Any) -> tuple[dict[str, Any], Arrays]:
    spec: dict[str, Any] = {
        "class": type(remedy).__name__,
        "params": _plain(remedy.get_params(deep=False)),
        "facts": _plain({name: getattr(remedy, name) for name in remedy._facts}),
    }
    arrays: Arrays = {}
    if hasattr(remedy, "steps_"):
        del spec["params"]["steps"]
        spec["steps"] = []
        for position, step in enumerate(remedy.steps_):
            part, tensors = _packed(step)
            spec["steps"].append(part)
            arrays |= {f"{position}.{name}": tensor for name, tensor in tensors.items()}
    for name in remedy._arrays:
        array = getattr(remedy, name)
        if array.dtype == object:
            text = json.dumps([str(label) for label in array.tolist()], ensure_ascii=False).encode()
            arrays[name + TEXT] = np.frombuffer(text, dtype=np.uint8)
        else:
            arrays[name] = array
    return spec, arrays


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON has them: NumPy scalars become numbers."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def _hash_of(spec: dict[str, Any], arrays: Arrays) -> str:
    """SHA-256 of a map: of its description and of the dtype, shape and bytes of every array."""
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True, ensure_ascii=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
