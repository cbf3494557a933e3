"""Embeddings from files, frames and arrays: one or two tables of vectors with their ids and names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.labels import POSITIONS, says_positions
from simgauge.read.libraries import embedding_of
from simgauge.read.libraries.model_paths import path_adapter
from simgauge.read.libraries.torch_tables import is_torch_file
from simgauge.read.sources.files import is_path
from simgauge.read.sources.names import names_for, read_labels, read_names, split_columns
from simgauge.read.sources.net import reads_files
from simgauge.read.vectors.fitting_labels import check_labels
from simgauge.read.vectors.reading import ROW_NUMBERS, Reading, reading_line
from simgauge.read.vectors.vector_files import read_vectors
from simgauge.read.vectors.vector_table import Options, VectorTable, origin_of
from simgauge.storage.embedding_directory import METADATA_FILE

MODEL_SUFFIXES = (".parquet", ".safetensors")
"""Files with the vectors in a model's folder."""


@reads_files
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
    decimal: str | None = None,
) -> Embedding:
    """Read vectors, whatever wrote them, with their ids and names.

    What was understood is in ``provenance["sources"]``: rows, components, from which columns or keys, ids, names,
    type of the numbers, and what was left out. Where a source can be read in more than one way, the error names the
    ways and what to pass.

    Parameters
    ----------
    items, users : path, "path:columns", glob, list of paths, frame, array, tensor, sparse matrix or mapping label ->
    vector
        npy (memory-mapped), npz, safetensors and HDF5 (the only table, or the one named after the colon; a file that
        holds both ``item...`` and ``user...`` gives both sides), Parquet, Feather and Arrow, CSV, TSV, JSON and JSON
        lines (a column of lists, or one column per dimension), word2vec and GloVe text, word2vec binary, fvecs and
        fbin, any of these as .gz, .bz2, .xz or .zst, pandas, polars and Arrow frames, a table of SQLite or DuckDB
        ("file.db:table"), a Lance table, or a directory written by `Embedding.save`. Models are read with their
        conventions (see `simgauge.read.libraries.from_library`): a Spark ALS folder, what `implicit` saved, a FAISS,
        hnswlib or usearch index, a torch checkpoint (weights only), a static sentence-transformers folder. Files are
        known by their content; a name that says otherwise is an error.
        After a colon: a tensor, or the columns of the vectors, which are a column of lists ("x.parquet:emb"), the
        beginning of the names of numbered columns ("x.csv:v" for v0, v1, …), a range ("x.csv:a..h"), or several of
        these with commas between them. A table of the same file name without the colon is read whole.
    ids, user_ids : column, path, "path:column", "positions" or sequence, optional
        A column of the table itself, a file of labels in row order (text with one a line, or a column of a table), or
        the labels. "positions" says that there are none: rows are numbered from 0. When not given, ids are looked for
        by their usual names, by names that end in "id", in the index of a frame, in the first column of text, and in a
        first column of distinct whole numbers; row numbers where there are none.
    names : column, path, "path:column", mapping or sequence, optional
        What people call the items: as for `ids`; a table with ids and names is joined by id where the ids are known.
    on_bad_row : {"error", "drop"}
        Rows of tables and word vectors that are no row or lack a number, and files of word vectors that were cut off:
        "drop" takes what is whole and notes the rest in the provenance.
    delimiter, has_header, encoding, decimal : optional
        Of text tables; the first three are looked up in the first lines when not given. `decimal` is the sign before
        the fraction, a point unless given.

    Returns
    -------
    Embedding
        float32 or float64 as stored. ``provenance["sources"]`` keeps file names, sizes, SHA-256, formats and what was
        understood (see `simgauge.read.vectors.reading.Reading`).

    Raises
    ------
    InputError
        A file that is missing, empty, cut off, pickled, or not what its name says; NaN or infinite values; labels that
        are duplicated or do not match the rows; sides with different numbers of columns; a table that can be read in
        more than one way.

    Numerics
    --------
    npy and safetensors stay on disk until they are used (one pass checks that they are finite, and column-major files
    are copied); tables are read in batches and need about twice their own size at the end.

    Examples
    --------
    >>> import pyarrow as pa
    >>> found = read_embedding(pa.table({"word": ["tea", "milk"], "v0": [1.0, 0.5], "v1": [0.0, 2.0]}))
    >>> found.item_ids
    array(['tea', 'milk'], dtype=object)
    >>> found.provenance["sources"]["items"]["vectors"], found.provenance["sources"]["items"]["ids"]
    ('columns v0, v1', 'column word')
    """
    if on_bad_row not in ("error", "drop"):
        raise ParameterError(f"on_bad_row={on_bad_row!r}: expected 'error' or 'drop'.")
    if decimal not in (None, ".", ","):
        raise ParameterError(f"decimal={decimal!r}: expected '.' or ','.")
    saved = _saved(items)
    if saved is None and (users is None or _is_directory(items)):
        saved = _model(items)
    if saved is not None:
        return _relabelled(saved, users, ids, names, user_ids)
    text = {
        "delimiter": delimiter,
        "has_header": has_header,
        "encoding": encoding,
        "on_bad_row": on_bad_row,
        "decimal": decimal,
    }
    item_table = read_vectors(items, Options("item", _column_of(ids), _column_of(names), users is None, text))
    user_table = item_table.other_side
    if users is not None:
        user_table = read_vectors(users, Options("user", _column_of(user_ids), None, False, text))
    if user_table is None and user_ids is not None:
        raise InputError("user_ids were given and no users' table was found: pass users= too.")
    item_ids = _labels(ids, item_table, "ids")
    user_labels = None if user_table is None else _labels(user_ids, user_table, "user_ids")
    check_labels(ids, item_ids, item_table, user_table, "ids")
    if user_table is not None:
        check_labels(user_ids, user_labels, user_table, item_table, "user_ids")
    item_names = _names(names, item_ids, item_table)
    check_labels(names, item_names, item_table, user_table, "names")
    sources = {"items": item_table.origin} | ({} if user_table is None else {"users": user_table.origin})
    with _named_files(sources):
        return Embedding(
            items=item_table.vectors,
            users=None if user_table is None else user_table.vectors,
            item_ids=item_ids,
            user_ids=user_labels,
            item_names=item_names,
            provenance={"sources": sources},
        )


