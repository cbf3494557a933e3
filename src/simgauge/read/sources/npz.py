"""Arrays of NumPy's own files: memory-mapped, never unpickled, sizes checked before anything is allocated."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any
from zlib import error as zlib_error

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.matrices.interaction_matrix import as_interaction_matrix
from simgauge.errors import InputError

MOST_COMPRESSED = 1100
"""Deflate cannot shrink below 1/1032: an entry that promises more bytes than that is a lie."""


END_OF_ARCHIVE, LONGEST_END, COUNTED_ELSEWHERE = b"PK\x05\x06", 22 + 65_535, 65_535
"""Where a zip archive says how many entries it has: mark, size with the longest comment, and "see zip64"."""

MOST_EMPTY = 1000
"""Rows and columns for each entry of a sparse matrix: more is a damaged shape, and would take memory for ids."""


def map_npy(path: Path) -> NDArray[Any]:
    """The array of an ``.npy`` file, memory-mapped read-only.

    Raises
    ------
    InputError
        Pickled objects, structured records, a damaged header, a file cut off, or no entries.
    """
    with path.open("rb") as file:
        shape, dtype, start = _header(file, path.name)
    promised, size = start + math.prod(shape) * dtype.itemsize, path.stat().st_size
    if size < promised:
        raise InputError(f"{path.name} was cut off: {size:,} of {promised:,} bytes. Copy it again.")
    if math.prod(shape) == 0:
        raise InputError(f"{path.name} holds an empty array, shape {shape}.")
    loaded: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return loaded


def npz_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the arrays of an ``.npz`` file, after checking every entry.

    Raises
    ------
    InputError
        Not a NumPy archive, pickled objects in it, or entries that are not what they promise.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            foreign = [entry.filename for entry in entries if not entry.filename.endswith(".npy")]
            if foreign or not entries:
                pickled = any(name.endswith(".pkl") for name in foreign)
                if any(name.startswith("xl/") for name in foreign):
                    raise InputError(
                        f"{path.name} is a workbook of a spreadsheet: save the sheet that holds the table as CSV or "
                        f"Parquet."
                    )
                what = (
                    "a pickled PyTorch checkpoint (refused: loading one can run code)" if pickled else "a zip archive"
                )
                raise InputError(
                    f"{path.name} is {what}, not an npz of arrays (it holds {', '.join(foreign[:3]) or 'nothing'}). "
                    "Unpack it, or export the arrays as npy, npz or safetensors."
                )
            _check_directory(path, len(entries))
            return {entry.filename.removesuffix(".npy"): _entry_shape(archive, entry, path.name) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _damaged(path, error) from error


def _check_directory(path: Path, n_entries: int) -> None:
    """Raise where the end of an archive counts other entries than its directory has: no checksum covers either."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_END))
        end = file.read()
    counted = int.from_bytes(end[(at := end.rfind(END_OF_ARCHIVE)) + 10 : at + 12], "little")
    if counted not in (n_entries, COUNTED_ELSEWHERE):
        raise InputError(
            f"{path.name} is damaged: it says that it holds {counted} arrays, and its directory lists {n_entries}. "
            "Copy or write it again."
        )


def read_npz_array(path: Path, name: str) -> NDArray[Any]:
    """One array of an ``.npz`` file that `npz_shapes` has checked."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
            loaded: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
            file.read(1)  # reaching the end is what makes zipfile compare the checksum
            return loaded
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, MemoryError, RuntimeError, zlib_error) as error:
        raise _damaged(path, error) from error


def load_sparse(path: Path) -> sparse.csr_array:
    """The matrix that `scipy.sparse.save_npz` wrote.

    Raises
    ------
    InputError
        Other arrays are in the file, or its indices point outside the matrix.
    """
    shapes = npz_shapes(path)
    if not {"format", "shape", "data"} <= set(shapes):
        raise InputError(
            f"{path.name} holds the arrays {', '.join(shapes)}, not a scipy sparse matrix. Write interactions with "
            "scipy.sparse.save_npz, or pass the array itself."
        )
    try:
        matrix = sparse.load_npz(path)
        if sum(matrix.shape) > MOST_EMPTY * (matrix.nnz + 10_000):
            raise InputError(
                f"the shape is {matrix.shape}, with {matrix.nnz:,} entries: nearly all rows or columns would be empty, "
                "and each has an id. Leave the empty ones out, or check the shape."
            )
        return as_interaction_matrix(matrix)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error
    except (ValueError, KeyError, OSError, EOFError, MemoryError, TypeError, zipfile.BadZipFile, zlib_error) as error:
        raise _damaged(path, error) from error


def _entry_shape(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, label: str) -> tuple[int, ...]:
    with archive.open(entry) as file:
        shape, dtype, start = _header(file, f"{label}:{entry.filename}")
    promised = start + math.prod(shape) * dtype.itemsize
    if entry.file_size != promised or promised > MOST_COMPRESSED * (entry.compress_size + start):
        raise InputError(
            f"{label}:{entry.filename} promises {promised:,} bytes and the archive holds {entry.file_size:,} "
            f"({entry.compress_size:,} compressed): it was cut off or made to mislead."
        )
    return shape


def _header(file: IO[bytes], label: str) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        version = np.lib.format.read_magic(file)
        if version not in readers:
            raise ValueError(f"format version {version} holds named records")
        shape, _, dtype = readers[version](file)
    except (ValueError, SyntaxError, TypeError, OverflowError, EOFError, MemoryError, RecursionError) as error:
        raise InputError(f"{label} has a damaged header and is no array that can be read: {error}.") from error
    if dtype.hasobject:
        raise InputError(
            f"{label} holds pickled Python objects: refused, because loading them can run any code. Where it was "
            "made, convert first: np.save(path, np.stack(list_of_vectors).astype('float32')), ids as text or integers."
        )
    if dtype.names is not None or dtype.kind not in "fiubUS":
        raise InputError(f"{label} holds {dtype}; expected a plain array of numbers or labels.")
    if any(length < 0 for length in shape):
        raise InputError(f"{label} has a damaged header: shape {shape}.")
    return shape, dtype, file.tell()


def _damaged(path: Path, error: BaseException) -> InputError:
    return InputError(f"{path.name} is damaged or cut off: {error or type(error).__name__}. Copy or write it again.")
