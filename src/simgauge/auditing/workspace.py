"""Workspace of one audit: the inputs, checked, and every expensive quantity computed once and shared."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.auditing.objectives import Objective
from simgauge.auditing.thresholds import Thresholds
from simgauge.core.gauges import canonical as core
from simgauge.core.gauges.folded_bias import BiasColumn, bias_columns
from simgauge.core.gauges.random_gauges import random_axes
from simgauge.core.inference.intervals import Interval, jackknife_interval, share_interval
from simgauge.core.neighbors.shared_places import Places, resolved_top_k, shared_places
from simgauge.core.neighbors.streamed_topk import streamed_top_k, streamed_top_k_scaled
from simgauge.core.tables.algebra import wide_gram
from simgauge.core.tables.kinds import Array, Table
from simgauge.core.tables.moments import TableMoments, table_moments
from simgauge.core.tables.tables import map_rows, norms_of_block, row_norms, sample_nonzero_rows, take_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.findings import SEVERITY, Finding, Verdict
from simgauge.interactions import Interactions

PROBE_ROWS = 500
"""Rows whose lists are made again in every canonical gauge; the interval of a mean over them is about ±0.02."""
GAUGE_ROWS = 250
"""Rows whose lists are made again under every random gauge."""
JACKKNIFE_GROUPS = 20
"""Groups of rows left out in turn, for intervals of what is not a mean."""
NAMED = 5
"""Items that a finding names."""

Indices = NDArray[np.int64]


@dataclass(eq=False)
class Workspace:
    """Inputs of an audit and the quantities that several checks need.

    Nothing here is judged; `simgauge.auditing.checks` does that.
    """

    embedding: Embedding
    objective_name: str
    objective: Objective
    k: int
    sample: int
    seed: int
    thresholds: Thresholds
    objective_stated: bool = False
    popularity: NDArray[np.float64] | None = None
    interactions: Interactions | None = None
    item_scale: float = 1.0
    """What the items here were divided by: 1 but for tables whose products leave the range of numbers."""
    user_scale: float = 1.0
    """The same of the users."""
    cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def items(self) -> Table:
        """Item vectors as shipped."""
        return self.embedding.items

    @cached_property
    def item_norms(self) -> NDArray[np.float64]:
        """Norms of the items as shipped."""
        return self.moments.norms

    @cached_property
    def rows(self) -> Indices:
        """Items whose neighbours are searched: all with a nonzero vector, or a random sample of them, sorted."""
        alive = np.flatnonzero(self.item_norms > 0)
        if len(alive) <= self.sample:
            return alive
        rng = np.random.default_rng(self.seed)
        return np.sort(rng.choice(alive, self.sample, replace=False))

    @cached_property
    def sampled(self) -> bool:
        """Whether `rows` is a sample, so that means over it have an interval."""
        return len(self.rows) < int(np.count_nonzero(self.item_norms))

    @cached_property
    def probe_positions(self) -> Indices:
        """Positions within `rows` whose lists are recomputed in many gauges."""
        if len(self.rows) <= PROBE_ROWS:
            return np.arange(len(self.rows))
        rng = np.random.default_rng(self.seed + 1)
        return np.sort(rng.choice(len(self.rows), PROBE_ROWS, replace=False))

    @property
    def probe_rows(self) -> Indices:
        """The items at `probe_positions`."""
        return self.rows[self.probe_positions]

    @cached_property
    def shipped(self) -> tuple[Indices, NDArray[Any]]:
        """Neighbours of `rows` by the cosine as shipped, one more than k where the table has it, and the cosines."""
        return resolved_top_k(self.items, self.rows, self.k)

    @cached_property
    def places(self) -> Places:
        """Who holds the places of the lists as shipped; ties at the end of a list are shared."""
        return shared_places(self.items, take_rows(self.items, self.rows), self.shipped, self.k, self.rows)

    @property
    def shipped_lists(self) -> Indices:
        """The k neighbours of `rows` by the cosine as shipped."""
        return self.shipped[0][:, : self.k]

    @property
    def gauge_rows(self) -> Indices:
        """The items whose lists are made under many random gauges: evenly spread among the probe rows."""
        return self.probe_rows[self.gauge_positions]

    @property
    def gauge_positions(self) -> Indices:
        """Positions of `gauge_rows` within the probe rows."""
        count = min(GAUGE_ROWS, len(self.probe_rows))
        return np.linspace(0, len(self.probe_rows) - 1, count).astype(np.int64)

    @property
    def probe_lists(self) -> Indices:
        """The k neighbours of the probe rows by the cosine as shipped."""
        return self.shipped_lists[self.probe_positions]

    @property
    def gauge_centers(self) -> tuple[core.Center, core.Center]:
        """Centring of the plain canonical gauges (of the sides that the loss leaves free to shift) and of the
        default."""
        return self.objective.shifts, self.objective.center

    @cached_property
    def canonical(self) -> dict[core.Center, core.CanonicalCore]:
        """Canonical forms by centring, those that exist: none for a single table or where all predictions are zero."""
        forms: dict[core.Center, core.CanonicalCore] = {}
        users = self.embedding.users
        if users is None:
            return forms
        for center in dict.fromkeys(("none", *self.gauge_centers)):
            with suppress(InputError):
                forms[center] = core.canonical_core(users, self.items, center)
        return forms

    def gauge_map(self, power: float, center: core.Center | None = None) -> core.GaugeMap:
        """The map to a canonical gauge, by default with what may shift centred; for a single table only power 0
        exists."""
        center = self.gauge_centers[0] if center is None else center
        key = ("map", power, center)
        if key not in self.cache:
            has_form = center in self.canonical
            self.cache[key] = (
                core.power_map(self.canonical[center], power) if has_form else core.whitening_map(self.items, center)
            )
        found: core.GaugeMap = self.cache[key]
        return found

    @cached_property
    def whitening_differs(self) -> bool:
        """Whether whitened lists say anything: with no more items than directions all whitened items are orthogonal."""
        alive = int(np.count_nonzero(self.item_norms))
        return alive > int(np.count_nonzero(self.moments.singular_values())) + 1

    def gauge_norms(self, power: float) -> NDArray[np.float64]:
        """Norms of all items in a canonical gauge, block by block."""
        return np.concatenate(list(map_rows(self.items, _norms_in_gauge, self.gauge_map(power))))

    def gauge_lists(self, power: float, center: core.Center | None = None) -> Indices:
        """Neighbours of the probe rows in a canonical gauge, (n_probe, k)."""
        center = self.gauge_centers[0] if center is None else center
        key = ("lists", power, center)
        if key not in self.cache:
            transform = self.gauge_map(power, center).apply_items
            self.cache[key] = resolved_top_k(self.items, self.probe_rows, self.k, transform)[0][:, : self.k]
        found: Indices = self.cache[key]
        return found

    def mean_interval(self, per_row: NDArray[np.float64]) -> Interval:
        """Mean over rows of a share in [0, 1], and its 95 % interval for all items; a point where all rows were
        used."""
        population = int(np.count_nonzero(self.item_norms))
        return share_interval(np.asarray(per_row, dtype=np.float64), population=population)

    def jackknife(self, statistic: Callable[[Indices], float], n: int, population: int) -> Interval:
        """A smooth statistic of n sampled rows with its 95 % interval; a point where all rows were used."""
        if n >= population or n < JACKKNIFE_GROUPS:
            value = float(statistic(np.arange(n)))
            return Interval(value, value, value) if n >= population else Interval(value, -np.inf, np.inf)
        rng = np.random.default_rng(self.seed + 5)
        return jackknife_interval(statistic, n, rng, groups=JACKKNIFE_GROUPS, population=population)

    @cached_property
    def moments(self) -> TableMoments:
        """Mean, scatter and norms of the items as shipped, from one pass."""
        return table_moments(self.items)

    @cached_property
    def user_gram(self) -> NDArray[np.float64]:
        """``PᵀP`` of the users, (k, k); zeros for a single table."""
        users = self.embedding.users
        return np.zeros((self.embedding.n_components,) * 2) if users is None else wide_gram(users)

    @cached_property
    def biases(self) -> list[BiasColumn]:
        """Columns in which a bias is folded; none can be told for a single table or single rows."""
        users = self.embedding.users
        if users is None or min(len(users), len(self.items)) < 2:
            return []
        return bias_columns(self.items, users)

    @cached_property
    def dot_lists(self) -> tuple[Indices, NDArray[Any]]:
        """Neighbours of the probe rows by dot product, (n_probe, k), and the products."""
        return streamed_top_k(self.items, self.probe_rows, self.k, "dot")

    @cached_property
    def query_rows(self) -> Indices:
        """Users whose nearest items are searched: all with a nonzero vector, or a random sample; none for one table."""
        users = self.embedding.users
        if users is None:
            return np.empty(0, dtype=np.int64)
        return sample_nonzero_rows(users, PROBE_ROWS, np.random.default_rng(self.seed + 4))

    @cached_property
    def query_population(self) -> int:
        """Users with a nonzero vector."""
        users = self.embedding.users
        return 0 if users is None else int(np.count_nonzero(row_norms(users)))

    @cached_property
    def query_lists(self) -> tuple[Indices, NDArray[Any]] | None:
        """Nearest items by cosine of `query_rows`, one more than k where there is one, and the cosines."""
        if not len(self.query_rows):
            return None
        wanted = min(self.k + 1, self.embedding.n_items - 1)
        return streamed_top_k(self.items, self.query_rows, wanted, queries=self.embedding.users)

    def finding(
        self,
        finding_id: str,
        title: str,
        value: float | None,
        summary: str,
        *,
        cause: str,
        action: str,
        verify: str,
        interval: tuple[float, float] | None = None,
        gauge_dependent: bool = True,
        details: Mapping[str, Any] | None = None,
        group: str = "geometry",
        at_most: Verdict = "fail",
    ) -> Finding:
        """A finding judged by its thresholds: by the end of its interval that speaks for the table, so that a sample
        never accuses; a value that does not exist is not judged, and what is ok has no cause and needs no action.

        `at_most` is the gravest verdict that what is known allows; "info" leaves the value unjudged."""
        limits = self.thresholds[finding_id]
        known = interval is not None and interval[0] < interval[1]
        spoken = value if interval is None or not known else interval[0 if limits.direction == "above" else 1]
        verdict: Verdict = "info" if value is None or spoken is None else limits.judge(spoken)
        if SEVERITY[verdict] > SEVERITY[at_most]:
            verdict = at_most
        return Finding(
            id=finding_id,
            title=title,
            value=value,
            summary=summary,
            verdict=verdict,
            interval=_finite(interval) if known else None,
            cause="" if verdict == "ok" else cause,
            action="" if verdict == "ok" else action,
            verify=verify,
            gauge_dependent=gauge_dependent,
            group=group,
            details=details or {},
        )

    @property
    def ranks_by_dot_product(self) -> bool:
        """Whether it is known that the scores of users and items are dot products, so that their cosines rank
        nothing."""
        return self.objective.verdict in ("arbitrary", "controlled by the regulariser")

    def name(self, row: int) -> str:
        """What a person calls an item."""
        return str(self.embedding.item_names[row])

    def names(self, rows: Iterable[int]) -> list[str]:
        """What a person calls the first few of some items."""
        return [self.name(row) for row in itertools.islice(rows, NAMED)]

    def random_metric_lists(self, condition_numbers: Sequence[float], draw: int) -> list[Indices]:
        """Neighbours of `gauge_rows` under random metrics, one list a condition number; a draw shares its axes.

        The axes are a Haar rotation of the latent space as shipped; along them the metric is log-uniform between 1 and
        κ, both attained. Where the loss leaves a shift of the items open, all items also move by one random vector, as
        long as items are from their mean (root mean square).
        """
        rng = np.random.default_rng([self.seed, 7, draw])
        axes, exponents = random_axes(self.embedding.n_components, rng)
        scales = [kappa ** (exponents / 2) for kappa in condition_numbers]
        shift = None
        if "items" in core.centered_sides(self.gauge_centers[0]):
            length = np.sqrt(np.trace(self.moments.scatter) / self.moments.n_rows)
            direction = rng.standard_normal(self.embedding.n_components)
            shift = length * direction / np.linalg.norm(direction)
        return streamed_top_k_scaled(self.items, self.gauge_rows, self.k, axes, scales, shift=shift)


def _finite(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """An interval that JSON can hold; one without an end says nothing."""
    return interval if interval is not None and np.isfinite(interval).all() else None


def _norms_in_gauge(block: Array, _: int, gauge: core.GaugeMap) -> NDArray[np.float64]:
    return norms_of_block(gauge.apply_items(block))
