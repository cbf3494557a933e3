"""Interactions from files, databases, data frames and matrices, with a report of what was read and dropped."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.interactions import METADATA_FILE, Interactions
from simgauge.read.events.dst import is_dst, read_dst
from simgauge.read.events.events import Events, choose_columns, collect_events, missing_note
from simgauge.read.events.formats import is_matrix_market, read_matrix_market, refuse_foreign
from simgauge.read.events.merge import keep_frequent, merge_events
from simgauge.read.events.options import ColumnName, ReadingOptions, reading_options
from simgauge.read.events.understood import PEEKED_ROWS, sentences
from simgauge.read.events.weights import Spread, parse_like, rule_for, transformed, weight_sentences, with_meaning
from simgauge.read.sources.columns import TIME_NAMES, list_columns, usual_column
from simgauge.read.sources.files import is_path
from simgauge.read.sources.located import Located, locate
from simgauge.read.sources.names import names_for
from simgauge.read.sources.net import reads_files
from simgauge.read.sources.npz import load_sparse
from simgauge.read.sources.open_source import open_source
from simgauge.read.sources.table_source import Source
from simgauge.read.store.stored_interactions import METADATA_FILE as STORE_METADATA_FILE
from simgauge.read.store.stored_interactions import StoredInteractions
from simgauge.wording import counted


@reads_files
def read_interactions(
    source: Any,
    user: ColumnName | None = None,
    item: ColumnName | None = None,
    weight: ColumnName | None = None,
    *,
    options: ReadingOptions | None = None,
    **named: Any,
) -> Interactions:
    """Read who used what, from a file, a database, a data frame or a matrix.

    Parameters
    ----------
    source : path, glob, list of paths, database address, frame, sparse matrix or array
        CSV, TSV and other delimited text (also gzip-compressed), JSON lines, Parquet, a directory of such parts;
        a DuckDB or SQLite file or ``postgresql://`` address with `query`; a scipy sparse ``.npz`` or a Matrix Market
        file; a DST file; a directory written by `Interactions.save` or `store_interactions`; a pandas, polars or Arrow
        frame; a scipy sparse matrix or dense array with users in rows.
    user, item, weight : str or int, optional
        Columns by name, or by position counted from 0; see `ReadingOptions`.
    options : ReadingOptions, optional
        How the table is written, and what its events mean.
    **named
        Options by name, such as ``duplicates="last"``; they take the place of those in `options`.

    Returns
    -------
    Interactions
        Rows and columns in ascending order of the ids, weights float64. ``report`` holds the columns taken, rows
        read, rows and pairs dropped with the reasons, and ``report["understood"]`` says it in sentences: the first row,
        the range of the weights and what they are taken for, and columns that were not used.

    Warns
    -----
    DroppedDataWarning
        Rows without a user or item id, and bad rows, were left out. (Pairs of weight zero are left out too, which
        the report tells.)

    Raises
    ------
    InputError
        No such file or column, a damaged file, NaN, infinite, negative or missing weights, nothing left, or a column
        that nobody named and that could mean something else.
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
    options = with_columns(options, user, item, weight, named)
    matrix = _as_matrix(source)
    located = locate(source) if matrix is None else None
    matrix = _of_file(located) if matrix is None and located is not None else matrix
    if isinstance(matrix, Interactions):
        return _of_matrix(matrix, options)
    table = read_table(source, options, located)
    return _finish(interactions_of(table, table.events), options)


class EventTable(NamedTuple):
    """A table of events as it was read, before repeated events become one."""

    opened: Source
    """Closed; its label, columns and notes remain."""
    roles: Mapping[str, int]
    events: Events
    rejected: int
    options: ReadingOptions
    """With the rule for repeated events that is in force."""
    chosen: bool
    """Whether somebody asked for that rule."""
    said: list[str]
    """What was understood, in sentences."""


def read_table(source: Any, options: ReadingOptions, located: Located | None, *, timed: bool = False) -> EventTable:
    """The events of a table, in one pass; rows that were left out are warned of.

    With `timed`, a column of times is needed: named by the options, or found by a usual name.
    """
    refuse_foreign(located)
    with open_source(source, located=located, **options.opening) as opened:
        if timed and options.time is None:
            options = replace(options, time=_time_column(opened))
        roles = choose_columns(opened, options)
        n_columns, rows = len(opened.columns), opened.peek(PEEKED_ROWS)
        rule = rule_for(options.duplicates, opened, roles, options.like, options.weight_transform)
        meant = with_meaning(opened, roles, options.like, options.weight_transform)
        events = collect_events(opened, meant, options.id_type)
        rejected = opened.count_rejects()
        lost = missing_note(opened, roles) if any(events.dropped.values()) else None
    opened.notes += [lost] if lost else []
    said = sentences(opened, meant, events.first, rows, n_columns)
    dropped = {**events.dropped, **({"bad row": rejected} if rejected else {})}
    if any(dropped.values()):
        listed = ", ".join(f"{count} ({reason})" for reason, count in dropped.items() if count)
        reason = f"; {lost}" if lost else ""
        warnings.warn(f"{opened.label}: rows left out: {listed}{reason}.", DroppedDataWarning, stacklevel=3)
    in_force = replace(options, duplicates=rule)
    return EventTable(opened, meant, events, rejected, in_force, options.duplicates is not None, said)


