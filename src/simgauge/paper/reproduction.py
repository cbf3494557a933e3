"""Section 4 of the paper, with numbers: what every gauge of the same predictions makes of known clusters."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.closed_form.catalogue import CATALOGUE, named_gauge
from simgauge.core.closed_form.factorize import Factors, Penalty, factorize
from simgauge.core.matrices.gram import gram
from simgauge.core.spectral.spectrum import Spectrum, spectrum
from simgauge.core.tables.kinds import FloatTable, Matrix
from simgauge.core.tables.tables import row_norms, unit_rows
from simgauge.datasets.clusters import Simulation, simulate_clusters
from simgauge.errors import ParameterError
from simgauge.paper.cluster_agreement import cluster_agreement, norm_popularity
from simgauge.paper.record import NEIGHBORS, Panel, Reproduction, Row
from simgauge.parameters import Rng, as_seed
from simgauge.progress import Progress, silent
from simgauge.storage.atomic import atomic_directory

RANDOM_GAUGES = 3
FILES = ("heatmaps.png", "heatmaps.svg", "table.md", "reproduction.json")


def reproduce(
    *,
    n_users: int = 20_000,
    n_items: int = 1_000,
    n_clusters: int = 5,
    n_components: int = 50,
    l2_product: float = 10_000.0,
    l2_factors: float = 100.0,
    n_seeds: int = 3,
    rng: Rng = 0,
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
        Simulated data sets, with seeds r, r + 1, … for r = `rng`
    rng : int or numpy.random.Generator
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
    if n_clusters < 2:
        raise ParameterError(f"n_clusters={n_clusters}: expected at least 2, or there is nothing to tell apart.")
    first_seed = as_seed(rng)
    show = progress or silent
    collected: dict[str, dict[str, list[float]]] = {}
    panels: list[Panel] = []
    boundaries: tuple[int, ...] = ()
    labels: dict[str, tuple[str, str]] = {}
    for number in range(n_seeds):
        seed = first_seed + number
        show(f"data set {number + 1} of {n_seeds}: simulating", 2 * number, 2 * n_seeds)
        data = simulate_clusters(n_users, n_items, n_clusters, rng=seed, **simulation)
        show(f"data set {number + 1} of {n_seeds}: fitting and comparing gauges", 2 * number + 1, 2 * n_seeds)
        matrix = data.matrix.astype(np.float64)
        order = data.display_order()
        if number == 0:
            panels, boundaries = [_true_clusters(data.clusters[order])], _boundaries(data.clusters)
        for item in _similarities(matrix, spectrum(matrix, n_components), l2_product, l2_factors, seed):
            values = _metrics(item, data)
            labels[item.name] = item.formula, item.group
            for metric, value in values.items():
                collected.setdefault(item.name, {}).setdefault(metric, []).append(value)
            if number == 0 and not item.name.startswith("random"):
                shown = item.cosines[np.ix_(order, order)]
                panels.append(Panel(item.name, item.formula, item.group, shown, values["auc"]))
    show("done", 2 * n_seeds, 2 * n_seeds)
    rows = tuple(
        Row(name, *labels[name], {metric: tuple(values) for metric, values in metrics.items()})
        for name, metrics in collected.items()
    )
    parameters = {
        **_simulation_defaults(), **simulation,
        "n_users": n_users, "n_items": n_items, "n_clusters": n_clusters, "n_components": n_components,
        "l2_product": l2_product, "l2_factors": l2_factors, "n_seeds": n_seeds, "rng": first_seed,
    }  # fmt: skip
    parameters = {name: list(value) if isinstance(value, tuple) else value for name, value in parameters.items()}
    return Reproduction(rows, tuple(panels), boundaries, parameters)


def _simulation_defaults() -> dict[str, Any]:
    """Every open choice of the simulation, so that the record is complete whatever was passed."""
    parameters = inspect.signature(simulate_clusters).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}


def write_reproduction(result: Reproduction, directory: str | Path) -> list[Path]:
    """Write heatmaps.png, heatmaps.svg, table.md and reproduction.json, all or none of them; other files stay.

    Raises
    ------
    InputError
        A file of one of these names is there that simgauge did not write.
    """
    from simgauge.paper.heatmaps import draw_heatmaps

    target = Path(directory)
    numbers = json.dumps(result.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_directory(target, _own_files, name_kept=False) as new:
        for suffix in ("png", "svg"):
            draw_heatmaps(result.panels, result.boundaries, new / f"heatmaps.{suffix}", suffix)
        (new / "table.md").write_text(result.to_markdown(), encoding="utf-8")
        (new / "reproduction.json").write_text(numbers, encoding="utf-8")
    return [target / name for name in FILES]


def _own_files(directory: Path) -> set[str]:
    """All four where the numbers are those of a reproduction."""
    numbers = directory / "reproduction.json"
    ours = numbers.is_file() and b'"n_clusters"' in numbers.read_bytes()
    return {name for name in FILES if (directory / name).exists()} if ours else set()


class Similarity(NamedTuple):
    """One way of comparing items."""

    name: str
    formula: str
    group: str
    cosines: Matrix
    norms: Matrix
    prediction_difference: float | None


def _similarities(
    matrix: sp.csr_array, S: Spectrum, l2_product: float, l2_factors: float, seed: int
) -> Iterator[Similarity]:
    """Every gauge of Eq. 1, the other models, and the data itself, from one decomposition."""
    reference = factorize(S, "product", l2_product)
    predicted = _product(reference)
    gauges = {name: (entry.formula, named_gauge(S, l2_product, name)) for name, entry in CATALOGUE.items()}
    sigma = S.singular_values / S.singular_values[0]
    inverse = np.divide(1.0, sigma, out=np.zeros_like(sigma), where=sigma > 0)
    gauges["anti-correlated"] = "V √s / σ", Factors(reference.encoder * sigma, reference.decoder * inverse)
    for draw in range(RANDOM_GAUGES):
        d = np.random.default_rng([seed, draw]).lognormal(size=S.n_components)
        gauges[f"random {draw + 1}"] = "V √s / D, D log-normal", Factors(reference.encoder * d, reference.decoder / d)
    for name, (formula, factors) in gauges.items():
        difference = float(np.abs(_product(factors) - predicted).max() / np.abs(predicted).max())
        yield _of_vectors(name, formula, "Eq. 1", factors.decoder, difference)
    others: tuple[tuple[Penalty, str, float, str], ...] = (
        ("factors", "Eq. 2", l2_factors, "V √(σ − λ)₊"),
        ("weights", "weights", l2_product, "V √(1 − λ/σ²)₊"),
    )
    for penalty, group, l2, formula in others:
        yield _of_vectors(f"{group} model", formula, group, factorize(S, penalty, l2).decoder, None)
    counts = gram(matrix)
    means = np.asarray(matrix.mean(axis=0)).ravel()
    yield _of_gram("raw data", "columns of X", "data", counts)
    centred = counts - matrix.shape[0] * np.outer(means, means)
    yield _of_gram("Pearson", "standardised columns of X", "data", centred)


def _of_vectors(name: str, formula: str, group: str, vectors: FloatTable, difference: float | None) -> Similarity:
    unit = unit_rows(vectors)
    return Similarity(name, formula, group, np.asarray(unit @ unit.T), row_norms(vectors), difference)


def _of_gram(name: str, formula: str, group: str, gram: Matrix) -> Similarity:
    norms = np.sqrt(np.clip(np.diag(gram), 0.0, None))
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return Similarity(name, formula, group, gram * np.outer(scale, scale), norms, None)


def _metrics(similarity: Similarity, data: Simulation) -> dict[str, float]:
    popularity = np.bincount(data.matrix.indices, minlength=len(data.clusters))
    found = cluster_agreement(similarity.cosines, data.clusters, NEIGHBORS)
    found["norm_popularity"] = norm_popularity(similarity.norms, popularity)
    found["n_zero"] = float(np.sum(similarity.norms == 0))
    if similarity.prediction_difference is not None:
        found["prediction_difference"] = similarity.prediction_difference
    return found


def _product(factors: Factors) -> Matrix:
    return np.asarray(factors.encoder @ factors.decoder.T, dtype=np.float64)


def _true_clusters(ordered: NDArray[np.int64]) -> Panel:
    return Panel("true clusters", "", "truth", (ordered[:, None] == ordered[None, :]).astype(np.float64), None)


def _boundaries(clusters: NDArray[np.int64]) -> tuple[int, ...]:
    """Where a cluster ends in the order of the panels; the last end is that of the table and left out."""
    sizes = np.bincount(clusters)
    return tuple(int(edge) for edge in np.cumsum(sizes[sizes > 0])[:-1])
