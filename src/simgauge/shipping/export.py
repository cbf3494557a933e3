"""export: the right vectors in a store under the right metric, verified by asking the store."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.labels import positions_of
from simgauge.parameters import Rng, as_generator
from simgauge.progress import Progress, logged
from simgauge.read.as_embedding import as_embedding
from simgauge.remedies.affine import AffineRemedy
from simgauge.remedies.saved_form import fingerprint
from simgauge.remedies.saving import load_remedy
from simgauge.shipping.verification import QUERIES, Answers, Truth, answers
from simgauge.storage.embedding_directory import MAP_FILE
from simgauge.storage.hashing import sha256_of_file
from simgauge.stores.rows import ROWS_PER_BATCH, ExportRows, export_rows
from simgauge.stores.store import Store, StoredVectors, Written
from simgauge.stores.target import Target, open_store, parse_target
from simgauge.tabular import Tabular
from simgauge.wording import counted, some_of

SCHEMA_VERSION = 1


@dataclass(frozen=True, repr=False)
class Exported(Tabular):
    """What was shipped, and what the store says of it."""

    target: str
    table: str | None
    """Table or collection; None for files, which have none."""
    metric: str
    """What the vectors are to be compared with: "cosine" (rows have norm one) or "dot"."""
    n_rows: int
    n_components: int
    left_out: tuple[Any, ...]
    """Ids of zero rows."""
    index: str | None
    recipe: str
    """The query to run, in the store's own language."""
    seconds: float
    """Of writing, the index included."""
    card: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    rows_found: int | None = None
    """By the store's own count, after writing; None where it was not verified."""
    exact: Answers | None = None
    """The store's exact search against ours; None for a file."""
    as_sent: bool | None = None
    """For a file, which answers no queries: whether every row that was read back is the one that was sent."""
    approximate: Answers | None = None
    """Its index against ours."""

    @property
    def verified(self) -> bool:
        """Whether every row is there, and a store's exact search returns the neighbours that it should, or a file
        holds the rows as they were sent."""
        if self.rows_found is None or self.rows_found < self.n_rows or self.as_sent is False:
            return False
        return self.exact is None or self.exact.agreement.value == 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "target": self.target,
            "table": self.table,
            "metric": self.metric,
            "n_rows": self.n_rows,
            "n_components": self.n_components,
            "left_out": [str(label) for label in self.left_out],
            "index": self.index,
            "verified": self.verified,
            "rows_found": self.rows_found,
            "as_sent": self.as_sent,
            "exact": None if self.exact is None else self.exact.to_dict(),
            "approximate": None if self.approximate is None else self.approximate.to_dict(),
            "seconds": self.seconds,
            "recipe": self.recipe,
            "notes": list(self.notes),
            "card": dict(self.card),
        }

    def to_arrow(self) -> pa.Table:
        """One row a fact, as text."""
        facts = {
            "target": self.target,
            **({} if self.table is None else {"table": self.table}),
            "rows written": f"{self.n_rows:,}",
            "rows found": "not verified" if self.rows_found is None else f"{self.rows_found:,}",
            "zero rows left out": f"{len(self.left_out)}{f': {some_of(self.left_out)}' if self.left_out else ''}",
            "metric": "cosine: rows have norm one" if self.metric == "cosine" else "dot product: rows as they are",
        }
        if self.as_sent is not None:
            facts["rows read back"] = "as they were sent" if self.as_sent else "NOT as they were sent"
        elif self.exact is not None:
            facts["exact top 10"] = _in_words(self.exact)
            facts["index"] = self.index or "none: every search is exact"
            if self.approximate is not None:
                facts["recall of the index"] = _in_words(self.approximate)
        facts["seconds"] = f"{self.seconds:.2f}"
        return pa.table({"fact": list(facts), "value": list(facts.values())})

    def __repr__(self) -> str:
        state = "verified" if self.verified else "not verified" if self.rows_found is None else "NOT as written"
        return f"Exported({counted(self.n_rows, 'row')} to {self.target}, {self.metric}, {state})"


def export(
    embedding: Any,
    target: str | Target,
    *,
    table: str | None = None,
    append: bool = False,
    index: bool = True,
    verify: bool = True,
    rng: Rng = 0,
    progress: Progress | None = None,
) -> Exported:
    """Write an embedding's items to a file or a vector store, and ask the store whether they arrived.

    Parameters
    ----------
    embedding : Embedding, array-like, data frame, torch tensor or path
        A directory that `simgauge fix` wrote brings its map with it.
    target : str
        ``KIND:PATH``, such as "duckdb:v.db", "parquet:v.parquet", "qdrant:http://localhost:6333", or
        "postgresql://user@host/database"; see `simgauge.stores.target`.
    table : str, optional
        Table or collection, "items" when not given; files have none. One that simgauge did not write is never touched,
        and no more is such a file.
    append : bool
        Add rows to what is there, rows of known ids in place of the old ones. Only vectors that the same map made can
        be added: two models in one store are nonsense.
    index : bool
        Build the store's index where it is worth it.
    verify : bool
        Compare the store's count, its own exact top 10 for a sample of rows, and its index, with ours. A file is read
        back whole, and compared row by row.
    rng : int or numpy.random.Generator
        Of the sample.
    progress : callable, optional
        Called with text, steps done, steps in all.

    Returns
    -------
    Exported
        With `recipe`, the query to run.

    Notes
    -----
    Rows are scaled to norm one in float32 when the vectors are for cosine, so that cosine, inner product and Euclidean
    distance rank alike whatever a query asks for; the original norm is in a column. Zero rows are left out and listed.
    What was there is replaced in one transaction, by a rename or by switching an alias.

    Raises
    ------
    InputError
        The store is down, refuses, cannot hold these vectors, or holds something else of this name; a file of this name
        is not as an export left it, or is the one that the vectors come from; `append` to vectors of another map.

    Examples
    --------
    >>> import tempfile
    >>> model = Embedding([[3.0, 4.0], [0.0, 0.0], [0.0, 2.0]], item_ids=["tea", "air", "milk"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shipped = export(model, f"duckdb:{folder}/v.db")
    >>> shipped.verified, shipped.left_out
    (True, ('air',))
    """
    where = target if isinstance(target, Target) else parse_target(target)
    store = open_store(where, table=table)  # refuses what it can before anything is read
    model, fitted = as_embedding(embedding), map_beside(embedding)
    return ship(
        model, fitted, where, store, append=append, index=index, verify=verify, rng=rng, progress=progress or logged
    )