@contextmanager
def _named_files(sources: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """What is wrong with a table is said with the file that it came from."""
    try:
        yield
    except InputError as error:
        subject, colon, rest = str(error).partition(":")
        source = sources.get({"item_ids": "items", "user_ids": "users"}.get(subject, subject), {})
        own = not subject.endswith("_ids") or str(source.get("ids", "")).startswith(("column", "the words"))
        if not (colon and own and source.get("file")):
            raise
        raise InputError(f"{subject} ({source['file']}):{rest}") from error


def what_was_read(embedding: Embedding, items: Any) -> list[str]:
    """One sentence for each table of an embedding that `read_embedding` read from `items`: what was understood of it.

    Examples
    --------
    >>> what_was_read(read_embedding({"tea": [1.0, 0.5], "milk": [0.0, 2.0]}), None)
    ['items: 2 rows x 2 components (float64) from the values of the mapping; ids from its keys.']
    """
    sources = embedding.provenance.get("sources", {})
    if _is_saved(items):
        sides = {
            "items": (embedding.items, embedding.item_ids_given),
            "users": (embedding.users, embedding.user_ids_given),
        }
        sources = {
            side: {**_read_of(table, "the saved embedding", "it", given), "saved_in": Path(items).name}
            for side, (table, given) in sides.items()
            if table is not None
        }
    return [reading_line(side, source) for side, source in sources.items()]


def _saved(items: Any) -> Embedding | None:
    if _is_saved(items):
        return Embedding.load(items)
    return items if isinstance(items, Embedding) else None


def _is_saved(items: Any) -> bool:
    return is_path(items) and not isinstance(items, (list, tuple)) and (Path(items) / METADATA_FILE).is_file()


def _is_directory(items: Any) -> bool:
    return is_path(items) and not isinstance(items, (list, tuple)) and Path(items).is_dir()


def _model(items: Any) -> Embedding | None:
    """The embedding of a path that is a model of a library; None for tables, checkpoints of torch among them."""
    adapter = path_adapter(items)
    if adapter is None or is_torch_file(adapter[1]):
        return None
    read, path = adapter
    embedding = embedding_of(read(path))
    files = [path] if path.is_file() else sorted(part for part in path.rglob("*") if part.suffix in MODEL_SUFFIXES)
    origin = origin_of(files, f"{embedding.provenance['library']} model")
    found = {
        side: origin | _read_of(table, str(embedding.provenance.get(f"{side}_from", "the model")), "the model", given)
        for side, table, given in (
            ("items", embedding.items, embedding.item_ids_given),
            ("users", embedding.users, embedding.user_ids_given),
        )
        if table is not None
    }
    return embedding.with_tables(embedding.items, embedding.users, sources=found)


def _read_of(table: Any, where: str, place: str, ids_given: bool) -> dict[str, Any]:
    """The record of a table of a model or of a saved embedding."""
    dtype = str(table.dtype).removeprefix("torch.")
    return Reading(len(table), table.shape[1], dtype, where, place if ids_given else ROW_NUMBERS).to_dict()


def _relabelled(saved: Embedding, users: Any, ids: Any, names: Any, user_ids: Any) -> Embedding:
    if users is not None:
        raise InputError("items is a saved embedding or a model's folder, which is read whole: leave users out.")
    if ids is None and names is None and user_ids is None:
        return saved
    item_table = VectorTable(saved.items, saved.item_ids, saved.item_names)
    user_table = None if saved.users is None else VectorTable(saved.users, saved.user_ids)
    if user_table is None and user_ids is not None:
        raise InputError("user_ids were given and the embedding has no users: leave user_ids out.")
    item_ids = _labels(ids, item_table, "ids")
    check_labels(ids, item_ids, item_table, user_table, "ids")
    user_labels = None if user_table is None else _labels(user_ids, user_table, "user_ids")
    if user_table is not None:
        check_labels(user_ids, user_labels, user_table, item_table, "user_ids")
    return Embedding(
        items=saved.items,
        users=saved.users,
        item_ids=item_ids,
        user_ids=user_labels,
        item_names=_names(names, item_ids, item_table),
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
    """Whether this is FILE, FILE:COLUMN or FILE:ID:NAME."""
    left = str(labels).rpartition(":")[0]
    return any(part and Path(part).is_file() for part in (str(labels), left, left.rpartition(":")[0]))


def _labels(given: Any, table: VectorTable, role: str) -> Any:
    if given is None:
        return table.ids
    if says_positions(given):
        table.origin["ids"] = f"{ROW_NUMBERS}, as asked"
        return POSITIONS
    if isinstance(given, (str, Path)) and _is_file(given):
        table.origin["ids"] = f"file {_file_name(given)}"
        return read_labels(given, role="ids")
    if _column_of(given) is not None or isinstance(given, Path):
        if not table.has_columns or isinstance(given, Path):
            raise InputError(
                f"{role}={str(given)!r} is no file, and the vectors have no columns beside them. Pass a file of "
                "labels, file:column, or the labels themselves; 'positions' says that there are none."
            )
        return table.ids
    table.origin["ids"] = "the labels given"
    return given


def _names(given: Any, ids: Any, table: VectorTable) -> Any:
    if given is None:
        return table.names
    if says_positions(ids):
        ids = np.arange(len(table.vectors))
    if isinstance(given, (str, Path)) and _is_file(given):
        table.origin["names"] = f"file {_file_name(given)}"
        return _names_of_file(given, ids, len(table.vectors))
    if _column_of(given) is not None or isinstance(given, Path):
        if table.names is None or isinstance(given, Path):
            raise InputError(f"names={str(given)!r} is neither a file nor a column of the table of vectors.")
        return table.names
    table.origin["names"] = "the names given"
    if isinstance(given, dict):
        known = np.arange(len(table.vectors)) if ids is None else np.asarray(ids)
        return names_for(known, given)[0]
    return given


def _names_of_file(given: str | Path, ids: Any, n_rows: int) -> Any:
    """Names by id where the file has ids, in the order of the rows where it has none or a column is named."""
    path, columns = split_columns(given)
    if len(columns) == 1 or (not columns and path.suffix.lower() in (".txt", ".npy")):
        return read_labels(given, role="names")
    known = np.arange(n_rows) if ids is None else np.asarray(ids)
    if ids is not None or len(columns) == 2:
        return names_for(known, read_names(given))[0]
    try:
        by_id = read_names(given)
    except InputError:  # one column: names in the order of the rows
        return read_labels(given, role="names")
    if list(by_id) != list(range(n_rows)):
        first = next(iter(by_id), "none")
        raise InputError(
            f"{path.name} names ids (the first is {first!s}), and the rows of the vectors have none. If its lines are "
            f"in "
            f"the order of the rows, pass ids={path.name}:COLUMN too (--ids), or names={path.name}:COLUMN (--names) "
            f"for "
            "the names alone."
        )
    return names_for(known, by_id)[0]


def _file_name(given: str | Path) -> str:
    """The file without the folders above it, with its column."""
    return Path(given).name
