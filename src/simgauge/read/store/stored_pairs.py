"""Pairs of users and items on disk, in parts by rows: written in one go, then used as memory maps.

One file holds the column numbers of all parts, one their weights, one their row pointers, so that a store of
thousands of parts needs three open files. Row pointers begin at 0 in every part: 32 bits are enough for them, however
many pairs there are in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import sparse

from simgauge.errors import InputError
from simgauge.storage.places import place_of

PAIRS_PER_PART = 1 << 22
"""A part ends with the user who reaches this many: 48 MiB in float64."""

INDPTR_FILE, INDICES_FILE, DATA_FILE = "indptr.npy", "indices.npy", "data.npy"
ITEMS_FILE, USERS_FILE = "items.parquet", "users.parquet"
FILES = (INDPTR_FILE, INDICES_FILE, DATA_FILE, ITEMS_FILE, USERS_FILE)
USERS_PER_GROUP = 1 << 18
HEADER_BYTES = 128


class Part(NamedTuple):
    """One part of the store, as its metadata describe it."""

    n_users: int
    n_pairs: int


class PairsWriter:
    """Takes pairs sorted by user and writes them as they come; memory: one batch and the row pointers of a part.

    Parameters
    ----------
    directory : Path
        Exists; the files of the module's constants are made there.
    dtype : float32 or float64
        Of the weights.
    id_type : pyarrow.DataType
        Of the users' ids.
    pairs_per_part : int
        See `PAIRS_PER_PART`.
    """

    def __init__(self, directory: Path, dtype: Any, id_type: pa.DataType, pairs_per_part: int = PAIRS_PER_PART) -> None:
        self.parts: list[Part] = []
        self.n_users = self.n_pairs = 0
        self.dtype, self.id_type = np.dtype(dtype), id_type
        self._limit = pairs_per_part
        self._indptr = _Growing(directory / INDPTR_FILE, np.dtype(np.int32))
        self._indices = _Growing(directory / INDICES_FILE, np.dtype(np.int32))
        self._data = _Growing(directory / DATA_FILE, self.dtype)
        self._users = pq.ParquetWriter(directory / USERS_FILE, pa.schema([("id", id_type)]))
        self._waiting: list[pa.Array] = []
        self._open_user: pa.Array | None = None  # its pairs may go on in the next batch
        self._open_count = 0
        self._counts: list[NDArray[np.int64]] = []
        self._begun = 0  # pairs of this part whose users are complete

    def __enter__(self) -> PairsWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._indptr, self._indices, self._data, self._users):
            file.close()

    def add(self, ids: pa.Array, counts: NDArray[np.int64], indices: NDArray[Any], data: NDArray[Any]) -> None:
        """Append users with their numbers of pairs; the first may be the one that the batch before ended with.

        Users without a pair are left out.
        """
        if not len(ids):
            return
        if self._open_user is not None and ids[0] == self._open_user[0]:
            counts = counts.copy()
            counts[0] += self._open_count
        else:
            self._complete(self._open_user, np.array([self._open_count], np.int64))
        self._indices.append(indices)
        self._data.append(data)
        # nothing before the last user can grow any more
        self._complete(ids[:-1], counts[:-1])
        self._open_user, self._open_count = ids[-1:], int(counts[-1])

    def finish(self) -> None:
        """The last user and the last part are complete; headers get their true lengths."""
        self._complete(self._open_user, np.array([self._open_count], np.int64))
        self._open_user = None
        if self._begun:
            self._end_part(np.concatenate(self._counts), self._begun)
        self._write_users()
        self.__exit__()

    def _complete(self, ids: pa.Array | None, counts: NDArray[np.int64]) -> None:
        if ids is None or not len(ids):
            return
        if not counts.all():
            ids, counts = ids.filter(pa.array(counts > 0)), counts[counts > 0]
        self._waiting.append(ids)
        self.n_users += len(ids)
        if sum(map(len, self._waiting)) >= USERS_PER_GROUP:
            self._write_users()
        self._counts.append(counts)
        self._begun += int(counts.sum())
        if self._begun >= self._limit:
            self._cut(np.concatenate(self._counts))

    def _cut(self, counts: NDArray[np.int64]) -> None:
        """Parts as long as there are enough complete users."""
        ends = np.cumsum(counts)
        start, taken = 0, 0
        while self._begun >= self._limit:
            stop = int(np.searchsorted(ends, taken + self._limit)) + 1
            size = int(ends[stop - 1]) - taken
            self._end_part(counts[start:stop], size)
            start, taken = stop, taken + size
        self._counts = [counts[start:]]

    def _end_part(self, counts: NDArray[np.int64], size: int) -> None:
        indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
        self._indptr.append(indptr)
        self.parts.append(Part(len(counts), size))
        self.n_pairs += size
        self._begun -= size

    def _write_users(self) -> None:
        if self._waiting:
            self._users.write_table(pa.table({"id": pa.chunked_array(self._waiting)}))
            self._waiting = []


class _Growing:
    """A one-dimensional .npy file that grows; its header gets the length when it is closed."""

    def __init__(self, path: Path, dtype: np.dtype[Any]) -> None:
        self.dtype, self.length = dtype, 0
        self._file: IO[bytes] = path.open("w+b")
        self._write_header()

    def append(self, values: NDArray[Any]) -> None:
        array = np.ascontiguousarray(values, dtype=self.dtype)
        self._file.write(array.data)
        self.length += len(array)

    def close(self) -> None:
        if not self._file.closed:
            try:
                self._file.seek(0)
                self._write_header()
            finally:
                self._file.close()

    def _write_header(self) -> None:
        """Version 1.0 of the format, padded to a fixed length."""
        text = f"{{'descr': '{self.dtype.str}', 'fortran_order': False, 'shape': ({self.length},), }}".encode()
        body = text.ljust(HEADER_BYTES - 11) + b"\n"
        self._file.write(b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body)


def map_parts(directory: Path, n_items: int, parts: Sequence[Part], dtype: Any) -> list[sparse.csr_array]:
    """CSR arrays over the memory-mapped files, one a part; nothing is read but the headers.

    Raises
    ------
    InputError
        A file is missing, has another length than `parts` say, or holds another dtype.
    """
    n_pairs, n_users = sum(part.n_pairs for part in parts), sum(part.n_users for part in parts)
    indptr = _mapped(place_of(directory / INDPTR_FILE), np.int32, n_users + len(parts))
    indices = _mapped(place_of(directory / INDICES_FILE), np.int32, n_pairs)
    data = _mapped(place_of(directory / DATA_FILE), dtype, n_pairs)
    made, row, pair = [], 0, 0
    for part in parts:
        view = sparse.csr_array((part.n_users, n_items), dtype=dtype)
        # one by one: the constructor would look through the arrays, and copy them where it prefers another integer
        view.indptr = indptr[row : row + part.n_users + 1]
        view.indices, view.data = indices[pair : pair + part.n_pairs], data[pair : pair + part.n_pairs]
        made.append(view)
        row, pair = row + part.n_users + 1, pair + part.n_pairs
    return made


def _mapped(path: Path, dtype: Any, length: int) -> NDArray[Any]:
    if not path.is_file():
        raise InputError(f"{path.parent} is no complete store of interactions: {path.name} is missing.")
    expected = HEADER_BYTES + length * np.dtype(dtype).itemsize
    if path.stat().st_size != expected:
        raise InputError(f"{path}: {path.stat().st_size} bytes where {expected} were written: cut off or altered.")
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise InputError(f"{path} is no .npy file any more ({error}).") from error
    if mapped.dtype != dtype or mapped.shape != (length,):
        raise InputError(f"{path} holds {mapped.shape} {mapped.dtype} where ({length},) {np.dtype(dtype)} is expected.")
    return np.asarray(mapped)
