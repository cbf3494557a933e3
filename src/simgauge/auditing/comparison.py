"""How much do two models agree? Neighbours, shapes, and two audits side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from simgauge.auditing.run import DEFAULT_SAMPLE, Audit, audit
from simgauge.core.geometry.agreement import canonical_agreement, cross_moments, linear_cka, procrustes
from simgauge.core.inference.intervals import mean_interval
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.parameters import Rng, as_generator, as_seed
from simgauge.progress import Progress
from simgauge.read.as_embedding import as_embedding
from simgauge.tabular import Tabular

SCHEMA_VERSION = 1
MIN_SHARED = 3


@dataclass(frozen=True, repr=False)
class ModelComparison(Tabular):
    """Agreement of two embeddings on the items that both have."""

    n_shared: int
    neighbor_overlap: float
    """Mean share of common neighbours, in [0, 1]."""
    interval: tuple[float, float]
    """95 %, where a sample of the items was asked."""
    cka: float
    """Linear CKA in [0, 1]: shapes up to rotation and scale."""
    procrustes_similarity: float
    """In [0, 1]; 1 if a rotation and a scale turn one table into the other."""
    canonical_agreement: float
    """Mean squared canonical correlation in [0, 1]: unchanged by any gauge. 1 with CKA below 1 means one model in two gauges."""
    audits: tuple[Audit, Audit]
    k: int

    @property
    def summary(self) -> str:
        """What it means, in a sentence."""
        start = f"{self.neighbor_overlap:.0%} of the {self.k} nearest neighbours are the same for {self.n_shared:,} shared items"
        if self.canonical_agreement > 0.999 and self.cka < 0.999:
            return f"{start}. The tables span the same directions: this is one model in two gauges."
        if self.cka > 0.999:
            return f"{start}. The tables are the same up to rotation and scale."
        return f"{start}. The models differ beyond their gauge."

    def to_arrow(self) -> pa.Table:
        """One row a measure of agreement: its name and its value."""
        names = ("n_shared", "k", "neighbor_overlap", "cka", "procrustes_similarity", "canonical_agreement")
        return pa.table({"measure": list(names), "value": [float(getattr(self, name)) for name in names]})

    def __repr__(self) -> str:
        return f"ModelComparison({self.summary})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "summary": self.summary,
            "k": self.k,
            "n_shared": self.n_shared,
            "neighbor_overlap": self.neighbor_overlap,
            "interval": list(self.interval),
            "cka": self.cka,
            "procrustes_similarity": self.procrustes_similarity,
            "canonical_agreement": self.canonical_agreement,
            "audits": [result.to_dict() for result in self.audits],
        }


def compare(
    first: Any,
    second: Any,
    *,
    k: int = 10,
    sample: int = DEFAULT_SAMPLE,
    rng: Rng = 0,
    progress: Progress | None = None,
) -> ModelComparison:
    """Two audits, and how much the neighbours and shapes of two embeddings agree.

    Parameters
    ----------
    first, second : Embedding, array-like, data frame, torch tensor or path
        Matched by item id; widths may differ. Items that only one of them has are left out of the agreement.
    k : int
        Neighbours, below the number of shared items.
    sample : int
        Above this many shared items, neighbours of a random sample are compared.
    rng : int or numpy.random.Generator
        Of the sample and the audits.

    Raises
    ------
    InputError
        Fewer than three shared ids.
    ParameterError
        `k` not below the number of shared items.

    Examples
    --------
    >>> from simgauge.gauge import gauge_transform, random_gauge
    >>> model = Embedding(np.random.default_rng(0).normal(size=(50, 4)))
    >>> compare(model, gauge_transform(model, random_gauge(4, 10.0)), k=5).summary.split(". ")[1]
    'The tables span the same directions: this is one model in two gauges.'
    """
    first, second = as_embedding(first), as_embedding(second)
    rows_first, rows_second = _shared_rows(first, second)
    n_shared = len(rows_first)
    if n_shared < MIN_SHARED:
        raise InputError(
            f"the embeddings share {n_shared} item ids (first ids: {first.item_ids[0]!r} and {second.item_ids[0]!r}): "
            "pass the ids of both tables with --ids, or tables with the same ids."
        )
    if not 1 <= k < n_shared:
        raise ParameterError(f"k={k}: with {n_shared} shared items expected 1 to {n_shared - 1}.")
    tables = first.items[rows_first], second.items[rows_second]
    seed = as_seed(rng)
    draws = as_generator(seed)
    asked = np.sort(draws.choice(n_shared, min(sample, n_shared), replace=False))
    lists = [top_k(table, k, "cosine", rows=asked)[0] for table in tables]
    per_row = neighbor_overlap(*lists).per_row
    interval = mean_interval(per_row, draws, population=n_shared) if len(asked) < n_shared else None
    moments = cross_moments(*(table.astype(np.float64) for table in tables))
    return ModelComparison(
        n_shared=n_shared,
        neighbor_overlap=float(per_row.mean()),
        interval=(interval.low, interval.high) if interval else (float(per_row.mean()), float(per_row.mean())),
        cka=linear_cka(moments),
        procrustes_similarity=procrustes(moments).similarity,
        canonical_agreement=canonical_agreement(moments),
        audits=(
            audit(first, k=k, sample=sample, rng=seed, progress=progress),
            audit(second, k=k, sample=sample, rng=seed, progress=progress),
        ),
        k=k,
    )


def _shared_rows(first: Embedding, second: Embedding) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Rows of the items that both have; as text where one side has numbers and the other text."""
    labels = [embedding.item_ids.tolist() for embedding in (first, second)]
    if first.item_ids.dtype != second.item_ids.dtype:
        labels = [[str(label) for label in side] for side in labels]
    position: Mapping[Any, int] = {label: row for row, label in enumerate(labels[1])}
    pairs = [(row, position[label]) for row, label in enumerate(labels[0]) if label in position]
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]
