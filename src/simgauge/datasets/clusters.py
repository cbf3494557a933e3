"""The simulation of section 4 of the paper: users who prefer clusters of items, with every open choice a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.errors import ParameterError
from simgauge.parameters import Rng, as_generator, check_choice

CELLS_PER_BLOCK = 2_000_000
"""Users x items drawn in one step: memory stays at some 50 MB, whatever the number of items."""

SMALLEST_PREFERENCE = 1e-280
"""Dirichlet draws of a small concentration underflow to 0; a floor keeps arrival times finite and their order
random."""

SMALLEST_RATE = 1e-300

PowerLaw = Literal["rank", "density", "power"]
"""Readings of the paper's PowerLaw(β), which it does not define; see `simulate_clusters`."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Simulation:
    """Interactions with known clusters."""

    matrix: sp.csr_array
    """(n_users, n_items), float32, 1 where a user took an item."""
    clusters: Indices
    """(n_items,): cluster of every item, from 0."""
    item_weights: Floats
    """(n_items,): p_i, the popularity an item has within its cluster."""
    preferences: Floats
    """(n_users, n_clusters): p_uc, how much a user likes each cluster."""

    def display_order(self) -> Indices:
        """Items sorted by cluster and, within a cluster, by falling popularity, as in the paper's Figure 1."""
        return np.lexsort((-self.item_weights, self.clusters))


def simulate_clusters(
    n_users: int = 20_000,
    n_items: int = 1_000,
    n_clusters: int = 5,
    *,
    item_exponents: tuple[float, float] = (0.25, 1.5),
    user_exponent: float = 0.5,
    cluster_concentration: float = 5.0,
    preference_concentration: float = 1.0,
    min_items_per_user: int = 1,
    max_items_per_user: int | None = None,
    power_law: PowerLaw = "rank",
    smallest_popularity: float = 1e-3,
    rng: Rng = 0,
) -> Simulation:
    """Draw users, items and clusters as in section 4 of the paper.

    Items fall into clusters with probabilities p_c; within a cluster popularity follows a power law with exponent β_c.
    A user likes cluster c with weight p_uc and takes k_u different items, drawn one after the other without replacement
    with probabilities proportional to ``p_uc · p_i``.

    Parameters
    ----------
    n_users, n_items, n_clusters : int
        n, p and C.
    item_exponents : (float, float)
        β_c is uniform between these.
    user_exponent : float
        β_user: ``P(k_u = k) ∝ k^(−β_user)`` between the two bounds below.
    cluster_concentration : float, > 0
        p_c is a symmetric Dirichlet draw; larger is more even. Open in the paper.
    preference_concentration : float, > 0
        The same for each user's p_uc. Open in the paper.
    min_items_per_user, max_items_per_user : int
        Bounds of k_u; at most all items when not given. Open in the paper.
    power_law : {"rank", "density", "power"}
        What ``PowerLaw(β)`` means; the paper does not say. "rank": the item of rank r has popularity ``r^(−β)`` (Zipf).
        "density": popularities are drawn with density ``∝ x^(−β)`` between `smallest_popularity` and 1 (without a lower
        bound there is no such density for β >= 1). "power": with density ``∝ x^(β−1)`` on (0, 1], which is what
        `scipy.stats.powerlaw` and `numpy.random.Generator.power` call a power law. The number of items of a user has
        weights ``k^(−β_user)`` in the first two forms and ``k^(β_user−1)`` in the third: the same law for the paper's
        0.5.
    smallest_popularity : float in (0, 1)
        Of "density".
    rng : int or numpy.random.Generator
        Seed.

    Returns
    -------
    Simulation

    Raises
    ------
    ParameterError
        A size, exponent or bound outside its range.

    Numerics
    --------
    The draw without replacement is an exponential race: the k_u smallest of ``E_i / p_ui`` with E_i standard
    exponential have exactly the law of drawing one after the other. O(n_users · n_items log n_items), in blocks of
    users; the blocks don't change the draw.

    References
    ----------
    arXiv 2403.05440, section 4. Efraimidis, Spirakis (2006) for the race.

    Examples
    --------
    >>> simulation = simulate_clusters(200, 30, 3, rng=1)
    >>> simulation.matrix.shape, simulation.preferences.shape
    ((200, 30), (200, 3))
    """
    largest = n_items if max_items_per_user is None else max_items_per_user
    _check(n_users, n_items, n_clusters, item_exponents, min_items_per_user, largest)
    for name, value in (("cluster", cluster_concentration), ("preference", preference_concentration)):
        if not (np.isfinite(value) and value > 0):
            raise ParameterError(f"{name}_concentration={value}: expected a finite number > 0.")
    if not np.isfinite(user_exponent):
        raise ParameterError(f"user_exponent={user_exponent}: expected a finite number; the paper has 0.5.")
    check_choice(power_law, "power_law", get_args(PowerLaw))
    if not 0 < smallest_popularity < 1:
        raise ParameterError(f"smallest_popularity={smallest_popularity}: expected a number between 0 and 1.")
    if power_law == "power" and not (item_exponents[0] > 0 and user_exponent > 0):
        raise ParameterError("power_law='power': expected exponents > 0, there is no such density otherwise.")
    rng = as_generator(rng)
    shares = rng.dirichlet(np.full(n_clusters, cluster_concentration))
    clusters = rng.choice(n_clusters, size=n_items, p=shares)
    exponents = rng.uniform(*item_exponents, size=n_clusters)
    if power_law == "rank":
        item_weights = _zipf_within(clusters, exponents, rng)
    else:
        item_weights = _drawn_popularity(exponents[clusters], power_law, smallest_popularity, rng)
    preferences = rng.dirichlet(np.full(n_clusters, preference_concentration), size=n_users)
    sizes = np.arange(min_items_per_user, largest + 1)
    law = sizes.astype(np.float64) ** (user_exponent - 1 if power_law == "power" else -user_exponent)
    counts = rng.choice(sizes, size=n_users, p=law / law.sum())
    matrix = _draw(preferences, item_weights, clusters, counts, rng)
    return Simulation(matrix, clusters, item_weights, preferences)


