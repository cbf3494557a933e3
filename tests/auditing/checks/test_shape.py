"""What the table of vectors looks like: each finding on a planted fault and on a control."""

from __future__ import annotations

import numpy as np

from simgauge import (
    Embedding,
    audit,
)


def test_geometry_findings_find_what_was_planted(rng):
    base = rng.standard_normal((300, 12))
    plain = audit(Embedding(base), k=5)
    shifted = audit(Embedding(base + 3.0), k=5)
    assert plain["random_cosine"].verdict == "ok"
    assert shifted["random_cosine"].verdict == "fail"
    assert abs(shifted["random_cosine"].details["centered"]) < 0.05
    rogue = base.copy()
    rogue[:, 4] = 30 + rogue[:, 4]
    assert "column 4" in audit(Embedding(rogue), k=5)["rogue_dimensions"].summary
    loud = base.copy()
    loud[:, 7] *= 50
    assert "column 7" in audit(Embedding(loud), k=5)["rogue_variance"].summary
    flat = audit(Embedding(np.outer(rng.standard_normal(300), np.ones(12)) + 1e-3 * base), k=5)
    assert flat["top_direction"].verdict == "fail"
    assert plain["top_direction"].verdict == "ok"
    assert flat["isoscore"].verdict == plain["isoscore"].verdict == "info"  # a description
