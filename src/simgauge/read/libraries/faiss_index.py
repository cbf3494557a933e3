"""FAISS indexes, in memory or in a file: the stored vectors, their ids and the metric; nothing is known of training."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.libraries.found_tables import FoundTables, described

METRICS = {0: "inner product", 1: "squared L2"}
HASHTABLE = 2
"""faiss.DirectMap.Hashtable: look an id up, whatever the ids are."""
LOSSLESS = ("IndexFlat", "IndexFlatIP", "IndexFlatL2", "IndexIVFFlat", "IndexHNSWFlat")


def from_faiss(index: Any) -> FoundTables:
    """The vectors of an index by `reconstruct_n`, one table; ids where the index keeps its own."""
    import faiss

    if not hasattr(index, "metric_type") or not isinstance(index, faiss.Index):
        raise InputError(f"FAISS {type(index).__name__} holds no vectors of numbers. Pass a float index or arrays.")
    found = faiss.downcast_index(index)  # it does not own the index, which must live as long
    if found.ntotal == 0:
        raise InputError(f"the FAISS {type(found).__name__} is empty (ntotal is 0): add vectors first.")
    try:
        vectors, ids, inner = _stored(found)
    except RuntimeError as error:
        raise InputError(
            f"FAISS {type(found).__name__} cannot give its vectors back ({str(error).splitlines()[-1][:120]}). Pass "
            f"the "
            "vectors that were added to it."
        ) from error
    kind = type(inner).__name__
    return FoundTables(
        vectors,
        item_ids=ids,
        provenance={
            **described(found, objective="unknown", convention="vectors as stored; queries are not in an index"),
            "class": f"faiss.{type(found).__name__}",
            "stored_in": kind,
            "lossless": kind in LOSSLESS,
            "metric": METRICS.get(found.metric_type, f"METRIC {found.metric_type}"),
            "items_from": "reconstruct_n",
            "users_from": "none",
        },
    )


def is_faiss_file(path: Path) -> bool:
    """Whether the first four bytes are those FAISS gives an index: I, a letter for its family, two for its kind."""
    with path.open("rb") as file:
        head = file.read(4)
    return len(head) == 4 and head[:1] == b"I" and head[1:2] in b"xwHNBLVS" and head.isalnum()


def from_faiss_file(path: Path) -> FoundTables:
    """The vectors of an index that `faiss.write_index` wrote; see `read_index`."""
    return from_faiss(read_index(path))


def read_index(path: Path) -> Any:
    """The index that `faiss.write_index` wrote: sizes in it are not believed, and no other file is opened.

    Raises
    ------
    InputError
        Empty, damaged, cut off, of a newer version, or with lists in another file, which FAISS would open for writing.
    """
    import faiss

    if not path.stat().st_size:
        raise InputError(f"{path.name} is empty (0 bytes).")
    if _lists_elsewhere(path):
        raise InputError(
            f"{path.name} keeps its lists in another file (OnDiskInvertedLists): refused, because FAISS opens that "
            "file for writing, wherever it is. Where it was made: faiss.extract_index_ivf(index).replace_invlists(…) "
            "with lists in memory, then write it again; or pass the vectors."
        )
    before, loops = faiss.get_deserialization_vector_byte_limit(), faiss.get_deserialization_loop_limit()
    try:
        # FAISS takes the sizes in a file on trust; none can be larger than the file (it compares with a quarter)
        faiss.set_deserialization_vector_byte_limit(5 * path.stat().st_size + 4096)
        faiss.set_deserialization_loop_limit(path.stat().st_size)  # nor can there be more lists than bytes
        return faiss.read_index(str(path))
    except RuntimeError as error:
        raise InputError(
            f"{path.name} cannot be read by FAISS {faiss.__version__}: it is no index of floats, damaged, cut off, or "
            "of a newer version. Write it again, or pass the vectors."
        ) from error
    finally:
        faiss.set_deserialization_vector_byte_limit(before)
        faiss.set_deserialization_loop_limit(loops)


def _lists_elsewhere(path: Path) -> bool:
    """Whether the file holds the mark of lists on disk, followed by three numbers of which the first and third
    agree."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = data.find(b"ilod")
        while place >= 0:
            lists, _, described = np.frombuffer(data[place + 4 : place + 28].ljust(24, b"\0"), "<u8")
            if lists == described != 0:
                return True
            place = data.find(b"ilod", place + 1)
    return False


def _stored(index: Any) -> tuple[NDArray[np.float32], NDArray[np.int64] | None, Any]:
    """Vectors, ids where they are not 0, 1, 2, …, and the index that holds the vectors."""
    import faiss

    if hasattr(index, "id_map"):
        vectors, _, inner = _stored(faiss.downcast_index(index.index))
        return vectors, faiss.vector_to_array(index.id_map), inner
    if not hasattr(index, "invlists"):
        return index.reconstruct_n(0, index.ntotal), None, index
    ids = _listed_ids(index)
    if np.array_equal(ids, np.arange(index.ntotal)):
        return index.reconstruct_n(0, index.ntotal), None, index
    before = index.direct_map.type
    try:
        index.set_direct_map_type(HASHTABLE)
        return index.reconstruct_batch(ids), ids, index
    finally:
        index.set_direct_map_type(before)


def _listed_ids(index: Any) -> NDArray[np.int64]:
    """Ids in all inverted lists, sorted."""
    import faiss

    lists = index.invlists
    parts = []
    for number in range(index.nlist):
        size = lists.list_size(number)
        if size:
            pointer = lists.get_ids(number)
            parts.append(faiss.rev_swig_ptr(pointer, size).copy())
            lists.release_ids(number, pointer)
    return np.sort(np.concatenate(parts))