def _time_column(opened: Source) -> int:
    found = usual_column(TIME_NAMES, opened.names)
    if found is None:
        raise InputError(
            f"{opened.label} has no column called {', '.join(TIME_NAMES[:4])} or the like "
            f"({list_columns(opened.names)}): name the column of the times (--time, time=)."
        )
    return found


def interactions_of(table: EventTable, events: Events) -> Interactions:
    """Pairs of a table's events, or of some of them; without the minimum counts and names of the options."""
    found = _merged(table.opened, table.roles, events, table.rejected, table.options, table.chosen)
    return replace(found, report={**found.report, "understood": [*found.report["understood"], *table.said]})


def with_columns(
    options: ReadingOptions | None,
    user: ColumnName | None,
    item: ColumnName | None,
    weight: ColumnName | None,
    named: Mapping[str, Any],
) -> ReadingOptions:
    """The record with the three columns that are parameters of their own, and with options by name."""
    columns = {"user": user, "item": item, "weight": weight}
    given = {role: name for role, name in columns.items() if name is not None}
    return reading_options(options, {**given, **named})


def _merged(
    opened: Source, roles: Mapping[str, int], events: Events, rejected: int, options: ReadingOptions, chosen: bool
) -> Interactions:
    """One weight per pair; users and items without a pair of positive weight are no rows and columns."""
    shape = (len(events.user_ids), len(events.item_ids))
    rule = str(options.duplicates)
    pairs, merged = merge_events(events.users, events.items, events.weights, shape, rule, events.times)
    said = []
    if events.weights is not None and options.like is None:
        weights = events.weights
        spread = Spread(float(weights.min()), float(weights.max()), float(weights.mean()))
        said = weight_sentences(opened.columns[roles["weight"]].name, spread, merged, rule, chosen)
    elif events.weights is not None:
        liked = int((events.weights > 0).sum())
        said = [f"counted: {counted(liked, 'event')} of {len(events.weights)} with {options.like!r}, each 1"]
    pairs.data = transformed(pairs.data, options.weight_transform)
    report = {
        "source": opened.label,
        "format": opened.format,
        "columns": {role: opened.columns[position].name for role, position in roles.items()},
        "rows_read": events.rows_read + rejected,
        "rows_dropped": {**events.dropped, **({"bad row": rejected} if rejected else {})},
        "duplicates": {"rule": rule, "events_merged": merged},
        "pairs_of_weight_zero_dropped": int((pairs.data == 0).sum()),
        "notes": opened.notes,
        "understood": said,
    }
    report |= {name: getattr(options, name) for name in ("like", "weight_transform") if name in options.changed}
    pairs.eliminate_zeros()
    if pairs.nnz == 0:
        reason = f"no event fulfils like={options.like!r}" if options.like else "every weight is zero"
        raise InputError(f"{opened.label}: {reason}, so nothing is left.")
    return _subset(pairs, *keep_frequent(pairs, 1, 1)[:2], events.user_ids, events.item_ids, None, report)


def _of_matrix(matrix: Interactions, options: ReadingOptions) -> Interactions:
    """Matrices have no columns and no events: only weights, counts and names can be asked for."""
    if any(name is not None for name in options.columns.values()):
        raise ParameterError("user=, item=, weight= and time= name columns of a table; this source is a matrix.")
    weights = matrix.matrix
    if options.like is not None:
        condition = parse_like(options.like)
        if condition.column is not None or condition.sign == "=":
            raise ParameterError(f"like={options.like!r}: of a matrix only its weights can be compared, as in '>=4'.")
        weights = weights.copy()
        compare = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}[condition.sign]
        weights.data = compare(weights.data, float(condition.values[0])).astype(np.float64)
    if options.weight_transform != "none":
        weights = weights.copy()
        weights.data = transformed(weights.data, options.weight_transform)
    if weights is not matrix.matrix:
        weights.eliminate_zeros()
        if weights.nnz == 0:
            raise InputError(f"no weight fulfils like={options.like!r}, so nothing is left.")
        matrix = replace(matrix, matrix=weights)
    return _finish(matrix, options)


def _as_matrix(source: Any) -> Interactions | None:
    """Sources that are matrices already: sparse, dense, a saved directory."""
    if isinstance(source, Interactions):
        return source
    if sparse.issparse(source) or isinstance(source, np.ndarray):
        return Interactions.from_matrix(source)
    if not is_path(source) or isinstance(source, (list, tuple)) or "://" in str(source):
        return None
    if (Path(source) / METADATA_FILE).is_file():
        return Interactions.load(source)
    if (Path(source) / STORE_METADATA_FILE).is_file():
        return StoredInteractions.load(source).in_memory()
    return None


def _of_file(located: Located) -> Interactions | None:
    """Files that hold a matrix: a DST or Matrix Market file, ``.npz``."""
    if not located.single:
        return None
    path = located.paths[0]
    if is_dst(located.head):
        return read_dst(path)
    if is_matrix_market(located.head):
        return read_matrix_market(path)
    if located.content == "zip":
        report = {"source": path.name, "format": "scipy sparse npz"}
        return Interactions(load_sparse(path), report=report)
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


def _finish(found: Interactions, options: ReadingOptions) -> Interactions:
    """Minimum counts and names, which matrices and tables share."""
    min_user_count, min_item_count, names = options.min_user_count, options.min_item_count, options.names
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
