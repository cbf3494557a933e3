"""Interactions from files, databases, data frames and matrices, with a report of what was read and dropped."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.interactions import METADATA_FILE, Interactions
from simgauge.read.events.dst import is_dst, read_dst
from simgauge.read.events.events import ColumnName, Events, choose_columns, collect_events
from simgauge.read.events.merge import keep_frequent, merge_events
from simgauge.read.events.options import check_options
from simgauge.read.sources.files import content_of, expand, is_path
from simgauge.read.sources.names import names_for
from simgauge.read.sources.net import reads_files
from simgauge.read.sources.npz import load_sparse
from simgauge.read.sources.open_source import open_source
from simgauge.read.sources.table_source import Source
from simgauge.read.store.stored_interactions import METADATA_FILE as STORE_METADATA_FILE
from simgauge.read.store.stored_interactions import StoredInteractions


@reads_files
def read_interactions(
    source: Any,
    user: ColumnName | None = None,
    item: ColumnName | None = None,
    weight: ColumnName | None = None,
    *,
    query: str | None = None,
    time: ColumnName | None = None,
    names: Any = None,
    min_user_count: int = 1,
    min_item_count: int = 1,
    duplicates: str = "sum",
    id_type: str = "auto",
    delimiter: str | None = None,
    has_header: bool | None = None,
    encoding: str | None = None,
    on_bad_row: str = "error",
) -> Interactions:
    """Read who used what, from a file, a database, a data frame or a matrix.

    Parameters
    ----------
    source : path, glob, list of paths, database address, frame, sparse matrix or array
        CSV, TSV and other delimited text (also gzip-compressed), JSON lines, Parquet, a directory of such parts;
        a DuckDB or SQLite file or ``postgresql://`` address with `query`; a scipy sparse ``.npz``; a DST file; a
        directory written by `Interactions.save` or `store_interactions`; a pandas, polars or Arrow frame; a scipy
        sparse matrix or dense array with users in rows.
    user, item, weight : str or int, optional
        Columns by name, or by position counted from 0. When `user` and `item` are not given, columns with usual
        names (user_id, userId, movieId, product_id, ...) are taken, or in tables of two to four columns without
        header the columns 0, 1 and 2; the report says which. A weight is taken this way only then. Without a
        weight every event counts 1.
    query : str, optional
        SQL in the dialect of the database, which is opened read-only where it is a file.
    time : str or int, optional
        Number or timestamp that decides which event is last under ``duplicates="last"``.
    names : path, "path:column" or mapping, optional
        What people call the items: a mapping id -> name, or a table with an id column and a name column (for a
        table without header the first two).
    min_user_count, min_item_count : int, >= 1
        Users with fewer distinct items and items with fewer distinct users are left out, in turn until both
        bounds hold.
    duplicates : {"sum", "max", "mean", "last", "count", "error"}
        What becomes of several events of one user and item. "count" counts events and ignores weights.
    id_type : {"auto", "text"}
        "auto": integers stay integers, and the ids of untyped text files become integers when every one of them
        is written as a whole number without leading zeros. "text": ids stay text.
    delimiter, has_header, encoding : optional
        Of text tables; looked up in the first lines when not given.
    on_bad_row : {"error", "drop"}
        Lines of a text table that have too few or too many fields, or are not in its encoding.

    Returns
    -------
    Interactions
        Rows and columns in ascending order of the ids, weights float64. ``report`` holds the columns taken, rows
        read, rows and pairs dropped with the reasons.

    Warns
    -----
    DroppedDataWarning
        Rows without a user or item id, and bad rows, were left out. (Pairs of weight zero are left out too, which
        the report tells.)

    Raises
    ------
    InputError
        No such file or column, a damaged file, NaN, infinite, negative or missing weights, integer ids beyond 64
        bits, or nothing left.
    ParameterError
        An option outside its accepted values.

    Numerics
    --------
    One pass over the source in Arrow batches. Per event 8 bytes of row numbers, 8 of weight and, while merging,
    about 40 more; ids cost only their distinct values. Sums run in the order of the file: two reads give the same bits.

    Examples
    --------
    >>> import pyarrow as pa
    >>> events = pa.table({"user": ["ann", "ann", "bob"], "item": ["tea", "tea", "milk"]})
    >>> seen = read_interactions(events)
    >>> seen.matrix.toarray()
    array([[0., 2.],
           [1., 0.]])
    >>> seen.report["duplicates"]
    {'rule': 'sum', 'events_merged': 1}
    """
    check_options(duplicates, id_type, on_bad_row, min_user_count, min_item_count)
    columns = (user, item, weight, time)
    matrix = _as_matrix(source)
    if isinstance(matrix, Interactions):
        return _finish(matrix, min_user_count, min_item_count, names, columns)
    wanted = [name for name in columns if isinstance(name, str)]
    text = {"delimiter": delimiter, "has_header": has_header, "encoding": encoding, "on_bad_row": on_bad_row}
    with open_source(source, query=query, wanted=wanted, **text) as opened:  # type: ignore[arg-type]
        roles = choose_columns(opened, *columns)
        events = collect_events(opened, roles, id_type)
        rejected = opened.count_rejects()
    found = _merged(opened, roles, events, rejected, duplicates)
    dropped = found.report["rows_dropped"]
    if any(dropped.values()):
        listed = ", ".join(f"{count} ({reason})" for reason, count in dropped.items() if count)
        warnings.warn(f"{opened.label}: rows left out: {listed}.", DroppedDataWarning, stacklevel=2)
    return _finish(found, min_user_count, min_item_count, names, (None,) * 4)


def _merged(opened: Source, roles: Mapping[str, int], events: Events, rejected: int, duplicates: str) -> Interactions:
    """One weight per pair; users and items without a pair of positive weight are no rows and columns."""
    shape = (len(events.user_ids), len(events.item_ids))
    pairs, merged = merge_events(events.users, events.items, events.weights, shape, duplicates, events.times)
    report = {
        "source": opened.label,
        "format": opened.format,
        "columns": {role: opened.columns[position].name for role, position in roles.items()},
        "rows_read": events.rows_read + rejected,
        "rows_dropped": {**events.dropped, **({"bad row": rejected} if rejected else {})},
        "duplicates": {"rule": duplicates, "events_merged": merged},
        "pairs_of_weight_zero_dropped": int((pairs.data == 0).sum()),
        "notes": opened.notes,
    }
    pairs.eliminate_zeros()
    if pairs.nnz == 0:
        raise InputError(f"{opened.label}: every weight is zero, so nothing is left.")
    return _subset(pairs, *keep_frequent(pairs, 1, 1)[:2], events.user_ids, events.item_ids, None, report)


def _as_matrix(source: Any) -> Interactions | None:
    """Sources that are matrices already: sparse, dense, ``.npz``, a DST file, a saved directory."""
    if isinstance(source, Interactions):
        return source
    if sparse.issparse(source) or isinstance(source, np.ndarray):
        return Interactions.from_matrix(source)
    if not is_path(source) or isinstance(source, (list, tuple)) or "://" in str(source):
        return None
    paths = expand(source)
    if any(path.name == METADATA_FILE for path in paths):
        return Interactions.load(source)
    if any(path.name == STORE_METADATA_FILE for path in paths):
        return StoredInteractions.load(source).in_memory()
    if len(paths) == 1 and is_dst(paths[0]):
        return read_dst(paths[0])
    if len(paths) == 1 and content_of(paths[0]) == "zip":
        report = {"source": paths[0].name, "format": "scipy sparse npz"}
        return Interactions(load_sparse(paths[0]), report=report)
    return None


def _subset(
    pairs: sparse.csr_array,
    users: NDArray[np.bool_],
    items: NDArray[np.bool_],
    user_ids: NDArray[Any],
    item_ids: NDArray[Any],
    item_names: NDArray[Any] | None,
    report: Mapping[str, Any],
) -> Interactions:
    if not (users.all() and items.all()):
        pairs = pairs[np.flatnonzero(users)][:, np.flatnonzero(items)]
        user_ids, item_ids = user_ids[users], item_ids[items]
        item_names = None if item_names is None else item_names[items]
    return Interactions(pairs, user_ids, item_ids, item_names, report)


def _finish(
    found: Interactions, min_user_count: int, min_item_count: int, names: Any, columns: Sequence[ColumnName | None]
) -> Interactions:
    """Minimum counts and names, which matrices and tables share."""
    if any(column is not None for column in columns):
        raise ParameterError("user=, item=, weight= and time= name columns of a table; this source is a matrix.")
    report = dict(found.report)
    if min_user_count > 1 or min_item_count > 1:
        users, items, rounds = keep_frequent(found.matrix, min_user_count, min_item_count)
        report["minimum_counts"] = {
            "min_user_count": int(min_user_count),
            "min_item_count": int(min_item_count),
            "rounds": rounds,
            "users_dropped": int((~users).sum()),
            "items_dropped": int((~items).sum()),
        }
        if not users.any():
            raise InputError(
                f"nothing is left of {found!r} with min_user_count={min_user_count} and "
                f"min_item_count={min_item_count} (applied in turn until both hold). Lower them."
            )
        given = (found.item_ids_given, found.user_ids_given)
        kept = _subset(found.matrix, users, items, found.user_ids, found.item_ids, found.item_names, report)
        found = replace(kept, item_ids_given=given[0], user_ids_given=given[1])
    if names is None:
        return found
    item_names, report["names"] = names_for(found.item_ids, names)
    return replace(found, item_names=item_names, report=report)
