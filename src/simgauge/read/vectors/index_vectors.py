"""Vectors of indexes (FAISS, usearch, hnswlib) and of word2vec's files, with their ids and what was understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.labels import says_positions
from simgauge.read.libraries.faiss_index import from_faiss_file, is_faiss_file
from simgauge.read.vectors.ann_files import is_hnswlib_file, is_usearch_file, read_hnswlib, read_usearch
from simgauge.read.vectors.reading import ROW_NUMBERS
from simgauge.read.vectors.vector_table import Options, VectorTable, unit_notes, vector_table
from simgauge.read.vectors.word2vec import read_word2vec_binary, read_word2vec_text

ROWS_OF_SAMPLE, FEWEST_ROWS = 1000, 5
"""Rows that show what the numbers are, and how many it takes for that to be no accident."""


def index_vectors(path: Path, content: str, origin: dict[str, Any]) -> VectorTable | None:
    """The vectors of an index of FAISS, usearch or hnswlib; None where the file is something else."""
    if content != "binary":
        return None
    if is_faiss_file(path):
        found = from_faiss_file(path)
        from_ids = ROW_NUMBERS if found.item_ids is None else "the index"
        about = origin | {"format": "FAISS index"} | found.provenance
        return vector_table(found.items, about, "the index", ids=found.item_ids, ids_from=from_ids)
    if is_usearch_file(path):
        vectors, keys, stored = read_usearch(path)
        return vector_table(
            vectors, origin | {"format": "usearch index"}, "the index", ids=keys, ids_from="its keys", dtype=stored
        )
    if is_hnswlib_file(path):
        vectors, labels, deleted = read_hnswlib(path)
        left = (f"{deleted} deleted elements",) if deleted else ()
        return vector_table(
            vectors,
            origin | {"format": "hnswlib index"},
            "the index",
            ids=labels,
            ids_from="its labels",
            left_out=left,
            notes=unit_notes(vectors),
        )
    return None


def word_vectors(path: Path, form: str, options: Options, origin: dict[str, Any]) -> VectorTable:
    """Words and vectors of a file in word2vec's formats; `form` is "text" or "binary"."""
    read = read_word2vec_text if form == "text" else read_word2vec_binary
    words = read(path, options.on_bad_row)
    if form == "text":
        _refuse_counts(path, words.vectors)
    origin |= {"format": f"word2vec {form}"}
    ids = None if says_positions(options.ids) else words.words
    return vector_table(
        words.vectors,
        origin,
        "the numbers of each line" if form == "text" else "the file",
        ids=ids,
        ids_from=ROW_NUMBERS if ids is None else "the words",
        dtype="text" if form == "text" else "float32",
        notes=words.notes,
    )


def _refuse_counts(path: Path, vectors: NDArray[np.float32]) -> None:
    """Refuse lines of a word, a count and its vector: whole numbers that vary, before numbers with fractions.

    Raises
    ------
    InputError
        With what to pass for the vectors alone, and for all numbers.
    """
    first = vectors[:ROWS_OF_SAMPLE]
    whole = (first == np.floor(first)).all(axis=0)
    if len(first) >= FEWEST_ROWS and whole[0] and not whole[1:].any() and len(whole) > 2 and np.ptp(first[:, 0]) > 0:
        last = vectors.shape[1]
        raise InputError(
            f"{path.name}: the first number after each word is whole and the others have fractions: a count? For the "
            f"vectors alone pass {path.name}:2..{last}, with the count as a component {path.name}:1..{last}."
        )
