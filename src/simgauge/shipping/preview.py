"""preview: what fewer dimensions and fewer bits cost, before vectors are shipped so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.core.inference.intervals import Interval, mean_interval
from simgauge.core.inference.paired import bootstrap_means
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import FloatTable
from simgauge.core.tables.reduction import Order, Precision, bytes_per_row, principal_rotation, quantised, truncated
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence.protocol import check_evidence
from simgauge.interactions import Interactions
from simgauge.matching import sources_of
from simgauge.parameters import Rng, as_generator, as_seed, check_choice, check_integer
from simgauge.progress import Progress, logged
from simgauge.read.as_embedding import as_embedding
from simgauge.remedies.leave_alone import LeaveAlone
from simgauge.selection.scoring import unchecked, unleaked
from simgauge.tabular import Tabular
from simgauge.wording import counted

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class PreviewRow:
    """One form of the vectors."""

    n_components: int
    order: Order
    precision: Precision
    bytes_per_row: int
    neighbors_kept: Interval
    """Mean share of the neighbours of the whole vectors that this form keeps."""
    evidence: Interval | None
    """The measure of the evidence; None without evidence."""
    change: Interval | None
    """Its ratio (or difference) to the whole vectors, by a paired bootstrap over units."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        spread = {
            name: None if found is None else {"value": found.value, "low": found.low, "high": found.high}
            for name, found in (
                ("neighbors_kept", self.neighbors_kept),
                ("evidence", self.evidence),
                ("change", self.change),
            )
        }
        return {
            "n_components": self.n_components, "order": self.order, "precision": self.precision,
            "bytes_per_row": self.bytes_per_row, **spread,
        }  # fmt: skip


