"""The checks of an audit: each takes the workspace and returns a finding; no check computes what another can use."""

from __future__ import annotations

from collections.abc import Callable

from simgauge.auditing.checks.balance import balance, strength_path
from simgauge.auditing.checks.biases import folded_bias
from simgauge.auditing.checks.bounds import certified_neighbors, cosine_range
from simgauge.auditing.checks.copies import exact_copies, near_copies
from simgauge.auditing.checks.encoding import other_geometry, several_sources, tiny_norms, unsigned_bytes
from simgauge.auditing.checks.gauge import canonical_overlap, neighbor_popularity, norm_popularity, random_gauge_overlap
from simgauge.auditing.checks.identifiability import identifiability
from simgauge.auditing.checks.named_gauges import certified_in_named_gauges
from simgauge.auditing.checks.neighborhoods import (
    antihubs,
    concentration,
    far_out,
    hubness,
    queries,
    query_hubs,
    separate_parts,
)
from simgauge.auditing.checks.products import cosine_against_dot, self_dominated
from simgauge.auditing.checks.shape import (
    directions_used,
    dominant_column,
    evenness,
    norms,
    random_cosine,
    rogue_dimensions,
    top_direction,
    zero_vectors,
)
from simgauge.auditing.checks.shipped_gauge import shipped_gauge
from simgauge.auditing.checks.sides import side_means
from simgauge.auditing.workspace import Workspace
from simgauge.findings import Finding

Check = Callable[[Workspace], Finding | None]

ALL: tuple[Check, ...] = (
    identifiability,
    balance,
    folded_bias,
    strength_path,
    shipped_gauge,
    canonical_overlap,
    certified_in_named_gauges,
    random_gauge_overlap,
    certified_neighbors,
    cosine_range,
    neighbor_popularity,
    norm_popularity,
    unsigned_bytes,
    other_geometry,
    several_sources,
    cosine_against_dot,
    self_dominated,
    hubness,
    antihubs,
    random_cosine,
    directions_used,
    evenness,
    rogue_dimensions,
    dominant_column,
    top_direction,
    norms,
    tiny_norms,
    zero_vectors,
    exact_copies,
    near_copies,
    concentration,
    far_out,
    separate_parts,
    queries,
    side_means,
    query_hubs,
)
"""In the order of the report. A check returns None where its input is missing."""
