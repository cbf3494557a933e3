"""Costs of the routes are those that the docstring states."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from simgauge.core.spectral.solver_cost import route_costs


@pytest.mark.parametrize("shape", [(4000, 3000), (3000, 4000)])
def test_costs_grow_as_stated(shape):
    X = sp.random_array(shape, density=1e-3, format="csr", rng=0)
    few, more = route_costs(X, 8), route_costs(X, 16)
    assert few.dense == more.dense == 20 * 4000 * 3000**2
    assert more.gram - few.gram == pytest.approx(4 * 3000**2 * 8)
    for costs, steps in ((few, 8), (more, 10)):
        assert costs.lanczos == pytest.approx(steps * 4 * X.nnz * 16 * 6 + 4 * 3000 * 16**2 * steps**2)
    assert route_costs(np.ones((300, 40)), 5).lanczos == np.inf, "the basis would fill the space"
