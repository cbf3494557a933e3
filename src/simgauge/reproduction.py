"""Section 4 of the paper, with numbers: what every gauge of the same predictions makes of known clusters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.atomic import atomic_file, write_text
from simgauge.core.catalogue import CATALOGUE, catalogue_gauge
from simgauge.core.factorize import Factors, factorize
from simgauge.core.hubness import k_occurrence, k_skewness, popularity_correlation
from simgauge.core.spectrum import Spectrum, spectrum
from simgauge.core.tables import row_norms, unit_rows
from simgauge.errors import ParameterError
from simgauge.simulate import Simulation, simulate_clusters

SCHEMA_VERSION = 1
NEIGHBORS = 10
RANDOM_GAUGES = 3

Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Row:
    """One similarity, summed up over the simulated data sets."""

    name: str
    formula: str
    group: str
    """"Eq. 1": the same predictions in every row of this group; "Eq. 2"; "weights"; "data": no model."""
    values: Mapping[str, tuple[float, ...]]
    """Metric -> one value for each data set."""

    def mean(self, metric: str) -> float:
        """Mean over the data sets."""
        return float(np.mean(self.values[metric]))

    def spread(self, metric: str) -> tuple[float, float]:
        """Smallest and largest value over the data sets."""
        return min(self.values[metric]), max(self.values[metric])


@dataclass(frozen=True, eq=False)
class Panel:
    """One heat map of the figure."""

    title: str
    formula: str
    cosines: Floats
    """(n_items, n_items), items by cluster and falling popularity."""
    auc: float | None


@dataclass(frozen=True, eq=False)
class Reproduction:
    """Result of `reproduce`."""

    rows: tuple[Row, ...]
    panels: tuple[Panel, ...]
    """Of the first data set."""
    boundaries: tuple[int, ...]
    """Where a cluster ends, in the order of the panels."""
    parameters: Mapping[str, Any]

    METRICS = {
        "auc": "AUC: pairs of one cluster against other pairs, by cosine",
        "precision": f"P@{NEIGHBORS}: share of the nearest items in the same cluster",
        "inside": "mean cosine within clusters",
        "between": "mean cosine between clusters",
        "norm_popularity": "correlation of log norm and log popularity",
        "hubness": "skewness of the k-occurrence",
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
                    "min_max": {metric: list(row.spread(metric)) for metric in row.values},
                    "values": {metric: list(values) for metric, values in row.values.items()},
                }
                for row in self.rows
            ],
        }

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


def reproduce(
    *,
    n_users: int = 20_000,
    n_items: int = 1_000,
    n_clusters: int = 5,
    n_components: int = 50,
    l2_product: float = 10_000.0,
    l2_factors: float = 100.0,
    n_seeds: int = 3,
    random_state: int = 0,
    progress: Progress | None = None,
    **simulation: Any,
) -> Reproduction:
    """Repeat the paper's simulation and measure what it only shows.

    Parameters
    ----------
    n_users, n_items, n_clusters : int
        n, p, C of section 4.
    n_components : int
        k.
    l2_product, l2_factors : float
        λ of Eq. 1 (also used for literal weight decay) and of Eq. 2.
    n_seeds : int
        Simulated data sets, with seeds `random_state`, `random_state` + 1, …
    random_state : int
        First seed.
    progress : callable, optional
        Called with text, steps done, steps in all.
    **simulation
        Further parameters of `simulate_clusters`: everything that the paper leaves open.

    Returns
    -------
    Reproduction
        A row for every gauge and baseline; heat maps of the first data set.

    References
    ----------
    arXiv 2403.05440, section 4 and Figure 1. Which D its middle panels show is printed in an image only, so all natural
    candidates are here and none is said to be "the" panel.

    Examples
    --------
    >>> result = reproduce(n_users=300, n_items=40, n_clusters=3, n_components=8, l2_product=30, l2_factors=3, n_seeds=1)
    >>> {row.name: row for row in result.rows}["minimum-norm"].mean("prediction_difference")
    0.0
    """
    if n_seeds < 1:
        raise ParameterError(f"n_seeds={n_seeds}: expected at least 1.")
    show = progress or (lambda *_: None)
    collected: dict[str, dict[str, list[float]]] = {}
    panels: list[Panel] = []
    boundaries: tuple[int, ...] = ()
    labels: dict[str, tuple[str, str]] = {}
    for number in range(n_seeds):
        show(f"data set {number + 1} of {n_seeds}: simulating", 2 * number, 2 * n_seeds)
        data = simulate_clusters(n_users, n_items, n_clusters, random_state=random_state + number, **simulation)
        show(f"data set {number + 1} of {n_seeds}: fitting and comparing gauges", 2 * number + 1, 2 * n_seeds)
        decomposition = spectrum(data.matrix, n_components)
        for name, formula, group, vectors, difference in _similarities(
            data, decomposition, l2_product, l2_factors, random_state + number
        ):
            cosines = _cosines(vectors)
            values = _metrics(cosines, vectors, data)
            if difference is not None:
                values["prediction_difference"] = difference
            labels[name] = formula, group
            for metric, value in values.items():
                collected.setdefault(name, {}).setdefault(metric, []).append(value)
            if number == 0 and not name.startswith("random"):
                order = data.display_order()
                panels.append(Panel(name, formula, cosines[np.ix_(order, order)], values["auc"]))
        if number == 0:
            same = (np.sort(data.clusters)[:, None] == np.sort(data.clusters)[None, :]).astype(np.float64)
            panels.insert(0, Panel("true clusters", "", same, None))
            boundaries = tuple(int(edge) for edge in np.cumsum(np.bincount(data.clusters))[:-1])
    rows = tuple(
        Row(name, *labels[name], {metric: tuple(values) for metric, values in metrics.items()})
        for name, metrics in collected.items()
    )
    parameters = {
        "n_users": n_users, "n_items": n_items, "n_clusters": n_clusters, "n_components": n_components,
        "l2_product": l2_product, "l2_factors": l2_factors, "n_seeds": n_seeds, "random_state": random_state,
        **{name: list(value) if isinstance(value, tuple) else value for name, value in simulation.items()},
    }  # fmt: skip
    return Reproduction(rows, tuple(panels), boundaries, parameters)


def write_reproduction(result: Reproduction, directory: str | Path) -> list[Path]:
    """Write heatmaps.png, heatmaps.svg, table.md and reproduction.json, each whole or not at all."""
    from simgauge.report.heatmaps import draw_heatmaps

    target = Path(directory)
    written = []
    for suffix in ("png", "svg"):
        path = target / f"heatmaps.{suffix}"
        with atomic_file(path) as temporary:
            draw_heatmaps(result.panels, result.boundaries, temporary, suffix)
        written.append(path)
    write_text(target / "table.md", result.to_markdown())
    write_text(
        target / "reproduction.json",
        json.dumps(result.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    )
    return [*written, target / "table.md", target / "reproduction.json"]


Similarity = tuple[str, str, str, Floats, float | None]


def _similarities(data: Simulation, S: Spectrum, l2_product: float, l2_factors: float, seed: int) -> list[Similarity]:
    """Item vectors of every gauge of Eq. 1, of the other models, and of the data itself."""
    reference = factorize(S, "product", l2_product)
    predicted = _product(reference)
    scale = float(np.abs(predicted).max())
    found: list[Similarity] = []

    def add(name: str, formula: str, factors: Factors) -> None:
        difference = float(np.abs(_product(factors) - predicted).max()) / scale
        found.append((name, formula, "Eq. 1", factors.decoder.astype(np.float64), difference))

    for name, entry in CATALOGUE.items():
        add(name, entry.formula, catalogue_gauge(S, l2_product, name))
    sigma = S.singular_values / S.singular_values[0]
    add("anti-correlated", "V √s / σ", _rescaled(reference, sigma))
    for draw in range(RANDOM_GAUGES):
        d = np.random.default_rng([seed, draw]).lognormal(size=S.n_components)
        add(f"random {draw + 1}", "V √s / D, D log-normal", _rescaled(reference, d))
    for penalty, group, l2, formula in (
        ("factors", "Eq. 2", l2_factors, "V √(σ − λ)₊"),
        ("weights", "weights", l2_product, "V √(1 − λ/σ²)₊"),
    ):
        decoder = factorize(S, penalty, l2).decoder  # type: ignore[arg-type]
        found.append((f"{group} model", formula, group, decoder.astype(np.float64), None))
    raw = np.asarray(data.matrix.toarray(), dtype=np.float64).T
    found.append(("raw data", "columns of X", "data", raw, None))
    found.append(("Pearson", "standardised columns of X", "data", raw - raw.mean(axis=1, keepdims=True), None))
    return found


def _rescaled(factors: Factors, d: Floats) -> Factors:
    """A D, B D⁻¹ of the paper's Eq. 3."""
    return Factors(factors.encoder * d, factors.decoder / d)


