"""HDF5: all of its datasets by their paths, through h5py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError, optional_import
from simgauge.read.vectors.hdf5_heaps import has_endless_heap
from simgauge.read.vectors.named_arrays import NamedArrays


def hdf5_arrays(path: Path) -> NamedArrays:
    """Datasets of numbers and texts of an HDF5 file.

    Raises
    ------
    MissingDependencyError
        h5py is not installed.
    InputError
        Damaged, or without datasets.
    """
    h5py = optional_import("h5py", extra="formats", purpose=f"read {path.name} (HDF5)")
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, entry: Any) -> None:
        if isinstance(entry, h5py.Dataset) and entry.shape is not None and entry.dtype.names is None:
            shapes[name] = tuple(entry.shape)

    def read(name: str) -> NDArray[Any]:
        try:
            with h5py.File(path, "r") as file:
                entry = file[name]
                if h5py.check_string_dtype(entry.dtype):
                    return np.asarray(entry.asstr()[()], dtype=object)
                return np.asarray(entry[()])
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            raise _damaged(path, error) from error

    try:
        with h5py.File(path, "r") as file:
            _, size_bytes = file.id.get_create_plist().get_sizes()
            if has_endless_heap(path, size_bytes):
                raise ValueError("its heap of texts has an entry without an end")
            file.visititems(note)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise _damaged(path, error) from error
    if not shapes:
        raise InputError(f"{path.name} holds no datasets. Pass the file that holds the vectors.")
    return NamedArrays(path.name, shapes, read, kind="dataset")


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path.name} is damaged or cut off: {str(error)[:150]}. Copy or write it again.")
