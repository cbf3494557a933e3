"""Figures of what the paper shows or expects without a number: cosines in every gauge, clusters, λ, remedies."""

from __future__ import annotations

from typing import Any

import numpy as np

from simgauge.core.closed_form.catalogue import CATALOGUE, named_gauge
from simgauge.core.closed_form.factorize import factorize
from simgauge.core.gauges.sphere_spanning import sphere_spanning
from simgauge.core.matrices.reweighting import unchanged
from simgauge.core.spectral.centered_spectrum import reweighted_spectrum
from simgauge.core.tables.kinds import Matrix
from simgauge.paper.cluster_agreement import cluster_agreement
from simgauge.paper.paper_data import NOT_BELOW, Figure, PaperData, cosines, overlap
from simgauge.paper.record import NEIGHBORS
from simgauge.paper.similarities import BEFORE_LEARNING, energy

L2_FACTORS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Multiples of λ in the sweep."""


def item_cosines(data: PaperData) -> Figure:
    """Item-item cosines over the named gauges."""
    return _spread([cosines(model.decoder) for model in data.gauges.values()], own=True, who="items")


def user_cosines(data: PaperData) -> Figure:
    """User-user cosines over the named gauges."""
    return _spread([cosines(data.users @ model.encoder) for model in data.gauges.values()], own=True, who="users")


def user_item_cosines(data: PaperData) -> Figure:
    """User-item cosines over the named gauges."""
    found = [cosines(data.users @ model.encoder, model.decoder) for model in data.gauges.values()]
    return _spread(found, own=False, who="items for a user")


def _spread(found: list[Matrix], *, own: bool, who: str) -> Figure:
    """Over all pairs, the range of a cosine among the gauges; and the least overlap of two gauges' lists."""
    stacked = np.stack(found)
    spread = float(np.ptp(stacked, axis=0).mean())
    shares = [overlap(a, b, own=own) for place, a in enumerate(found) for b in found[place + 1 :]]
    text = (
        f"over {len(found)} named gauges the cosine of a pair has a range of {spread:.2f} on average; of the "
        f"{NEIGHBORS} nearest "
        f"{who}, two gauges share {min(shares):.0%} to {max(shares):.0%}"
    )
    return Figure(text, spread, spread > 0.01)


def gauge_rows(data: PaperData) -> list[dict[str, Any]]:
    """Each named gauge of Eq. 1: item-item, user-user and user-item cosines beside what no gauge changes.

    Items by how well they see the clusters; users by the share of their nearest users that rows of the predictions give
    (the paper's projection); items for a user by the share of items that dot products give.

    Examples
    --------
    >>> from simgauge.datasets.clusters import simulate_clusters
    >>> made = simulate_clusters(200, 30, 3)
    >>> rows = gauge_rows(PaperData(made.matrix.astype(float), made.clusters, 6, 10.0, 3.0))
    >>> {row["gauge"]: row["users_as_projected"] for row in rows}["whitened"]
    1.0
    """
    A, B = data.product_model
    predicted = data.users @ A @ B.T
    projected = cosines(predicted)
    return [
        {
            "gauge": name,
            "items": CATALOGUE[name].formula,
            "meaning": CATALOGUE[name].meaning,
            "item_auc": _auc(data, cosines(model.decoder)),
            "users_as_projected": overlap(cosines(data.users @ model.encoder), projected, own=True),
            "items_as_scored": overlap(cosines(data.users @ model.encoder, model.decoder), predicted, own=False),
        }
        for name, model in data.gauges.items()
    ]


def low_rank_rankings(data: PaperData) -> Figure:
    """Ours: below full rank, cosine does not rank as dot products do, also with D = s^½."""
    if data.n_components == len(data.gram):
        return NOT_BELOW
    model = data.gauges["whitened"]
    users = data.users @ model.encoder
    share = overlap(cosines(users, model.decoder), users @ model.decoder.T, own=False)
    text = f"with D = s^½ and k < p, lists by cosine and by dot product share {share:.0%} of {NEIGHBORS} items"
    return Figure(text, share, share < 1)


