"""Embeddings from files, frames and arrays: one or two tables of vectors with their ids and names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.labels import POSITIONS, says_positions
from simgauge.read.libraries import embedding_of
from simgauge.read.libraries.model_paths import path_adapter
from simgauge.read.sources.files import is_path
from simgauge.read.sources.names import names_for, read_labels, read_names, split_column
from simgauge.read.vectors.vector_files import Options, VectorTable, origin_of, read_vectors
from simgauge.storage.embedding_directory import METADATA_FILE

MODEL_SUFFIXES = (".parquet", ".safetensors")
"""Files with the vectors in a model's folder."""


def read_embedding(
    items: Any,
    users: Any = None,
    ids: Any = None,
    names: Any = None,
    *,
    user_ids: Any = None,
    on_bad_row: str = "error",
    delimiter: str | None = None,
    has_header: bool | None = None,
    encoding: str | None = None,
) -> Embedding:
    """Read vectors, whatever wrote them, with their ids and names.

    Parameters
    ----------
    items, users : path, "path:key", glob, list of paths, frame or array of shape (n, n_components)
        npy (memory-mapped), npz and safetensors (the only table, or the one named after the colon; a file that holds
        both ``item...`` and ``user...`` gives both sides), Parquet, CSV, TSV and JSON lines (a column of lists, or
        one column per dimension), word2vec and GloVe text, word2vec binary, pandas, polars and Arrow frames, or a
        directory written by `Embedding.save`. Models are read with their conventions (see
        `simgauge.read.libraries.from_library`): a Spark ALS folder, what `implicit` saved, a FAISS index, a torch
        checkpoint (weights only; "path:name" chooses a tensor), a static sentence-transformers folder. Files are known by their content; a name that says otherwise is an error.
    ids, user_ids : column, path, "path:column", sequence or "positions", optional
        A column of the table itself, a file of labels in row order (text with one a line, or a column of a table), or
        the labels. Found by usual names when not given; row numbers where there are none. "positions" says that row
        numbers are meant.
    names : column, path, "path:column", mapping or sequence, optional
        What people call the items: as for `ids`; a table with ids and names is joined by id where the ids are known.
    on_bad_row : {"error", "drop"}
        Lines of text tables and word vectors that are no row, and files of word vectors that were cut off: "drop"
        takes what is whole and notes the rest in the provenance.
    delimiter, has_header, encoding : optional
        Of text tables; looked up in the first lines when not given.

    Returns
    -------
    Embedding
        float32 or float64 as stored. ``provenance["sources"]`` keeps file names, sizes, SHA-256 and formats.

    Raises
    ------
    InputError
        A file that is missing, empty, cut off, pickled, or not what its name says; NaN or infinite values; labels that
        are duplicated or do not match the rows; sides with different numbers of columns.

    Numerics
    --------
    npy and safetensors stay on disk until they are used (one pass checks that they are finite, and column-major files
    are copied); tables are read in batches and need about twice their own size at the end.

    Examples
    --------
    >>> import pyarrow as pa
    >>> read_embedding(pa.table({"word": ["tea", "milk"], "v0": [1.0, 0.5], "v1": [0.0, 2.0]})).item_ids
    array(['tea', 'milk'], dtype=object)
    """
    if on_bad_row not in ("error", "drop"):
        raise ParameterError(f"on_bad_row={on_bad_row!r}: expected 'error' or 'drop'.")
    saved = _saved(items)
    if saved is None and (users is None or _is_directory(items)):
        saved = _model(items)
    if saved is not None:
        return _relabelled(saved, users, ids, names, user_ids)
    text = {"delimiter": delimiter, "has_header": has_header, "encoding": encoding, "on_bad_row": on_bad_row}
    item_options = Options("item", _column_of(ids), _column_of(names), users is None, text)
    item_table = read_vectors(items, item_options)
    user_table = item_table.other_side
    if users is not None:
        user_table = read_vectors(users, Options("user", _column_of(user_ids), None, False, text))
    if user_table is None and user_ids is not None:
        raise InputError("user_ids were given and no users' table was found: pass users= too.")
    item_ids = _labels(ids, item_table, "ids")
    return Embedding(
        items=item_table.vectors,
        users=None if user_table is None else user_table.vectors,
        item_ids=item_ids,
        user_ids=None if user_table is None else _labels(user_ids, user_table, "user_ids"),
        item_names=_names(names, item_ids, item_table),
        provenance={"sources": {"items": item_table.origin, **({"users": user_table.origin} if user_table else {})}},
    )


