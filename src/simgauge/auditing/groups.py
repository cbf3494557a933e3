"""Findings per group of items: labels that somebody gives, and bands of popularity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from simgauge.auditing.checks.copies import NEAR_DUPLICATE
from simgauge.auditing.checks.gauge import named_gauges
from simgauge.auditing.workspace import Workspace
from simgauge.core.geometry.outliers import outliers
from simgauge.core.inference.intervals import Interval, share_interval
from simgauge.core.neighbors.neighbor_lists import Indices
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.tables.kinds import Vector
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.findings import Verdict
from simgauge.labels import positions_of

MOST_GROUPS = 30
"""The largest groups are told apart; all others are one."""

OTHERS, UNLABELLED = "all others", "no label"
BANDS = ("head", "middle", "tail")


class Measure(NamedTuple):
    """One number about a group."""

    id: str
    """That of the finding about the whole table, where there is one."""
    value: float
    interval: tuple[float, float] | None
    """95 %, where the rows are a sample."""
    verdict: Verdict
    """By the limits of the finding; "info" for what is only described."""


@dataclass(frozen=True)
class Group:
    """What an audit found about some of the items."""

    grouping: str
    """"by" for the labels that were given, "popularity" for bands of popularity."""
    name: str
    n_items: int
    n_rows: int
    """Items of the group whose neighbours were searched."""
    measures: tuple[Measure, ...]

    def __getitem__(self, measure_id: str) -> Measure:
        for measure in self.measures:
            if measure.id == measure_id:
                return measure
        raise KeyError(f"no measure {measure_id!r} of this group; it has {', '.join(m.id for m in self.measures)}")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        measures = [
            {**m._asdict(), "interval": None if m.interval is None else list(m.interval)} for m in self.measures
        ]
        return {
            **{name: getattr(self, name) for name in ("grouping", "name", "n_items", "n_rows")},
            "measures": measures,
        }


def groups_of(embedding: Embedding, by: Any) -> dict[str, Indices]:
    """Rows of every group, the largest group first.

    Parameters
    ----------
    by : mapping or sequence
        Item id -> label, or -> several labels; or one label for each item, in the order of the items. Items without a
        label are a group of their own.

    Raises
    ------
    InputError
        Another number of labels than of items, or no item that is in the embedding.

    Examples
    --------
    >>> groups_of(Embedding(np.eye(3)), ["a", "b", "a"])
    {'a': array([0, 2]), 'b': array([1])}
    """
    if isinstance(by, Mapping):
        keys = list(by)
        rows = positions_of(
            np.asarray(keys, dtype=None if keys and isinstance(keys[0], int) else object), embedding.item_ids
        )
        if not (rows >= 0).any():
            raise InputError(f"by: none of the {len(keys)} ids is in the embedding; the first are {keys[:3]!r}.")
        pairs = [
            (int(row), label) for row, key in zip(rows, keys, strict=True) if row >= 0 for label in _labels(by[key])
        ]
    else:
        labels = np.asarray(by, dtype=object)
        if labels.shape != (embedding.n_items,):
            raise InputError(f"by: shape {labels.shape}; expected one label for each of {embedding.n_items} items.")
        pairs = [(row, label) for row, given in enumerate(labels.tolist()) for label in _labels(given)]
    members: dict[str, list[int]] = {}
    for row, label in pairs:
        members.setdefault(label, []).append(row)
    found = {label: np.unique(rows) for label, rows in members.items()}
    without = np.setdiff1d(np.arange(embedding.n_items), np.concatenate([np.empty(0, np.int64), *found.values()]))
    if len(without):
        found[UNLABELLED] = without
    ordered = sorted(found, key=lambda label: (-len(found[label]), label))
    kept = {label: found[label] for label in ordered[:MOST_GROUPS]}
    if len(ordered) > MOST_GROUPS:
        kept[OTHERS] = np.unique(np.concatenate([found[label] for label in ordered[MOST_GROUPS:]]))
    return kept


def _labels(given: Any) -> Iterable[str]:
    if given is None or given != given:
        return ()
    return (
        sorted({str(label) for label in given}) if isinstance(given, (set, frozenset, list, tuple)) else (str(given),)
    )


def popularity_bands(popularity: Vector) -> dict[str, Indices]:
    """Head, middle and tail: items, the most popular first, that hold a third of all interactions each.

    Examples
    --------
    >>> popularity_bands(np.array([1.0, 6.0, 2.0, 3.0, 0.0, 3.0, 3.0]))
    {'head': array([1]), 'middle': array([3, 5]), 'tail': array([0, 2, 4, 6])}
    """
    order = np.argsort(-popularity, kind="stable")
    before = np.cumsum(popularity[order]) - popularity[order]
    total = float(popularity.sum())
    if total == 0:
        return {}
    band = np.minimum((3 * before / total).astype(np.int64), 2)
    band[popularity[order] == 0] = 2
    found = {name: np.sort(order[band == number]) for number, name in enumerate(BANDS)}
    return {name: rows for name, rows in found.items() if len(rows)}


def measured_groups(workspace: Workspace, grouping: str, groups: Mapping[str, Indices]) -> list[Group]:
    """What can be said of every group from what the audit computed for the whole table."""
    shared = _per_row(workspace)
    return [_measured(workspace, grouping, name, rows, shared) for name, rows in groups.items()]


def _per_row(workspace: Workspace) -> dict[str, tuple[Indices, Vector]]:
    """Rows that were searched, and a share in [0, 1] for each of them, by finding."""
    far = np.zeros(len(workspace.rows))
    far[outliers(workspace.shipped[1][:, : workspace.k]).positions] = 1.0
    close = (workspace.shipped[1][:, 0] >= NEAR_DUPLICATE).astype(np.float64)
    found: dict[str, tuple[Indices, Vector]] = {
        "near_duplicates": (workspace.rows, close),
        "outliers": (workspace.rows, far),
        "zero_rows": (np.arange(workspace.embedding.n_items), (workspace.item_norms == 0).astype(np.float64)),
        "metric_overlap": (
            workspace.probe_rows,
            neighbor_overlap(workspace.probe_lists, workspace.dot_lists[0]).per_row,
        ),
    }
    if not workspace.sampled:
        unlisted = (workspace.places.lists_with() == 0).astype(np.float64)
        found["antihubs"] = (np.arange(workspace.embedding.n_items), unlisted)
    gauges = [
        neighbor_overlap(workspace.probe_lists, workspace.gauge_lists(power, center)).per_row
        for _, power, center in named_gauges(workspace)
        if power > 0 or workspace.whitening_differs
    ]
    if gauges:
        found["canonical_overlap"] = (workspace.probe_rows, min(gauges, key=lambda per_row: float(per_row.mean())))
    return found


def _measured(
    workspace: Workspace, grouping: str, name: str, members: Indices, shared: Mapping[str, tuple[Indices, Vector]]
) -> Group:
    inside = np.zeros(workspace.embedding.n_items, dtype=bool)
    inside[members] = True
    alive = int(np.count_nonzero(workspace.item_norms[members]))
    measures = []
    for finding, (rows, values) in shared.items():
        own = values[inside[rows]]
        if len(own):
            population = len(members) if len(rows) == workspace.embedding.n_items else max(alive, len(own))
            measures.append(_judged(workspace, finding, share_interval(own, population=population)))
    looked = inside[workspace.rows]
    listed = inside[workspace.shipped_lists].mean(axis=1)
    fair = len(members) / workspace.embedding.n_items
    total = int(np.count_nonzero(workspace.item_norms))
    places = share_interval(listed, population=total)
    measures.append(_described("places", *(part / fair for part in places)))
    if looked.any():
        measures.append(
            _described("same_group", *share_interval(listed[looked], population=max(alive, int(looked.sum()))))
        )
    return Group(grouping, name, len(members), int(looked.sum()), tuple(measures))


def _judged(workspace: Workspace, finding: str, interval: Interval) -> Measure:
    value, low, high = interval
    limits = workspace.thresholds[finding]
    spoken = low if limits.direction == "above" else high
    return Measure(finding, value, (low, high) if low < high else None, limits.judge(spoken))


def _described(name: str, value: float, low: float, high: float) -> Measure:
    return Measure(name, value, (low, high) if low < high else None, "info")
