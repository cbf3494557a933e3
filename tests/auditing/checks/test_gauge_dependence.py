"""A law over all checks: a finding says that it depends on the gauge exactly if it does."""

from __future__ import annotations

import numpy as np
import pytest

from problems import two_tables
from simgauge import (
    Embedding,
    audit,
    canonical_gauge,
    gauge_transform,
    random_gauge,
)


def test_whether_a_geometry_finding_depends_on_the_gauge_is_true(rng):
    """What says that it depends moves under a gauge, and nothing moves under a rotation but what says so."""
    P, Q = two_tables(rng, 80, 60, 6)
    model = canonical_gauge(Embedding(Q + 0.5, P), 0.5)
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    original, rotated, moved = (
        {f.id: f for f in audit(e, k=5).findings}
        for e in (model, gauge_transform(model, rotation), gauge_transform(model, random_gauge(6, 8.0)))
    )
    axis_bound = {"rogue_dimensions", "rogue_variance"}
    for name, finding in original.items():
        if finding.group != "geometry" or finding.value is None:
            continue
        if name not in axis_bound:
            assert rotated[name].value == pytest.approx(finding.value, abs=1e-6), f"{name}"
    for name in ("random_cosine", "effective_rank", "isoscore", "norm_spread", "metric_overlap", "distance_contrast"):
        assert moved[name].value != pytest.approx(original[name].value, rel=1e-3), f"{name}"
    assert moved["zero_rows"].value == original["zero_rows"].value
