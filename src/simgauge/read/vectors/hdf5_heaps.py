"""Heaps of an HDF5 file, which hold its texts: libhdf5 reads a damaged one for ever, so they are checked first."""

from __future__ import annotations

import mmap
from pathlib import Path

SIGNATURE = b"GCOL\x01"
"""Of a collection of the global heap, with its version."""


def has_endless_heap(path: Path, size_bytes: int = 8) -> bool:
    """Whether a collection of the global heap has an entry that leads to no next one within the collection.

    The whole file is searched: addresses of collections lie all over it, and opening a virtual dataset reads one. What
    is taken for a collection has the signature and a length that ends within the file.

    Parameters
    ----------
    size_bytes : int
        Bytes of a length in this file.
    """
    head = (8 + size_bytes + 7) // 8 * 8  # of a collection, and of an entry
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = data.find(SIGNATURE)
        while place >= 0:
            length = int.from_bytes(data[place + 8 : place + 8 + size_bytes], "little")
            if head <= length <= len(data) - place and not _ends(data[place : place + length], head, size_bytes):
                return True
            place = data.find(SIGNATURE, place + 1)
    return False


def _ends(collection: bytes, head: int, size_bytes: int) -> bool:
    """Whether every entry lies within the collection and takes at least its own head."""
    place = head
    while place + head <= len(collection):
        size = int.from_bytes(collection[place + 8 : place + 8 + size_bytes], "little")
        is_free = collection[place : place + 2] == b"\0\0"  # the room that is left; its size counts its head
        step = size if is_free else head + (size + 7) // 8 * 8
        if not head <= step <= len(collection) - place:
            return False
        place += step
    return True