@dataclass(frozen=True, repr=False)
class Preview(Tabular):
    """What every asked form of the vectors keeps, beside the whole vectors in float32."""

    rows: tuple[PreviewRow, ...]
    k: int
    n_queries: int
    measure: str | None
    """Name of the evidence's measure."""
    notes: tuple[str, ...] = ()
    """What of the evidence could not be used or checked."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION, "k": self.k, "n_queries": self.n_queries, "measure": self.measure,
            "notes": list(self.notes), "rows": [row.to_dict() for row in self.rows],
        }  # fmt: skip

    def to_arrow(self) -> pa.Table:
        """One row a form."""
        flat = []
        for row in self.rows:
            cells = row.to_dict()
            for name in ("neighbors_kept", "evidence", "change"):
                found = cells.pop(name)
                cells |= {
                    name: found and found["value"],
                    f"{name}_low": found and found["low"],
                    f"{name}_high": found and found["high"],
                }
            flat.append(cells)
        return pa.Table.from_pylist(flat)

    def __repr__(self) -> str:
        return f"Preview({counted(len(self.rows), 'form')}, {self.k} neighbours of {counted(self.n_queries, 'row')})"


def preview(
    embedding: Any,
    dims: Sequence[int] = (),
    precision: Sequence[Precision] = ("float32",),
    *,
    evidence: Any = None,
    interactions: Interactions | None = None,
    orders: Sequence[Order] = ("principal", "columns"),
    k: int = 10,
    sample: int = 1_000,
    rng: Rng = 0,
    progress: Progress | None = None,
) -> Preview:
    """What fewer dimensions and fewer bits keep of the neighbours, and of what the vectors are good for.

    Parameters
    ----------
    embedding : Embedding, array-like, data frame or path
        For cosine.
    dims : sequence of int, optional
        Numbers of columns kept; the whole width is always among them.
    precision : sequence of {"float32", "float16", "int8", "binary"}
    evidence : CoConsumption, Labels, PairJudgements or Relevance, optional
        Scores every form, with intervals.
    interactions : Interactions, optional
        What was trained on. Held-out pairs that are in it are dropped from the evidence, with a warning.
    orders : sequence of {"principal", "columns"}
        Which columns are kept: the first ones after a rotation to the principal axes (cosines of whole rows do not
        change by that), or the first as they come, which is what models trained for truncation are for.
    k, sample : int
        Neighbours, and rows whose neighbours are compared.
    rng : int or numpy.random.Generator
    progress : callable, optional

    Returns
    -------
    Preview

    Raises
    ------
    InputError
        A table that is not on the host, or fewer rows than neighbours.
    ParameterError
        A width or precision that does not exist.

    Examples
    --------
    >>> table = np.random.default_rng(0).normal(size=(200, 8)) * [5, 3, 2, 1, 0.1, 0.1, 0.1, 0.1]
    >>> found = preview(table, dims=[4], precision=["float32", "int8"])
    >>> found.rows[0].neighbors_kept.value, found.rows[2].neighbors_kept.value > 0.8
    (1.0, True)
    """
    model = as_embedding(embedding)
    k, sample = check_integer(k, "k", 1), check_integer(sample, "sample", 1)
    for name in precision:
        check_choice(name, "precision", get_args(Precision))
    for order in orders:
        check_choice(order, "order", get_args(Order))
    if model.n_items <= k:
        raise InputError(f"k={k} neighbours of {counted(model.n_items, 'row')}: pass more rows, or a smaller k.")
    seed = as_seed(rng)
    show = progress or logged
    table = np.asarray(model.items.gather() if hasattr(model.items, "gather") else to_host(model.items))
    width = table.shape[1]
    widths = [width] + [check_integer(size, "dims", 1, width) for size in dims if size != width]
    alive = np.flatnonzero(table.any(axis=1))
    draw = as_generator(seed)
    asked = alive if len(alive) <= sample else np.sort(draw.choice(alive, sample, replace=False))
    rotation = principal_rotation(table)
    whole = top_k(table, k, "cosine", rows=asked)[0]
    scorer, notes = _bound(unleaked(evidence, interactions), interactions, model, seed)
    base = None if scorer is None else _units(scorer, model, table)
    forms = [
        (size, order, kind)
        for size in widths
        for order in (orders if size != width else orders[:1])
        for kind in precision
    ]
    rows = []
    for number, (size, order, kind) in enumerate(forms):
        show(f"{size} columns, {kind}", number, len(forms))
        reduced = quantised(truncated(table, size, order, rotation), kind)
        kept = neighbor_overlap(top_k(reduced, k, "cosine", rows=asked)[0], whole).per_row
        units = None if scorer is None else _units(scorer, model, reduced)
        rows.append(
            PreviewRow(
                size,
                order,
                kind,
                bytes_per_row(size, kind),
                mean_interval(kept, population=len(alive)),
                None if units is None else mean_interval(units),
                None if units is None or base is None else _change(base, units, evidence.scale, seed),
            )
        )
    show("done", len(forms), len(forms))
    return Preview(tuple(rows), k, len(asked), None if evidence is None else str(evidence.measure), notes)


def _bound(
    evidence: Any, interactions: Interactions | None, model: Embedding, seed: int
) -> tuple[Any, tuple[str, ...]]:
    """The evidence in rows of the model, and what of it could not be used or checked."""
    if evidence is None:
        return None, ()
    check_evidence(evidence)
    if any(source.side == "users" for source in sources_of(evidence)):
        raise InputError(
            "preview compares forms of one table, and this evidence asks with queries of a second one: pass evidence "
            "of items, such as labels or held-out interactions."
        )
    scorer = evidence.bind(model, seed)
    return scorer, (*unchecked(evidence, interactions), *scorer.notes)


def _units(scorer: Any, model: Embedding, table: FloatTable) -> NDArray[np.float64]:
    changed = model.with_tables(np.asarray(table, dtype=np.float32), None)
    return np.asarray(scorer.scores(LeaveAlone().fit(changed), changed).plain, dtype=np.float64)


def _change(base: NDArray[np.float64], units: NDArray[np.float64], scale: str, seed: int) -> Interval:
    """Ratio or difference of the means, with the 95 % interval of a bootstrap of the units, the same for both."""
    means = bootstrap_means(np.stack([base, units], axis=1), np.random.default_rng(seed))
    ratio = scale == "ratio" and base.mean() > 0
    value = units.mean() / base.mean() if ratio else units.mean() - base.mean()
    drawn = means[:, 1] / np.maximum(means[:, 0], 1e-300) if ratio else means[:, 1] - means[:, 0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(value), float(min(low, value)), float(max(high, value)))
