"""check: what a store or an index really returns, beside exact search over the vectors that are read back from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from simgauge.findings import Finding, WithFindings
from simgauge.parameters import Rng, as_generator, check_choice, check_integer
from simgauge.progress import Progress, logged
from simgauge.shipping.filtered import filtered_searches
from simgauge.shipping.store_findings import (
    Expected,
    ReadBack,
    card_of,
    norms_of,
    rows_present,
    searches,
    self_dominated,
    store_metric,
    zero_rows,
)
from simgauge.stores.store import StoredVectors
from simgauge.stores.target import Target, open_store, parse_target
from simgauge.tabular import Tabular
from simgauge.wording import counted

SCHEMA_VERSION = 1


@dataclass(frozen=True, repr=False)
class StoreCheck(WithFindings, Tabular):
    """What a check of a store found."""

    target: str
    expected: Expected
    n_rows: int
    n_components: int
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "target": self.target,
            "expected": self.expected,
            "n_rows": self.n_rows,
            "n_components": self.n_components,
            "verdict": self.verdict,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def to_arrow(self) -> pa.Table:
        """One row a finding."""
        columns = ("id", "title", "verdict", "value", "summary", "cause", "action")
        return pa.Table.from_pylist([{name: getattr(row, name) for name in columns} for row in self.findings])

    def __repr__(self) -> str:
        return f"StoreCheck({self.verdict}: {self.target}, {counted(self.n_rows, 'row')}, expected {self.expected})"


def check(
    target: str | Target,
    *,
    expect: Expected | None = None,
    table: str | None = None,
    vector: str = "vector",
    id_column: str = "id",
    k: int = 10,
    sample: int = 200,
    filter: str | None = None,
    rng: Rng = 0,
    progress: Progress | None = None,
) -> StoreCheck:
    """Ask a vector store or an index file whether its answers are those that its vectors were made for.

    The vectors are read back from it, exact search over them is the truth, and the store's own exact search and its
    index are compared with that. Nothing is written.

    Parameters
    ----------
    target : str
        As for `export`, or ``faiss:``, ``usearch:`` with an index file.
    expect : {"cosine", "dot", "l2"}, optional
        What the vectors are to be compared with. Taken from the card that `export` left; cosine where there is none.
    table, vector, id_column : str, optional
        Table or collection, and columns; "items", "vector" and "id" when not given.
    k : int
        Neighbours that are compared.
    sample : int
        Rows to ask with.
    filter : str, optional
        ``COLUMN`` or ``COLUMN=VALUE`` that queries filter by: their recall is measured among the rows that pass. Of a
        column, the two values are asked for that hold nearest to a tenth and a hundredth of the rows; without it,
        lists of ids that keep these shares.
    rng : int or numpy.random.Generator
    progress : callable, optional

    Returns
    -------
    StoreCheck

    Raises
    ------
    InputError
        The store is down, refuses, or holds nothing of this name.

    Examples
    --------
    >>> import tempfile
    >>> from simgauge.shipping.export import export
    >>> model = np.random.default_rng(0).normal(size=(50, 4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = export(model, f"duckdb:{folder}/v.db")
    ...     check(f"duckdb:{folder}/v.db").verdict
    'ok'
    """
    if expect is not None:
        check_choice(expect, "expect", ("cosine", "dot", "l2"))
    k, sample = check_integer(k, "k", 1), check_integer(sample, "sample", 1)
    show = progress or logged
    where = target if isinstance(target, Target) else parse_target(target)
    store = open_store(where, table=table, vector=vector, id_column=id_column)
    show("reading the vectors back", 0, 4)
    found = store.read()
    wanted = expect or _of_card(found)
    norms = np.linalg.norm(found.vectors.astype(np.float64), axis=1)
    usable = np.flatnonzero(norms > 0)
    generator = as_generator(rng)
    asked = usable if len(usable) <= sample else np.sort(generator.choice(usable, sample, replace=False))
    read = ReadBack(store, found, wanted, norms, asked.astype(np.intp), min(k, max(1, len(found.ids) - 1)))
    findings = [store_metric(read), norms_of(read), zero_rows(read), rows_present(read), card_of(read)]
    show("asking for exact neighbours", 1, 4)
    findings += searches(read)
    show("asking with filters", 2, 4)
    findings.append(filtered_searches(read, filter, generator))
    show("scoring rows against each other", 3, 4)
    findings.append(self_dominated(read))
    show("done", 4, 4)
    n, width = found.vectors.shape
    return StoreCheck(str(where), wanted, n, width, tuple(row for row in findings if row is not None))


def _of_card(found: StoredVectors) -> Expected:
    stated = None if found.card is None else found.card.get("metric")
    return "dot" if stated == "dot" else "cosine"