def _product(factors: Factors) -> Floats:
    return np.asarray(factors.encoder.astype(np.float64) @ factors.decoder.astype(np.float64).T)


def _cosines(vectors: Floats) -> Floats:
    unit = unit_rows(vectors)
    return np.asarray(unit @ unit.T)


def _metrics(cosines: Floats, vectors: Floats, data: Simulation) -> dict[str, float]:
    from sklearn.metrics import roc_auc_score

    upper = np.triu_indices(len(cosines), 1)
    same = data.clusters[upper[0]] == data.clusters[upper[1]]
    values = cosines[upper]
    others = cosines.copy()
    np.fill_diagonal(others, -np.inf)
    lists = np.argsort(-others, axis=1, kind="stable")[:, :NEIGHBORS]
    popularity = np.asarray((data.matrix > 0).sum(axis=0)).ravel()
    norms = row_norms(vectors)
    alive = norms > 0
    return {
        "auc": float(roc_auc_score(same, values)),
        "precision": float((data.clusters[lists] == data.clusters[:, None]).mean()),
        "inside": float(values[same].mean()),
        "between": float(values[~same].mean()),
        "norm_popularity": popularity_correlation(np.log(norms[alive]), popularity[alive]),
        "hubness": k_skewness(k_occurrence(lists, len(cosines))),
    }


def table_rows(result: Reproduction) -> Sequence[Sequence[str]]:
    """Cells for a terminal: model, gauge, AUC, P@10, mean cosines inside and between."""
    return [
        [row.group, f"{row.name}: {row.formula}"]
        + [
            f"{row.mean(metric):.3f} ±{np.ptp(row.values[metric]) / 2:.3f}"
            for metric in ("auc", "precision", "inside", "between")
        ]
        for row in result.rows
    ]
