"""How much do two models agree? What turns one into the other, their neighbours and shapes, and two audits side by
side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.auditing.comparison_text import prediction_sentence, relation_name, relation_sentences
from simgauge.auditing.predictions import PredictionAgreement, predictions_agree
from simgauge.auditing.result import Audit
from simgauge.auditing.run import DEFAULT_SAMPLE, audit
from simgauge.core.geometry.agreement import (
    agreement_above_chance,
    canonical_agreement,
    chance_agreement,
    cross_moments,
    linear_cka,
    procrustes,
)
from simgauge.core.geometry.random_cosine import mean_over_pairs
from simgauge.core.geometry.relations import Relation, relation
from simgauge.core.geometry.row_pairs import PickedRows, RowPairs
from simgauge.core.inference.intervals import mean_interval
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.arrays import numpy_dtype
from simgauge.core.tables.kinds import Array, Table
from simgauge.core.tables.row_parts import RowParts
from simgauge.core.tables.scale import in_common_range, in_range
from simgauge.core.tables.tables import take_rows, unit_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.labels import Ids, positions_of
from simgauge.matching import check_rows
from simgauge.parameters import Rng, as_generator, as_seed, check_integer
from simgauge.progress import Progress
from simgauge.read.as_embedding import as_embedding
from simgauge.tabular import Tabular
from simgauge.wording import counted, some_of

SCHEMA_VERSION = 2
MIN_SHARED = 3

MAX_FETCHED_BYTES = 2 << 30
"""Largest table in parts that is fetched whole: a comparison reads every shared row several times."""

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, repr=False)
class ModelComparison(Tabular):
    """Agreement of two embeddings on the items, and the users, that both have."""

    n_shared: int
    """Items that both have."""
    relation: str
    """What the models are to each other: "identical", or the parts of what turns one into the other joined by " + ", of
    "rotation", "scale", "row lengths", "shift", "linear gauge", "linear map", "truncation", "quantisation",
    "permutation"; "different"; "undetermined" where the shared rows are too few to tell."""
    items: Relation
    """The same of the item tables alone, with the map."""
    predictions: PredictionAgreement | None
    """Of the shared users; None where one model has no users or they share none."""
    mean_cosines: tuple[float, float]
    """Mean cosine over all pairs of shared items in both tables."""
    neighbor_overlap: float
    """Mean share of common neighbours, in [0, 1]."""
    interval: tuple[float, float]
    """95 %, where a sample of the items was asked."""
    cka: float
    """Linear CKA in [0, 1]: shapes up to rotation, scale and shift."""
    procrustes_similarity: float
    """In [0, 1]; 1 if a rotation, a scale and a shift turn one table into the other."""
    canonical_agreement: float
    """Mean squared canonical correlation in [0, 1]: unchanged by any gauge and shift."""
    chance_agreement: float
    """What unrelated tables of these sizes have of it on average."""
    agreement_above_chance: float | None
    """``(canonical − chance) / (1 − chance)``; None where chance is 1."""
    matching: str
    """How the rows were matched: how many ids are shared, or that row numbers stand in for them."""
    audits: tuple[Audit, Audit]
    k: int

    @property
    def summary(self) -> str:
        """What it means, in a few sentences."""
        neighbors = "nearest neighbour is" if self.k == 1 else f"{self.k} nearest neighbours are"
        start = f"{self.neighbor_overlap:.0%} of the {neighbors} the same for {counted(self.n_shared, 'shared item')}."
        items = relation_sentences(self.items, self.mean_cosines, self.predictions)
        users = prediction_sentence(self.items, self.predictions)
        return " ".join(part for part in (start, self.matching, items, users) if part)

    def to_arrow(self) -> pa.Table:
        """One row a measure of agreement: its name and its value, null where it cannot be told."""
        names = (
            "n_shared",
            "k",
            "neighbor_overlap",
            "cka",
            "procrustes_similarity",
            "canonical_agreement",
            "chance_agreement",
            "agreement_above_chance",
        )
        values = [getattr(self, name) for name in names]
        return pa.table({"measure": list(names), "value": pa.array(values, pa.float64())})

    @property
    def _caption(self) -> str:
        return self.summary

    def __repr__(self) -> str:
        kept = f"{self.neighbor_overlap:.0%} of {counted(self.k, 'neighbour')}"
        return f"ModelComparison({self.relation}; {kept}, {counted(self.n_shared, 'shared item')})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        found = self.items.map
        return {
            "schema_version": SCHEMA_VERSION,
            "summary": self.summary,
            "relation": self.relation,
            "items": {
                "relation": self.items.name,
                "exact": self.items.exact,
                "factor": found.factor if found and "scale" in found.parts else None,
                "condition_number": found.condition if found and np.isfinite(found.condition) else None,
                "precisions": list(self.items.precisions),
                "mean_cosines": list(self.mean_cosines),
            },
            "predictions": self.predictions.to_dict() if self.predictions else None,
            "matching": self.matching,
            "k": self.k,
            "n_shared": self.n_shared,
            "neighbor_overlap": self.neighbor_overlap,
            "interval": list(self.interval),
            "cka": self.cka,
            "procrustes_similarity": self.procrustes_similarity,
            "canonical_agreement": self.canonical_agreement,
            "chance_agreement": self.chance_agreement,
            "agreement_above_chance": self.agreement_above_chance,
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
    """What turns one embedding into another, how much their neighbours and shapes agree, and two audits.

    Parameters
    ----------
    first, second : Embedding, array-like, data frame, torch tensor or path
        Matched by item id; widths may differ. Items that only one of them has are left out of the agreement. Where both
        have users, shared by id, predictions decide whether a linear map of the items is a gauge.
    k : int
        Neighbours, below the number of shared items.
    sample : int
        Above this many shared items, neighbours of a random sample are compared.
    rng : int or numpy.random.Generator
        Of the samples and the audits.

    Raises
    ------
    InputError
        Fewer than three shared ids, a table of them without variation, or a table without ids whose row numbers cannot
        be told to be the ids of the other.
    ParameterError
        `k` not below the number of shared items.

    Examples
    --------
    >>> from simgauge.gauge import gauge_transform, random_gauge
    >>> rng = np.random.default_rng(0)
    >>> model = Embedding(rng.normal(size=(50, 4)), users=rng.normal(size=(60, 4)))
    >>> compared = compare(model, gauge_transform(model, random_gauge(4, 10.0)), k=5)
    >>> compared.relation
    'linear gauge'
    >>> compared.summary.split(". ")[-1]
    'Over 60 shared users and 50 items the predictions are the same: this is one model in two gauges.'
    """
    given = as_embedding(first), as_embedding(second)
    first, second = _in_one_range(*given)
    matching = check_rows(first, second)
    rows = _shared_rows(first.item_ids, second.item_ids)
    n_shared = len(rows[0])
    if n_shared < MIN_SHARED:
        raise InputError(
            f"the embeddings share {counted(n_shared, 'item id')} (the first has "
            f"{some_of(first.item_ids[:3].tolist())}, "
            f"the second {some_of(second.item_ids[:3].tolist())}): pass the ids of both tables (--first-ids, "
            "--second-ids), or tables with the same ids."
        )
    sample = check_integer(sample, "sample", 2)
    k = check_integer(k, "k", 1, n_shared - 1, meaning=f"below the {n_shared} shared items")
    tables = _picked(first.items, rows[0]), _picked(second.items, rows[1])
    whole = np.arange(n_shared)
    pairs = RowPairs(PickedRows(tables[0], whole), PickedRows(tables[1], whole))
    moments = cross_moments(*(PickedRows(in_range(table)[0], whole) for table in tables))
    seed = as_seed(rng)
    draws = as_generator(seed)
    overlap, interval = _overlap(tables, k, sample, draws)
    items = relation(pairs, draws)
    predictions = _predictions(first, second, tables, draws)
    return ModelComparison(
        n_shared=n_shared,
        relation=relation_name(items, predictions),
        items=items,
        predictions=predictions,
        mean_cosines=_mean_cosines(pairs),
        neighbor_overlap=overlap,
        interval=interval,
        cka=linear_cka(moments),
        procrustes_similarity=procrustes(moments).similarity,
        canonical_agreement=canonical_agreement(moments),
        chance_agreement=chance_agreement(moments),
        agreement_above_chance=agreement_above_chance(moments),
        matching=matching,
        audits=(
            audit(given[0], k=k, sample=sample, rng=seed, progress=progress),
            audit(given[1], k=k, sample=sample, rng=seed, progress=progress),
        ),
        k=k,
    )


def _in_one_range(first: Embedding, second: Embedding) -> tuple[Embedding, Embedding]:
    """Both with their tables times one power of two a side, where products would leave the range of numbers."""
    items = in_common_range(first.items, second.items)
    users = in_common_range(first.users, second.users)
    changed = items[0] is not first.items or users[0] is not first.users
    if not changed:
        return first, second
    return first.with_tables(items[0], users[0]), second.with_tables(items[1], users[1])


def _shared_rows(first: Ids, second: Ids) -> Rows:
    """Rows of the labels that both have, in the order of the first."""
    found = positions_of(first, second)
    rows = np.flatnonzero(found >= 0)
    return rows, found[rows]


def _picked(table: Table, rows: NDArray[np.int64]) -> Array:
    """These rows next to the table, without a copy when they are all; a table in parts is fetched."""
    if isinstance(table, RowParts):
        size = len(rows) * table.shape[1] * numpy_dtype(table).itemsize
        if size > MAX_FETCHED_BYTES:
            raise InputError(
                f"{len(rows):,} shared rows of a table in parts ({size / 2**30:.1f} GiB) would be fetched to this "
                f"process: "
                "compare a sample of its rows, with their ids."
            )
    elif len(rows) == len(table) and np.array_equal(rows, np.arange(len(rows))):
        return table
    return take_rows(table, rows)


def _overlap(
    tables: tuple[Array, Array], k: int, sample: int, rng: np.random.Generator
) -> tuple[float, tuple[float, float]]:
    """Mean share of common neighbours, with its interval where a sample was asked."""
    n_rows = len(tables[0])
    asked = np.sort(rng.choice(n_rows, min(sample, n_rows), replace=False))
    per_row = neighbor_overlap(*(top_k(table, k, "cosine", rows=asked)[0] for table in tables)).per_row
    value = float(per_row.mean())
    if len(asked) == n_rows:
        return value, (value, value)
    interval = mean_interval(per_row, population=n_rows)
    return value, (interval.low, interval.high)


def _predictions(
    first: Embedding, second: Embedding, items: tuple[Array, Array], rng: np.random.Generator
) -> PredictionAgreement | None:
    if first.users is None or second.users is None or first.user_ids is None or second.user_ids is None:
        return None
    users = _shared_rows(first.user_ids, second.user_ids)
    if not len(users[0]):
        return None
    whole = np.arange(len(items[0]))
    return predictions_agree((first.users, second.users), items, users, (whole, whole), rng)


def _mean_cosines(pairs: RowPairs) -> tuple[float, float]:
    sums = [np.zeros(width) for width in pairs.widths]
    counts = [0, 0]
    for blocks in pairs.blocks():
        for side, block in enumerate(blocks):
            unit = unit_rows(block.astype(np.float64))
            sums[side] += unit.sum(axis=0)
            counts[side] += int(unit.any(axis=1).sum())
    one, two = (mean_over_pairs(float(total @ total), count) for total, count in zip(sums, counts, strict=True))
    return one, two
