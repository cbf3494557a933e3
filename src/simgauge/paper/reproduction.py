"""Section 4 of the paper, with numbers: what every gauge of the same predictions makes of known clusters."""

from __future__ import annotations

import inspect
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.datasets.clusters import Simulation, simulate_clusters
from simgauge.errors import MissingDependencyError, ParameterError, optional_import
from simgauge.paper.cluster_agreement import cluster_agreement, norm_popularity
from simgauge.paper.record import NEIGHBORS, Panel, Reproduction, Row
from simgauge.paper.similarities import Similarity, similarities
from simgauge.paper.statements import StatementTable
from simgauge.parameters import Rng, as_seed
from simgauge.progress import Progress, logged
from simgauge.storage.atomic import atomic_directory

DRAWINGS = ("heatmaps.png", "heatmaps.svg")
FILES = ("report.html", "table.md", "reproduction.json")
STATEMENT_FILES = ("statements.md", "statements.json")


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
    >>> small = {"n_users": 300, "n_items": 40, "n_clusters": 3, "n_components": 8, "n_seeds": 1}
    >>> result = reproduce(**small, l2_product=30, l2_factors=3)
    >>> {row.name: row for row in result.rows}["minimum-norm"].mean("prediction_difference")
    0.0
    """
    if n_seeds < 1:
        raise ParameterError(f"n_seeds={n_seeds}: expected at least 1.")
    if n_clusters < 2:
        raise ParameterError(f"n_clusters={n_clusters}: expected at least 2, or there is nothing to tell apart.")
    first_seed = as_seed(rng)
    show = progress or logged
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
        for item in similarities(matrix, n_components, l2_product, l2_factors, seed):
            values = _metrics(item, data)
            labels[item.name] = item.formula, item.group
            for metric, value in values.items():
                collected.setdefault(item.name, {}).setdefault(metric, []).append(value)
            if number == 0 and item.drawn:
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


def write_reproduction(
    result: Reproduction, directory: str | Path, statements: StatementTable | None = None, *, command: str = ""
) -> list[Path]:
    """Write report.html, heatmaps.png, heatmaps.svg, table.md and reproduction.json, all or none; other files stay.

    With `statements` also statements.md and statements.json; without them, those of an earlier run are removed. Without
    matplotlib there are no heat maps, and a warning says so. `command` is what the page says makes it again.

    Raises
    ------
    InputError
        A file of one of these names is there that simgauge did not write.
    """
    from simgauge.paper.page import reproduction_page
    from simgauge.plot.heatmaps import draw_heatmaps
    from simgauge.report.html import render

    target, drawings = Path(directory), _drawings()
    with atomic_directory(target, _own_files, name_kept=False) as new:
        for name in drawings:
            draw_heatmaps(result.panels, result.boundaries, new / name, name.rpartition(".")[2])
        page = render(reproduction_page(result, statements, command=command))
        (new / "report.html").write_text(page, encoding="utf-8")
        (new / "table.md").write_text(result.to_markdown(), encoding="utf-8")
        (new / "reproduction.json").write_text(_json(result.to_dict()), encoding="utf-8")
        if statements is not None:
            (new / "statements.md").write_text(statements.to_markdown(), encoding="utf-8")
            (new / "statements.json").write_text(_json(statements.to_dict()), encoding="utf-8")
    return [target / name for name in (*drawings, *FILES, *(STATEMENT_FILES if statements is not None else ()))]


def _drawings() -> tuple[str, ...]:
    """Files of heat maps; none, and a warning, where they cannot be drawn."""
    try:
        optional_import("matplotlib.figure", extra="plot", purpose="draw the heat maps")
    except MissingDependencyError as error:
        warnings.warn(f"No heat maps: {error}", UserWarning, stacklevel=3)
        return ()
    return DRAWINGS


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _own_files(directory: Path) -> set[str]:
    """All that a reproduction writes, where the numbers are those of one."""
    numbers = directory / "reproduction.json"
    ours = numbers.is_file() and b'"n_clusters"' in numbers.read_bytes()
    return {name for name in (*DRAWINGS, *FILES, *STATEMENT_FILES) if (directory / name).exists()} if ours else set()


def _metrics(similarity: Similarity, data: Simulation) -> dict[str, float]:
    popularity = np.bincount(data.matrix.indices, minlength=len(data.clusters))
    found = cluster_agreement(similarity.cosines, data.clusters, NEIGHBORS)
    found["norm_popularity"] = norm_popularity(similarity.norms, popularity)
    found["n_zero"] = float(np.sum(similarity.norms == 0))
    if similarity.prediction_difference is not None:
        found["prediction_difference"] = similarity.prediction_difference
    return found


def _true_clusters(ordered: NDArray[np.int64]) -> Panel:
    return Panel("true clusters", "", "truth", (ordered[:, None] == ordered[None, :]).astype(np.float64), None)


def _boundaries(clusters: NDArray[np.int64]) -> tuple[int, ...]:
    """Where a cluster ends in the order of the panels; the last end is that of the table and left out."""
    sizes = np.bincount(clusters)
    return tuple(int(edge) for edge in np.cumsum(sizes[sizes > 0])[:-1])
