"""What the lists of neighbours look like: copies, islands, queries and norms, each with a control."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import (
    Embedding,
    audit,
)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_copies_and_zero_vectors_are_counted_once(rng):
    base = rng.standard_normal((300, 12))
    copies = np.vstack([base, base[:30]])
    assert audit(Embedding(copies), k=5)["exact_duplicates"].verdict == "fail"
    assert audit(Embedding(base), k=5)["exact_duplicates"].value == 0
    holes = base.copy()
    holes[:9] = 0
    result = audit(Embedding(holes), k=5)
    assert result["zero_rows"].verdict == "fail"
    assert result["exact_duplicates"].value == 0


def test_islands_and_queries(rng):
    main = rng.standard_normal((300, 8)) * 0.3 + np.eye(8)[0] * 3
    island = rng.standard_normal((6, 8)) * 0.01 - np.eye(8)[1] * 3
    result = audit(Embedding(np.vstack([main, island]), users=-main), k=5)
    assert result["islands"].value == pytest.approx(6 / 306)
    assert result["ood_queries"].verdict == "fail"
    assert audit(Embedding(main, users=main + 0.01), k=5)["ood_queries"].verdict == "ok"


def test_norms_decide_between_cosine_and_dot(rng):
    Q = unit(rng.standard_normal((200, 8)))
    assert audit(Embedding(Q), k=5)["metric_overlap"].value == 1.0
    stretched = Q * rng.lognormal(sigma=1.0, size=(200, 1))
    assert audit(Embedding(stretched), k=5)["metric_overlap"].verdict == "fail"
