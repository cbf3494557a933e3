"""What a reproduction found: rows of numbers, heat maps as data, and their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simgauge.core.tables.kinds import Matrix
from simgauge.tabular import Tabular
from simgauge.wording import counted

SCHEMA_VERSION = 1
NEIGHBORS = 10


@dataclass(frozen=True)
class Row:
    """One similarity, summed up over the simulated data sets."""

    name: str
    formula: str
    group: str
    """"Eq. 1": the same predictions in every row of this group; "Eq. 2"; "weights"; "data": no model; "before
    learning": Eq. 1 after a change of X, with λ in proportion to ‖X‖²; "k = p": Eq. 1 at full rank."""
    values: Mapping[str, tuple[float, ...]]
    """Metric -> one value for each data set."""

    def mean(self, metric: str) -> float:
        """Mean over the data sets."""
        return float(np.mean(self.values[metric]))

    def sd(self, metric: str) -> float:
        """Standard deviation over the data sets (n - 1 in the denominator); 0 for a single one."""
        values = self.values[metric]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0

    def spread(self, metric: str) -> tuple[float, float]:
        """Smallest and largest value over the data sets."""
        return min(self.values[metric]), max(self.values[metric])


@dataclass(frozen=True, eq=False)
class Panel:
    """One heat map of the figure."""

    title: str
    formula: str
    group: str
    """As in `Row`; "truth" for the clusters themselves."""
    cosines: Matrix
    """(n_items, n_items), items by cluster and falling popularity."""
    auc: float | None


@dataclass(frozen=True, eq=False, repr=False)
class Reproduction(Tabular):
    """Result of `reproduce`."""

    rows: tuple[Row, ...]
    panels: tuple[Panel, ...]
    """Of the first data set."""
    boundaries: tuple[int, ...]
    """Where a cluster ends, in the order of the panels."""
    parameters: Mapping[str, Any]

    METRICS: ClassVar[Mapping[str, str]] = {
        "auc": "AUC: pairs of one cluster against other pairs, by cosine",
        "precision": f"P@{NEIGHBORS}: share of the nearest items in the same cluster",
        "inside": "mean cosine within clusters",
        "between": "mean cosine between clusters",
        "norm_popularity": "Pearson correlation of log norm and log popularity",
        "hubness": "skewness of the k-occurrence",
        "n_zero": "items whose vector is zero: their cosines are undefined and taken as 0",
        "prediction_difference": "largest difference of A Bᵀ to Eq. 5, relative to its largest entry",
    }

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, without the panels."""
        return {
            "schema_version": SCHEMA_VERSION,
            "parameters": dict(self.parameters),
            "metrics": dict(self.METRICS),
            "rows": [
                {
                    "name": row.name,
                    "formula": row.formula,
                    "group": row.group,
                    "mean": {metric: row.mean(metric) for metric in row.values},
                    "sd": {metric: row.sd(metric) for metric in row.values},
                    "min_max": {metric: list(row.spread(metric)) for metric in row.values},
                    "values": {metric: list(values) for metric, values in row.values.items()},
                }
                for row in self.rows
            ],
        }

    def to_arrow(self) -> pa.Table:
        """One row a model: group, name, formula, and the mean of every metric over the data sets."""
        return pa.Table.from_pylist(
            [
                {"group": row.group, "name": row.name, "formula": row.formula}
                | {metric: row.mean(metric) for metric in row.values}
                for row in self.rows
            ]
        )

    def __repr__(self) -> str:
        return f"Reproduction({counted(len(self.rows), 'model')}, {counted(self.parameters['n_seeds'], 'data set')})"

    def to_markdown(self) -> str:
        """The table, with the spread over data sets."""
        lines = [
            f"Mean over {self.parameters['n_seeds']} simulated data sets, smallest to largest value in brackets.",
            "",
            "| model | item vectors | AUC | P@10 | cosine inside | cosine between | norm ~ popularity | hubness |",
            "|---|---|---|---|---|---|---|---|",
        ]
        shown = ("auc", "precision", "inside", "between", "norm_popularity", "hubness")
        for row in self.rows:
            cells = [f"{row.mean(m):.3f} [{row.spread(m)[0]:.3f}, {row.spread(m)[1]:.3f}]" for m in shown]
            lines.append(f"| {row.group} | {row.name}: {row.formula} | " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"


def table_rows(result: Reproduction) -> Sequence[Sequence[str]]:
    """Cells for a terminal: model, gauge, AUC, P@10, mean cosines inside and between; ± half the spread of several."""
    shown = ("auc", "precision", "inside", "between")
    return [
        [row.group, f"{row.name}: {row.formula}", *(_mean_and_spread(row, metric) for metric in shown)]
        for row in result.rows
    ]


def _mean_and_spread(row: Row, metric: str) -> str:
    values = row.values[metric]
    spread = f" ±{np.ptp(values) / 2:.3f}" if len(values) > 1 else ""
    return f"{row.mean(metric):.3f}{spread}"
