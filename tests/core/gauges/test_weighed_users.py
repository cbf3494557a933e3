"""Users weighed by their predictions: the core of the scaled predicted matrix, whatever the gauge."""

from __future__ import annotations

import numpy as np
import pytest

from problems import cosines, two_tables
from simgauge.core.gauges.canonical import canonical_core, power_map
from simgauge.core.gauges.weighed_users import weighed_core
from simgauge.errors import ParameterError


def centred(P, Q, center):
    users = P - P.mean(axis=0) if center in ("users", "both") else P
    return users, Q - Q.mean(axis=0) if center in ("items", "both") else Q


@pytest.mark.parametrize("center", ["none", "items", "users", "both"])
@pytest.mark.parametrize("power", [0.0, 0.5])
def test_it_is_the_core_of_the_predictions_with_scaled_rows(rng, center, power):
    """Slow reference: form the predictions, scale their rows, take the cosine of the columns."""
    P, Q = two_tables(rng)
    P = P * rng.lognormal(0, 1.5, size=(len(P), 1))
    core = weighed_core(P, Q, center, power)
    Pc, Qc = centred(P, Q, center)
    Y = Pc @ Qc.T
    Y = Y * np.linalg.norm(Y, axis=1, keepdims=True) ** (power - 1)
    items = power_map(core, 1.0).apply_items(Q)
    np.testing.assert_allclose(cosines(items), cosines(Y.T), atol=1e-10)
    plain = power_map(canonical_core(P, Q, center), 1.0).apply_items(Q)
    assert np.abs(cosines(plain) - cosines(items)).max() > 1e-2  # control: unweighed users say something else


def test_norms_one_are_the_plain_core(rng):
    P, Q = two_tables(rng)
    np.testing.assert_array_equal(weighed_core(P, Q).singular_values, canonical_core(P, Q).singular_values)


def test_users_that_are_all_alike_have_no_other_gauge_at_power_zero(rng):
    P, Q = two_tables(rng)
    items = [power_map(core, 0.0).apply_items(Q) for core in (canonical_core(P, Q), weighed_core(P, Q, "none", 0.0))]
    np.testing.assert_allclose(cosines(items[0]), cosines(items[1]), atol=1e-10)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.5])
def test_dot_products_are_kept(rng, alpha):
    """The items move linearly, and the users' side of the map undoes it."""
    P, Q = two_tables(rng)
    fitted = power_map(weighed_core(P, Q, "none", 0.0), alpha)
    np.testing.assert_allclose(fitted.apply_users(P) @ fitted.apply_items(Q).T, P @ Q.T, atol=1e-10)


def test_a_user_without_predictions_and_extreme_scales(rng):
    P, Q = two_tables(rng)
    P[3] = 0
    core = weighed_core(P, Q, "none", 0.0)
    for scale in (1e-60, 1e60):
        np.testing.assert_allclose(
            cosines(power_map(weighed_core(P * scale, Q, "none", 0.0), 1.0).apply_items(Q)),
            cosines(power_map(core, 1.0).apply_items(Q)),
            atol=1e-10,
        )
        same = weighed_core(P * scale, Q, "none", 0.0).singular_values
        np.testing.assert_allclose(np.linalg.norm(same), scale * np.linalg.norm(core.singular_values), rtol=1e-10)
    rest = weighed_core(np.delete(P, 3, axis=0), Q, "none", 0.0)
    np.testing.assert_allclose(
        cosines(power_map(rest, 1.0).apply_items(Q)), cosines(power_map(core, 1.0).apply_items(Q)), atol=1e-10
    )
    with pytest.raises(ParameterError, match=r"user_norm_power=1\.5"):
        weighed_core(P, Q, "none", 1.5)
