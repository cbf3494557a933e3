"""The checks of an audit: each takes the workspace and returns a finding; no check computes what another can use."""

from __future__ import annotations

from collections.abc import Callable

from simgauge.checks.gauge import canonical_overlap, neighbor_popularity, norm_popularity, random_gauge_overlap
from simgauge.checks.identifiability import identifiability
from simgauge.findings import Finding
from simgauge.workspace import Workspace

Check = Callable[[Workspace], Finding | None]

ALL: tuple[Check, ...] = (
    identifiability,
    canonical_overlap,
    random_gauge_overlap,
    neighbor_popularity,
    norm_popularity,
)
"""In the order of the report. A check returns None where its input is missing."""
