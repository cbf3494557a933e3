"""The demo: the paper's model on shipped real data, from a held-out split to a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from simgauge.auditing.result import Audit
from simgauge.auditing.run import audit
from simgauge.core.closed_form.catalogue import CATALOGUE, named_gauge
from simgauge.core.inference.intervals import mean_interval
from simgauge.core.neighbors.topk import top_k
from simgauge.core.scores.pair_recall import PairRecall, holdout_split, pair_recall
from simgauge.core.tables.kinds import Vector
from simgauge.datasets.python_imports import load_demo_data
from simgauge.embedding import Embedding
from simgauge.interactions import Interactions
from simgauge.models import LinearAutoencoder
from simgauge.neighbors import Comparison, compare_neighbors
from simgauge.parameters import Rng, as_seed
from simgauge.progress import Progress, logged

HELD_OUT_SHARE = 0.2
RECALL_AT = 20
ITEMS = ("json", "datetime.datetime", "socket")
"""Items that every Python programmer can judge: the lists of two change much with the gauge, that of one hardly."""

GAUGES = {
    "minimum-norm": "as trained, V√s",
    "projected": "projected back, Vσs",
    "truncated-data": "truncated-data, Vσ",
}
"""The gauges shown side by side, with the names shown: as trained, the paper's remedy, and the best on held-out data.
The whitened gauge has nearly the lists as trained."""


@dataclass(frozen=True)
class Demo:
    """Everything the demo shows."""

    comparison: Comparison
    recall: Mapping[str, Any]
    audit: Audit
    embedding: Embedding
    """The model as trained."""
    best: Embedding
    """The same model in the gauge that held-out data support most."""
    popularity: Vector
    """Files that use each name."""
    sizes: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "data": dict(self.sizes),
            "neighbors": self.comparison.to_dict(),
            "recall": dict(self.recall),
            "audit": self.audit.to_dict(),
        }


def demo(
    items: Sequence[str] = ITEMS,
    n_components: int = 64,
    k: int = 10,
    rng: Rng = 0,
    progress: Progress | None = None,
) -> Demo:
    """Fit the product-penalty model to "which names do Python files use together" and look at its gauges.

    Parameters
    ----------
    items : sequence of str
        Names whose neighbours are shown.
    n_components : int
        Rank; λ is the default of `LinearAutoencoder`.
    k : int
        Neighbours shown.
    rng : int or numpy.random.Generator
        Of the split, the audit and the intervals.
    progress : callable, optional
        Called with text, steps done, steps in all.

    Returns
    -------
    Demo
    """
    seed = as_seed(rng)
    show = progress or logged
    show("reading the shipped data", 0, 4)
    data = load_demo_data()
    training, held_out = holdout_split(data.matrix, HELD_OUT_SHARE, np.random.default_rng(seed))
    show("fitting the model", 1, 4)
    model = LinearAutoencoder(n_components, random_state=seed).fit(training)
    gauges = {name: _in_gauge(model, training, data, name) for name in CATALOGUE}
    show("measuring held-out recall", 2, 4)
    recall = {name: _recall(embedding, training, held_out) for name, embedding in gauges.items()}
    shown = {label: gauges[name] for name, label in GAUGES.items()}
    comparison = compare_neighbors(shown, items, k)
    show("auditing", 3, 4)
    seen = Interactions(training, data.user_ids, data.item_ids)
    return Demo(
        comparison=comparison,
        recall=_recall_table(recall),
        audit=audit(gauges["minimum-norm"], interactions=seen, k=k, rng=seed),
        embedding=gauges["minimum-norm"],
        best=gauges["truncated-data"],
        popularity=np.asarray(seen.item_counts, dtype=np.float64),
        sizes={"n_files": data.n_users, "n_names": data.n_items, "n_pairs": data.nnz, "n_held_out": int(held_out.nnz)},
    )


def write_demo(result: Demo, directory: str | Path) -> tuple[Path, Path]:
    """Write report.html and audit.json to a directory."""
    from simgauge.auditing.page import audit_page
    from simgauge.report.html import write_audit

    page = audit_page(
        result.audit.to_dict(),
        result.embedding,
        title="Which Python names are used together? One model, several answers",
        kind="demo",
        popularity=result.popularity,
        shown=list(ITEMS),
        recall=result.recall,
        others={GAUGES["truncated-data"]: result.best},
        columns=("projected back (α = 1)", GAUGES["truncated-data"]),
        command="simgauge demo",
    )
    return write_audit(directory, page, result.audit.to_json())


def _in_gauge(model: LinearAutoencoder, training: sp.csr_array, data: Interactions, name: str) -> Embedding:
    """The fitted model in a gauge of the paper's catalogue; the predictions are the same in every one."""
    factors = named_gauge(model.spectrum_, float(model.l2_ or 0.0), name)
    return Embedding(
        items=factors.decoder,
        users=np.asarray(training @ factors.encoder),
        item_ids=data.item_ids,
        user_ids=data.user_ids,
        item_names=data.item_names,
        provenance={"library": "simgauge", "objective": "product", "gauge": {"name": name}, "l2": model.l2_},
    )


def _recall(embedding: Embedding, training: sp.csr_array, held_out: sp.csr_array) -> PairRecall:
    return pair_recall(top_k(embedding.items, RECALL_AT, "cosine")[0], training, held_out)


def _recall_table(recall: Mapping[str, PairRecall]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for name, result in recall.items():
        interval = mean_interval(result.per_user)
        label = GAUGES.get(name, f"{name}, {CATALOGUE[name].formula.replace(' ', '')}")
        rows.append({"gauge": label, "recall": interval.value, "interval": [interval.low, interval.high]})
    best = max(row["recall"] for row in rows)
    protocol = (
        f"{HELD_OUT_SHARE:.0%} of every file's imports were held out. For each pair of a kept and a held-out import of "
        f"one file: is the held-out one among the {RECALL_AT} nearest neighbours of the kept one? Mean over "
        f"{len(next(iter(recall.values())).per_user):,} files, with 95 % intervals over files. Every gauge "
        "makes exactly the same predictions."
    )
    return {"protocol": protocol, "at": RECALL_AT, "gauges": [{**row, "best": row["recall"] == best} for row in rows]}
