"""Items in no list at all: how many there are, from the lists of all rows or of a sample of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.shared_places import Places
from simgauge.core.tables.kinds import Matrix, Vector

GROUPS = 20
"""Groups left out by the jackknife."""

COUNTS = 12
"""Items listed 0, 1, ... up to this number of times are counted apart; those listed more often are one class."""

SLACK = 3.0
"""Standard errors by which the shares of these classes may be off."""


class AntihubShare(NamedTuple):
    """Share of rows that no list holds, as far as the lists can tell."""

    least: float
    most: float


def antihub_bounds(places: Places, population: int, rng: np.random.Generator) -> AntihubShare:
    """Share of the rows that no list holds: the share itself from all lists, from a sample the range it must lie in.

    An item that no *sampled* list holds may be in another. Let f(N) be the share of items that are in N of all lists.
    Of them a sample of m of n lists holds x with hypergeometric probability H(x | N), so the shares seen are
    ``g(x) = Σ f(N) H(x | N)``. The least and the greatest f(0) that agree with every g(x) up to `SLACK` standard
    errors (delete-a-group jackknife) are two linear programmes.

    Parameters
    ----------
    places : Places
        From `shared_places`. An item in the tie at the end of a list counts as being in it.
    population : int
        Queries that could have been drawn, n.

    Gauge
    -----
    Changes under a general G with the lists.

    Examples
    --------
    >>> places = Places(np.arange(4), np.array([1, 2, 1, 1]), np.ones(4), 4, 4)
    >>> antihub_bounds(places, 4, np.random.default_rng(0))
    AntihubShare(least=0.5, most=0.5)
    """
    times = places.lists_with()
    if places.n_queries >= population:
        share = float(np.mean(times == 0))
        return AntihubShare(share, share)
    if places.n_queries < GROUPS:
        return AntihubShare(0.0, 1.0)
    label = rng.permutation(np.arange(places.n_queries) % GROUPS)
    left_out = np.stack([_shares(places.lists_with(label != group)) for group in range(GROUPS)])
    errors = np.sqrt((GROUPS - 1) / GROUPS * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    return _extreme_shares(_shares(times), SLACK * errors, places.n_queries, population)


def _shares(times: NDArray[np.int64]) -> Vector:
    """Share of the items that were seen 0, 1, ..., `COUNTS` − 1 times, and at least `COUNTS` times."""
    return np.bincount(np.minimum(times, COUNTS), minlength=COUNTS + 1) / len(times)


def _extreme_shares(seen: Vector, slack: Vector, n_queries: int, population: int) -> AntihubShare:
    """Least and greatest f(0) with ``|Σ f(N) H(x | N) − seen(x)| <= slack(x)`` for all x."""
    from scipy.optimize import linprog  # a fifth of a second to import, so only for samples
    from scipy.special import gammaln

    totals = np.unique(np.r_[0:40, np.geomspace(40, population, 60).astype(np.int64)])
    seen_times = np.arange(COUNTS)
    chance = _hypergeometric(gammaln, seen_times, totals, n_queries, population)
    chance = np.vstack([chance, 1.0 - chance.sum(axis=0)])
    # an item more or less is no contradiction, however small the standard error
    room = slack + 1.0 / population
    bounds = []
    for sign in (1.0, -1.0):
        objective = np.zeros(len(totals))
        objective[0] = sign
        found = linprog(
            objective,
            A_ub=np.vstack([chance, -chance]),
            b_ub=np.r_[seen + room, room - seen],
            A_eq=np.ones((1, len(totals))),
            b_eq=[1.0],
            bounds=(0, 1),
        )
        bounds.append(sign * found.fun if found.success else (0.0 if sign > 0 else float(seen[0])))
    least, most = (float(min(max(value, 0.0), seen[0])) for value in bounds)
    return AntihubShare(least, max(most, least))


def _hypergeometric(
    gammaln: Any, seen: NDArray[np.int64], totals: NDArray[np.int64], n_queries: int, population: int
) -> Matrix:
    """(seen, totals): probability that `seen` of an item's `totals` lists are among `n_queries` of `population`."""

    def log_choose(n: Any, k: Any) -> Any:
        return gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)

    x, total = seen[:, None], totals[None, :]
    possible = (x <= total) & (n_queries - x <= population - total)
    x, total = np.where(possible, x, 0), np.where(possible, total, 0)
    log = log_choose(total, x) + log_choose(population - total, n_queries - x) - log_choose(population, n_queries)
    return np.where(possible, np.exp(log), 0.0)