def _saved(items: Any) -> Embedding | None:
    if is_path(items) and not isinstance(items, (list, tuple)) and (Path(items) / METADATA_FILE).is_file():
        return Embedding.load(items)
    return items if isinstance(items, Embedding) else None


def _is_directory(items: Any) -> bool:
    return is_path(items) and not isinstance(items, (list, tuple)) and Path(items).is_dir()


def _model(items: Any) -> Embedding | None:
    """The embedding of a path that is a model of a library; None for tables."""
    adapter = path_adapter(items)
    if adapter is None:
        return None
    read, path = adapter
    embedding = embedding_of(read(path))
    files = [path] if path.is_file() else sorted(part for part in path.rglob("*") if part.suffix in MODEL_SUFFIXES)
    origin = origin_of(files, f"{embedding.provenance['library']} model")
    return embedding.with_tables(embedding.items, embedding.users, sources={"items": origin})


def _relabelled(saved: Embedding, users: Any, ids: Any, names: Any, user_ids: Any) -> Embedding:
    if users is not None:
        raise InputError("items is a saved embedding or a model's folder, which is read whole: leave users out.")
    if ids is None and names is None and user_ids is None:
        return saved
    as_table = VectorTable(saved.items, saved.item_ids, saved.item_names)
    item_ids = _labels(ids, as_table, "ids")
    return Embedding(
        items=saved.items,
        users=saved.users,
        item_ids=item_ids,
        user_ids=saved.user_ids if user_ids is None else _labels(user_ids, as_table, "user_ids"),
        item_names=_names(names, item_ids, as_table),
        provenance=saved.provenance,
        item_ids_given=saved.item_ids_given or ids is not None,
        user_ids_given=saved.user_ids_given or user_ids is not None,
    )


def _column_of(labels: Any) -> str | int | None:
    """The column that is meant, where it is one of the table itself and no file and no labels."""
    if isinstance(labels, (int, np.integer)) and not isinstance(labels, bool):
        return int(labels)
    if says_positions(labels):
        return None
    return labels if isinstance(labels, str) and not _is_file(labels) else None


def _is_file(labels: str | Path) -> bool:
    left = str(labels).rpartition(":")[0]
    return Path(labels).is_file() or (bool(left) and Path(left).is_file())


def _labels(given: Any, table: VectorTable, role: str) -> Any:
    if given is None or says_positions(given):
        return table.ids if given is None else POSITIONS
    if isinstance(given, (str, Path)) and _is_file(given):
        return read_labels(given, role="ids")
    if _column_of(given) is not None or isinstance(given, Path):
        if table.origin.get("columns") is None or isinstance(given, Path):
            raise InputError(
                f"{role}={str(given)!r} is no file, and the vectors have no columns beside them. Pass a file of "
                "labels, file:column, or the labels themselves."
            )
        return table.ids
    return given


def _names(given: Any, ids: Any, table: VectorTable) -> Any:
    if given is None:
        return table.names
    if says_positions(ids):
        ids = np.arange(len(table.vectors))
    if isinstance(given, (str, Path)) and _is_file(given):
        path, column = split_column(given)
        by_id = ids is not None and column is None and path.suffix.lower() not in (".txt", ".npy")
        return names_for(np.asarray(ids), read_names(path))[0] if by_id else read_labels(given, role="names")
    if _column_of(given) is not None or isinstance(given, Path):
        if table.names is None or isinstance(given, Path):
            raise InputError(f"names={str(given)!r} is neither a file nor a column of the table of vectors.")
        return table.names
    if isinstance(given, dict):
        known = np.arange(len(table.vectors)) if ids is None else np.asarray(ids)
        return names_for(known, given)[0]
    return given
