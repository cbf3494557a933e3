"""Workspace of an audit: what the checks share is what it says it is."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import (
    Embedding,
)


def test_the_condition_number_of_a_random_metric_is_that_of_the_metric(rng):
    """κ = 9 is a gauge of condition 3: the lists are those under exactly such a G."""
    from simgauge.auditing.run import _workspace
    from simgauge.auditing.training import known_training
    from simgauge.core.gauges.random_gauges import random_axes
    from simgauge.core.neighbors.topk import top_k

    items = rng.standard_normal((50, 5))
    workspace = _workspace(Embedding(items), known_training({}), None, None, 4, 100, 0, None)
    axes, exponents = random_axes(5, np.random.default_rng([0, 7, 0]))
    G = axes * 3.0**exponents
    assert np.linalg.cond(G) == pytest.approx(3.0)
    found = workspace.random_metric_lists([9.0], 0)[0]
    np.testing.assert_array_equal(found, top_k(items @ G, 4, rows=workspace.gauge_rows)[0])
    assert (workspace.random_metric_lists([81.0], 0)[0] != found).any()
