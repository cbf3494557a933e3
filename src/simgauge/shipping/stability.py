"""stability: how much several trainings of one model agree, and what of their difference is more than the gauge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import Center
from simgauge.core.inference.intervals import Interval
from simgauge.core.inference.pairwise import Pairs, pair_means, pairwise_interval
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.parameters import Rng, as_generator, check_integer
from simgauge.progress import Progress, logged
from simgauge.read.as_embedding import as_embedding
from simgauge.shipping.agreement import on_host, user_lists
from simgauge.shipping.chosen_gauge import Rows, gauge_of, in_gauge, shared_items, shared_users, users_note
from simgauge.shipping.stable import AS_TRAINED, CANONICAL, USERS_LISTS, Measured, Stability

NAMED = 10
"""Items that are named."""


Groups = tuple[range, range]
"""Numbers of the models, and of the later ones."""
Mask = NDArray[np.bool_]


def stability(
    models: Sequence[Any],
    later: Sequence[Any] = (),
    *,
    power: float = 1.0,
    center: Center = "none",
    k: int = 10,
    sample: int = 2_000,
    rng: Rng = 0,
    progress: Progress | None = None,
) -> Stability:
    """How much several trainings of one model agree, item by item, and what of the rest is more than the gauge.

    Two trainings with other seeds land in other gauges and at other optima. Lists as trained differ by both. Lists in
    the canonical gauge and lists of users by dot product depend on the predictions alone, so what differs there has
    really changed.

    Parameters
    ----------
    models : sequence of Embedding, array-like, data frames or paths
        Two or more trainings on the same data with other seeds; three or more for intervals that hold for the next
        seed too. With users (or ``power=0``), as the canonical gauge needs them.
    later : sequence, optional
        Two or more trainings on later data. With them the change of the data is told apart from that of the seed: it is
        how much less a pair of an earlier and a later training agrees than two trainings on the same data.
    power, center
        The canonical gauge, as in `align`.
    k : int
        Neighbours.
    sample : int
        Items, and users, whose lists are compared, at most.
    rng : int or numpy.random.Generator
        Of the sample.
    progress : callable, optional

    Returns
    -------
    Stability

    Notes
    -----
    Intervals hold for other seeds and the other items together: one model is left out at a time (jackknife of a mean
    over pairs), and the spread over sampled items is added. With two models of a kind the seeds cannot be told, and the
    interval is of the items alone.

    Raises
    ------
    InputError
        Too few shared items, or models of which some have users and some have none.
    ParameterError
        Fewer than two models, or one later model.

    Examples
    --------
    >>> from simgauge.gauge import gauge_transform, random_gauge
    >>> draw = np.random.default_rng(0)
    >>> model = Embedding(draw.normal(size=(60, 4)), users=draw.normal(size=(80, 4)))
    >>> found = stability([gauge_transform(model, random_gauge(4, 10.0, rng=seed)) for seed in range(3)], k=5)
    >>> found["canonical"].same_data.value, found["as trained"].same_data.value < 0.9
    (1.0, True)
    """
    given, groups = _models(models, later)
    k, sample = check_integer(k, "k", 1), check_integer(sample, "sample", 2)
    show = progress or logged
    rows = shared_items(given, k)
    gauge = gauge_of(given, power, center)
    asked = np.sort(as_generator(rng).permutation(len(rows[0]))[:sample])
    compare = _Comparison(np.array(list(combinations(range(len(given)), 2))), groups)
    show("lists as trained", 0, 3)
    plain = compare.overlaps([_item_lists(model, own, asked, k) for model, own in zip(given, rows, strict=True)])
    measures = [compare.measured(AS_TRAINED, plain, len(rows[0]))]
    shares, gauge_only = plain, None
    if gauge is not None:
        show("lists in the canonical gauge", 1, 3)
        moved = (in_gauge(model, gauge)[0] for model in given)
        shares = compare.overlaps([_item_lists(model, own, asked, k) for model, own in zip(moved, rows, strict=True)])
        measures.append(compare.measured(CANONICAL, shares, len(rows[0])))
        gauge_only = compare.interval(shares - plain, compare.same_data, len(rows[0]))
    show("lists of users", 2, 3)
    users = shared_users(given)
    if users is not None:
        lists = [user_lists(*each, k) for each in zip(given, rows, (own[:sample] for own in users), strict=True)]
        measures.append(compare.measured(USERS_LISTS, compare.overlaps(lists), len(users[0])))
    show("done", 3, 3)
    return Stability(
        n_models=(len(groups[0]), len(groups[1])),
        gauge=None if gauge is None else gauge.name,
        k=k,
        n_shared=len(rows[0]),
        n_asked=len(asked),
        measures=tuple(measures),
        gauge_only=gauge_only,
        unstable=compare.unstable(shares, given[0].item_names[rows[0][asked]]),
        moved_by_data=compare.moved_by_data(shares, given[0].item_names[rows[0][asked]]),
        notes=_notes(given, gauge is None, groups),
    )


def _models(models: Sequence[Any], later: Sequence[Any]) -> tuple[list[Embedding], Groups]:
    for name, listed in (("models", models), ("later", later)):
        if not isinstance(listed, Sequence) or isinstance(listed, str):
            raise InputError(f"{name} is of type {type(listed).__name__}: expected a list of two models or more.")
    if len(models) < 2:
        raise ParameterError(
            f"stability needs two models or more, received {len(models)}: pass trainings of the same data with other "
            "seeds."
        )
    if len(later) == 1:
        raise ParameterError(
            "later: one later model is not enough, as what its own seed changed cannot be told from what its data "
            "changed. Pass two later trainings or more, with other seeds; simgauge align compares single models."
        )
    given = [as_embedding(model) for model in (*models, *later)]
    return given, (range(len(models)), range(len(models), len(given)))


class _Comparison:
    """Pairs of models by whether they were trained on the same data, and what is computed over them."""

    def __init__(self, pairs: Pairs, groups: Groups) -> None:
        self.pairs, self.groups = pairs, groups
        is_later = pairs >= groups[1].start
        self._across = is_later[:, 0] != is_later[:, 1]

    def overlaps(self, lists: Sequence[NDArray[np.int64]]) -> Matrix:
        """(n_pairs, n_rows): shares of common members."""
        return np.stack([neighbor_overlap(lists[one], lists[other]).per_row for one, other in self.pairs])

    def same_data(self, values: Matrix, kept: Mask) -> Vector:
        """Mean over pairs of trainings on the same data, earlier and later alike."""
        return pair_means(values[~self._across], self.pairs[~self._across], kept)

    def across(self, values: Matrix, kept: Mask) -> Vector:
        """Mean over pairs of an earlier and a later training."""
        return pair_means(values[self._across], self.pairs[self._across], kept)

    def data_only(self, values: Matrix, kept: Mask) -> Vector:
        """How much less an earlier and a later training agree than two on the same data."""
        return self.same_data(values, kept) - self.across(values, kept)

    def interval(self, values: Matrix, statistic: Callable[[Matrix, Mask], Vector], population: int) -> Interval:
        """For the next seeds and for all rows."""
        groups = [group for group in self.groups if len(group)]
        return pairwise_interval(lambda kept: statistic(values, kept), groups, population=population)

    def measured(self, name: str, values: Matrix, population: int) -> Measured:
        """One measure with what its pairs say."""
        later = bool(self.groups[1])
        return Measured(
            name,
            self.interval(values, self.same_data, population),
            self.interval(values, self.across, population) if later else None,
            self.interval(values, self.data_only, population) if later else None,
        )

    def unstable(self, values: Matrix, names: NDArray[Any]) -> tuple[tuple[str, float], ...]:
        """Items whose lists agree least between trainings on the same data."""
        shares = self.same_data(values, self._all)
        order = np.argsort(shares, kind="stable")[:NAMED]
        return tuple((str(names[place]), float(shares[place])) for place in order)

    def moved_by_data(self, values: Matrix, names: NDArray[Any]) -> tuple[tuple[str, float, float], ...]:
        """Items that agree on the same data and not across: name, share on the same data, share across."""
        if not self.groups[1]:
            return ()
        same, across = self.same_data(values, self._all), self.across(values, self._all)
        order = np.argsort(across - same, kind="stable")[:NAMED]
        return tuple(
            (str(names[row]), float(same[row]), float(across[row])) for row in order if across[row] < same[row]
        )

    @property
    def _all(self) -> Mask:
        return np.ones(self.groups[1].stop, dtype=bool)


def _item_lists(model: Embedding, rows: Rows, asked: Rows, k: int) -> NDArray[np.int64]:
    return top_k(on_host(model.items)[rows], k, "cosine", rows=asked)[0]


def _notes(models: Sequence[Embedding], as_they_are: bool, groups: Groups) -> tuple[str, ...]:
    """What could not be told, and of what the intervals speak."""
    notes = []
    if as_they_are:
        notes.append(
            "Without a canonical gauge, which needs users, a change of gauge cannot be told from a change of the model."
        )
    notes += users_note(models)
    if any(len(group) == 2 for group in groups):
        notes.append(
            "Two trainings on the same data do not tell how much seeds differ: pass three or more for intervals that "
            "hold for the next seed."
        )
    return tuple(notes)