def _zipf_within(clusters: Indices, exponents: Floats, rng: np.random.Generator) -> Floats:
    """rank^(−β_c) with random ranks within each cluster."""
    weights = np.empty(len(clusters))
    for cluster, exponent in enumerate(exponents):
        members = np.flatnonzero(clusters == cluster)
        weights[rng.permutation(members)] = np.arange(1.0, len(members) + 1) ** -exponent
    return weights


def _drawn_popularity(exponents: Floats, form: PowerLaw, smallest: float, rng: np.random.Generator) -> Floats:
    """One popularity an item, by the inverse of its distribution function."""
    u = rng.random(len(exponents))
    if form == "power":
        return np.asarray(np.maximum(u, np.finfo(np.float64).tiny) ** (1 / exponents))
    rest = 1 - exponents
    flat = np.abs(rest) < 1e-9  # the limit is a density of 1/x
    safe = np.where(flat, 1.0, rest)
    return np.where(flat, smallest ** (1 - u), (smallest**safe + u * (1 - smallest**safe)) ** (1 / safe))


def _draw(
    preferences: Floats, item_weights: Floats, clusters: Indices, counts: Indices, rng: np.random.Generator
) -> sp.csr_array:
    columns = []
    step = max(1, CELLS_PER_BLOCK // len(clusters))
    for start in range(0, len(counts), step):
        block = slice(start, start + step)
        rates = np.maximum(preferences[block], SMALLEST_PREFERENCE)[:, clusters] * item_weights
        arrival = rng.standard_exponential(rates.shape) / np.maximum(rates, SMALLEST_RATE)
        order = np.argsort(arrival, axis=1)
        first = np.arange(order.shape[1]) < counts[block, None]
        columns.append(order[first])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    data = np.ones(indptr[-1], dtype=np.float32)
    matrix = sp.csr_array((data, np.concatenate(columns), indptr), shape=(len(counts), len(clusters)))
    matrix.sort_indices()
    return matrix


def _check(n_users: int, n_items: int, n_clusters: int, exponents: tuple[float, float], low: int, high: int) -> None:
    if n_users < 1 or n_items < 2 or not 1 <= n_clusters <= n_items:
        raise ParameterError(
            f"n_users={n_users}, n_items={n_items}, n_clusters={n_clusters}: expected at least 1 user, 2 items and "
            f"from "
            "1 to n_items clusters."
        )
    if not 1 <= low <= high <= n_items:
        raise ParameterError(
            f"{low} to {high} items per user: expected 1 <= minimum <= maximum <= n_items = {n_items}."
        )
    if not -np.inf < exponents[0] <= exponents[1] < np.inf:
        raise ParameterError(f"item_exponents={exponents}: expected two finite numbers (low, high) with low <= high.")