def clusters_in_every_gauge(data: PaperData) -> Figure:
    """Section 4: how well known clusters are seen by cosine, over gauges with the same predictions."""
    found = {name: _auc(data, cosines(model.decoder)) for name, model in data.gauges.items()}
    best, worst = max(found, key=found.__getitem__), min(found, key=found.__getitem__)
    text = f"AUC from {found[worst]:.3f} ({worst}) to {found[best]:.3f} ({best}), with the same predictions"
    return Figure(text, found[best] - found[worst], found[best] - found[worst] > 1e-3)


def clusters_under_eq_two(data: PaperData) -> Figure:
    """Section 4: the same under Eq. 2, whose cosines are unique."""
    if data.factors_model_missing:
        return data.factors_model_missing
    kept = int(data.factors_model.decoder.any(axis=0).sum())
    auc = _auc(data, cosines(data.factors_model.decoder))
    return Figure(
        f"AUC {auc:.3f}; λ keeps {kept} of {data.n_components} directions, so rank and gauge differ from Eq. 1", auc
    )


def strengths(data: PaperData) -> Figure:
    """λ under both objectives."""
    return Figure("; ".join(_sweep_text(name, rows) for name, rows in l2_sweep(data).items()))


def l2_sweep(data: PaperData) -> dict[str, list[tuple[float, float | None]]]:
    """λ and AUC, for Eq. 1 as trained, Eq. 1 projected back, and Eq. 2; None where λ shrinks every vector to zero.

    Examples
    --------
    >>> from simgauge.datasets.clusters import simulate_clusters
    >>> made = simulate_clusters(200, 30, 3)
    >>> data = PaperData(made.matrix.astype(float), made.clusters, 6, 10.0, 3.0)
    >>> [len(rows) for rows in l2_sweep(data).values()]
    [5, 5, 5]
    """
    found: dict[str, list[tuple[float, float | None]]] = {"Eq. 1, V √s": [], "Eq. 1, V σs": [], "Eq. 2": []}
    for factor in L2_FACTORS:
        for name, gauge in (("Eq. 1, V √s", "minimum-norm"), ("Eq. 1, V σs", "projected")):
            l2 = factor * data.l2_product
            found[name].append((l2, _auc(data, cosines(named_gauge(data.spectrum, l2, gauge).decoder))))
        l2 = factor * data.l2_factors
        items = factorize(data.spectrum, "factors", l2).decoder
        found["Eq. 2"].append((l2, _auc(data, cosines(items)) if items.any() else None))
    return found


def _sweep_text(name: str, rows: list[tuple[float, float | None]]) -> str:
    cells = ", ".join("none (all vectors zero)" if auc is None else f"{auc:.3f}" for _, auc in rows)
    return f"{name}: AUC {cells} at λ = {', '.join(f'{l2:g}' for l2, _ in rows)}"


def before_learning(data: PaperData) -> Figure:
    """Remedy 3: X changed before learning, λ in proportion to ‖X‖²."""
    found = []
    for gauge, formula in (("minimum-norm", "V √s"), ("projected", "V σs")):
        cells = [f"none {_auc(data, cosines(data.gauges[gauge].decoder)):.3f}"]
        for name, reweight in BEFORE_LEARNING.items():
            changed = reweight(data.matrix)
            l2 = data.l2_product * energy(changed) / energy(unchanged(data.matrix))
            model = named_gauge(reweighted_spectrum(changed, data.n_components), l2, gauge)
            cells.append(f"{name} {_auc(data, cosines(model.decoder)):.3f}")
        found.append(f"AUC of {formula}: {', '.join(cells)}")
    return Figure("; ".join(found))


def unit_sphere(data: PaperData) -> Figure:
    """Remedy 1: unit norms during training leave rotations only if the b bᵀ span the symmetric matrices."""
    k = data.n_components
    found = sphere_spanning(data.product_model.decoder)
    enough = {True: "span", False: "do not span", None: "may or may not span"}[found.spans]
    text = (
        f"the unit vectors of {len(data.gram)} items {enough} the symmetric {k} x {k} matrices ({found.needed} "
        f"dimensions)"
    )
    return Figure(text, float(found.needed))


def _auc(data: PaperData, found: Matrix) -> float:
    return cluster_agreement(found, data.clusters, NEIGHBORS)["auc"]