def ship(
    model: Embedding,
    fitted: Any,
    where: Target,
    store: Store,
    *,
    append: bool,
    index: bool,
    verify: bool,
    rng: Rng,
    progress: Progress,
) -> Exported:
    """`export` of an embedding that was read, with the map that made it where one is known."""
    show = progress
    _refuse_source(model, Path(where.address))
    rows = _rows_of(model, fitted)
    start = time.perf_counter()
    if append:
        _same_space(store, rows)
        written = store.append(rows, progress=show)
    else:
        written = store.write(rows, index=index, progress=show)
    seconds = time.perf_counter() - start
    show("verifying", 0, 1)
    found = store.read(rows=not store.searches) if verify else None
    checked = _verified(store, rows, found, as_generator(rng)) if found is not None else {}
    show("done", 1, 1)
    return _exported(str(where), store, rows, written, seconds, found, checked)


def _exported(
    target: str,
    store: Store,
    rows: ExportRows,
    written: Written,
    seconds: float,
    found: StoredVectors | None,
    checked: Mapping[str, Any],
) -> Exported:
    return Exported(
        target=target,
        table=store.table if store.tables else None,
        metric=rows.metric,
        n_rows=rows.n_rows,
        n_components=rows.n_components,
        left_out=rows.left_out,
        index=written.index,
        recipe=store.recipe(rows),
        seconds=round(seconds, 3),
        card=rows.card,
        notes=written.notes,
        rows_found=None if found is None else found.count,
        **checked,
    )


def _rows_of(embedding: Embedding, fitted: Any) -> ExportRows:
    from simgauge import __version__

    about = {
        "simgauge": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "gauge": embedding.provenance.get("gauge"),
        "remedy": embedding.provenance.get("remedy"),
        "objective": embedding.provenance.get("objective"),
    }
    made_by: GaugeMap | None = None
    if fitted is not None:
        about["space"] = fingerprint(fitted)
        made_by = fitted.map_ if isinstance(fitted, AffineRemedy) else None
    return export_rows(embedding, about, made_by)


def _refuse_source(model: Embedding, target: Path) -> None:
    """Raise where the vectors would take the place of the file that they were read from."""
    read = model.provenance.get("sources", {}).get("items", {})
    if read.get("file") == target.name and target.is_file() and read.get("sha256") == sha256_of_file(target):
        raise InputError(f"{target} is the file that these vectors were read from: choose another name.")


def map_beside(embedding: Any) -> Any:
    """The fitted map in a saved directory, where `fix` put one."""
    if not isinstance(embedding, str | Path):
        return None
    path = Path(embedding) / MAP_FILE
    return load_remedy(path) if path.is_file() else None


def _same_space(store: Store, rows: ExportRows) -> None:
    card = store.read(rows=False).card or {}
    known, width = card.get("space"), card.get("n_components")
    if width != rows.n_components:
        raise InputError(
            f"the store holds vectors of {width} components and these have {rows.n_components}: they are "
            "of different models. Export all of them without --append."
        )
    if known is None or known != rows.card.get("space"):
        raise InputError(
            "the vectors in the store were not made by the same map as these, so their cosines mean nothing together "
            f"(map {_short(known)} there, {_short(rows.card.get('space'))} here). Apply the store's map to the new "
            "vectors (simgauge apply), or export all of them without --append."
        )


def _verified(store: Store, rows: ExportRows, found: StoredVectors, rng: np.random.Generator) -> dict[str, Any]:
    """The store's answers beside exact search over the rows that were sent to it."""
    if not store.searches:
        return {"as_sent": _as_sent(rows, found)}
    truth = Truth(rows.ids, rows.vectors, rows.metric)
    asked = np.sort(rng.choice(rows.n_rows, min(QUERIES, rows.n_rows), replace=False)).astype(np.intp)
    exact = answers(store, truth, exact=True, queries=asked)
    return {"exact": exact, "approximate": answers(store, truth, exact=False, queries=asked) if found.index else None}


def _as_sent(rows: ExportRows, found: StoredVectors) -> bool:
    places = positions_of(found.ids, rows.ids)
    if len(places) != rows.n_rows or not np.array_equal(np.sort(places), np.arange(rows.n_rows)):
        return False
    blocks = (slice(start, start + ROWS_PER_BATCH) for start in range(0, rows.n_rows, ROWS_PER_BATCH))
    return all(np.array_equal(found.vectors[block], rows.vectors(places[block])) for block in blocks)


def _in_words(found: Answers) -> str:
    share = found.agreement
    return (
        f"{share.value:.1%} of {found.k} neighbours agree, {found.n_queries} queries [{share.low:.1%}, "
        f"{share.high:.1%}]"
    )


def _short(space: Any) -> str:
    return "unknown" if space is None else str(space)[:12]
