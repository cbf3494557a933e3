"""Files of vector search: fvecs, ivecs, bvecs and fbin of its benchmarks, hnswlib's and usearch's indexes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError, optional_import

VECS = {".fvecs": "<f4", ".ivecs": "<i4", ".bvecs": "u1"}
"""Each row begins with its length as int32."""
BINS = {".fbin": "<f4", ".ibin": "<i4", ".u8bin": "u1", ".i8bin": "i1", ".hbin": "<f2"}
"""A header of two uint32, rows and components, and the numbers row by row."""
HNSW_HEADER = struct.Struct("<QQQQQQiiQQQdQ")
"""offset of level 0, capacity, count, bytes an element, offset of labels, of data, top level, entry point, M twice,
…"""
DELETED = 0x01


def is_benchmark_file(path: Path) -> bool:
    """Whether the suffix is one of the formats without a mark in the file."""
    return path.suffix.lower() in (*VECS, *BINS)


def read_benchmark_file(path: Path) -> NDArray[Any]:
    """Vectors of a ``.fvecs`` or ``.fbin`` file and their integer kin.

    Raises
    ------
    InputError
        The size does not fit what the file says of itself.
    """
    suffix, size = path.suffix.lower(), path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
    if suffix in BINS:
        dtype = np.dtype(BINS[suffix])
        rows, width = struct.unpack("<II", head) if len(head) == 8 else (0, 0)
        if not rows * width or size != 8 + rows * width * dtype.itemsize:
            raise InputError(
                f"{path.name} says {rows:,} x {width:,} numbers of {dtype.itemsize} bytes and has {size:,} bytes: it "
                f"was "
                "cut off or is in another format. Copy it again."
            )
        return np.memmap(path, dtype=dtype, mode="r", offset=8, shape=(rows, width))
    dtype = np.dtype(VECS[suffix])
    width = struct.unpack("<i", head[:4])[0] if len(head) >= 4 else 0
    step = 4 + width * dtype.itemsize
    if width <= 0 or size % step:
        raise InputError(
            f"{path.name} says {width:,} components a row and its {size:,} bytes are no multiple of {max(step, 4):,}: "
            f"it "
            "was cut off or is in another format. Copy it again."
        )
    raw = np.memmap(path, dtype=np.dtype([("n", "<i4"), ("x", dtype, (width,))]), mode="r")
    if (raw["n"] != width).any():
        row = int((raw["n"] != width).argmax())
        raise InputError(f"{path.name}: row {row} says {int(raw['n'][row])} components, the first says {width}.")
    return np.ascontiguousarray(raw["x"])


def is_hnswlib_file(path: Path) -> bool:
    """Whether the sizes in the header fit each other and the file, as hnswlib's index without a mark has them."""
    return _hnsw_header(path) is not None


def read_hnswlib(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    """Vectors and labels of an hnswlib index of floats, and how many deleted elements were left out."""
    header = _hnsw_header(path)
    if header is None:
        raise InputError(f"{path.name} is no index of hnswlib.")
    count, size, label_offset, data_offset, start = header
    raw = np.memmap(path, dtype="u1", mode="r", offset=start, shape=(count, size))
    kept = (raw[:, 2] & DELETED) == 0
    vectors = np.ascontiguousarray(raw[:, data_offset:label_offset]).view("<f4")[kept]
    labels = np.ascontiguousarray(raw[:, label_offset : label_offset + 8]).view("<u8")[:, 0][kept]
    return vectors, labels.astype(np.int64), int((~kept).sum())


def _hnsw_header(path: Path) -> tuple[int, int, int, int, int] | None:
    with path.open("rb") as file:
        raw = file.read(HNSW_HEADER.size)
    if len(raw) < HNSW_HEADER.size:
        return None
    offset, most, count, size, labels, data, _, _, _, links, _, _, _ = HNSW_HEADER.unpack(raw)
    fits = (
        offset == 0
        and 0 < count <= most
        and data == 4 + 4 * links
        and labels > data
        and (labels - data) % 4 == 0
        and size == labels + 8
        and HNSW_HEADER.size + count * size <= path.stat().st_size
    )
    return (count, size, labels, data, HNSW_HEADER.size) if fits else None


def is_usearch_file(path: Path) -> bool:
    """Whether usearch's mark follows the matrix that its index begins with."""
    with path.open("rb") as file:
        head = file.read(8)
        if len(head) < 8:
            return False
        rows, width = struct.unpack("<II", head)
        if 8 + rows * width > path.stat().st_size:
            return False
        file.seek(8 + rows * width)
        return file.read(7) == b"usearch"


def read_usearch(path: Path) -> tuple[NDArray[Any], NDArray[np.int64], str]:
    """Vectors and keys of a usearch index, in ascending order of the keys, and the type that it stores.

    Raises
    ------
    MissingDependencyError
        usearch is not installed.
    InputError
        Damaged, or an index of bits.
    """
    index_module = optional_import("usearch.index", extra="usearch", purpose=f"read the index {path.name}")
    try:
        index = index_module.Index.restore(str(path))
        keys = np.sort(np.asarray(list(index.keys), dtype=np.uint64))
        found = index.get(keys)
    except Exception as error:  # usearch raises RuntimeError, ValueError and its own
        raise InputError(f"{path.name} cannot be read by usearch: {str(error)[:200]}. Write it again.") from error
    if index is None or found is None or len(keys) == 0:
        raise InputError(f"{path.name} is an empty index of usearch.")
    vectors = np.asarray(found)
    if vectors.ndim != 2 or vectors.shape[1] != index.ndim:
        raise InputError(f"{path.name} is an index of bits or of several vectors a key. Pass the vectors themselves.")
    return vectors, keys.astype(np.int64), str(getattr(index.dtype, "name", index.dtype)).lower()
