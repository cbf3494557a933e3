"""Many Parquet files as one table: the same columns in every one, and which of them is damaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from simgauge.errors import InputError
from simgauge.read.sources.duckdb_readers import parquet_relation
from simgauge.read.sources.table_source import Source, sql_list


def check_schemas(paths: Sequence[Path], columns: Sequence[str]) -> int:
    """Refuse files whose columns have other types than those of the first; returns the number of rows, by the footers.

    Raises
    ------
    InputError
        A file lacks a column or holds another type there (it is named), or its footer is damaged.
    """
    rows, first = 0, pa.schema([])
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                schema, count = file.schema_arrow, file.metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path.name} is a damaged Parquet file ({error!s:.200}): copy it again.") from error
        rows += count
        if path == paths[0]:
            first = schema
        for name in columns:
            wanted = first.field(name).type
            if name not in schema.names:
                raise InputError(
                    f"{path.name} has no column {name!r}, which {paths[0].name} has; its columns: "
                    f"{', '.join(schema.names[:20])}. Files that are read together must have one schema."
                )
            found = schema.field(name).type
            if found != wanted:
                raise InputError(
                    f"{path.name} holds {found} in column {name!r}, {paths[0].name} holds {wanted}. Files that are "
                    f"read "
                    "together must have one schema: write one of them again, or read them apart."
                )
    return rows


def first_damaged(source: Source) -> InputError | None:
    """First file of a Parquet source that cannot be read, found by reading them one by one; None when all can."""
    import duckdb

    for path in source.files:
        relation = parquet_relation(sql_list([path]))
        try:
            with duckdb.connect() as connection:  # that of the source is closed by now
                connection.execute(f"SELECT bit_xor(hash(t)) FROM {relation} AS t").fetchall()
        except duckdb.Error as error:
            return InputError(
                f"{path.name} is a damaged Parquet file ({str(error).splitlines()[0][:200]}): copy it again."
            )
    return None
