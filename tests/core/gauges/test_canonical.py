"""The canonical form does not know the gauge; the gauges it leads to keep predictions and say what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems import cosines, counts, two_tables
from simgauge import Embedding, canonical_form, canonical_gauge, gauge_transform, random_gauge
from simgauge.core.closed_form.catalogue import CATALOGUE, named_gauge
from simgauge.core.closed_form.factorize import factorize
from simgauge.core.gauges.canonical import canonical_core
from simgauge.core.spectral.spectrum import spectrum
from simgauge.core.tables.tables import unit_rows
from simgauge.errors import InputError, ParameterError

GAUGE_TOLERANCE = 1e-8
"""Promised for float64 and gauges with a condition number up to 1e4."""


def cosine_matrix(table):
    unit = unit_rows(table)
    return unit @ unit.T


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 9),
    log_condition=st.floats(0, 4),
    center=st.sampled_from(["none", "items", "users", "both"]),
    power=st.sampled_from([0.0, 0.5, 1.0, 1.7]),
)
def test_canonical_form_is_the_same_after_any_gauge(seed, k, log_condition, center, power):
    rng = np.random.default_rng(seed)
    P, Q = two_tables(rng, 40, 15, k)
    G = random_gauge(k, 10**log_condition if k > 1 else 1.0, seed)
    base, moved = Embedding(Q, P), gauge_transform(Embedding(Q, P), G)
    one, two = canonical_form(base, center), canonical_form(moved, center)
    np.testing.assert_allclose(two.singular_values, one.singular_values, rtol=GAUGE_TOLERANCE)
    np.testing.assert_allclose(two.right, one.right, atol=GAUGE_TOLERANCE)
    np.testing.assert_allclose(two.left, one.left, atol=GAUGE_TOLERANCE)
    np.testing.assert_allclose(
        cosine_matrix(canonical_gauge(moved, power, center).items),
        cosine_matrix(canonical_gauge(base, power, center).items),
        atol=GAUGE_TOLERANCE,
    )
    if k > 1 and log_condition > 1:  # control: the cosines as shipped do know the gauge
        assert np.abs(cosine_matrix(moved.items) - cosine_matrix(Q)).max() > 0.01


def test_canonical_form_is_the_svd_of_the_predictions(rng):
    P, Q = two_tables(rng)
    U, s, V = canonical_form(Embedding(Q, P))
    np.testing.assert_allclose((U * s) @ V.T, P @ Q.T, atol=1e-12)
    np.testing.assert_allclose(s, np.linalg.svd(P @ Q.T, compute_uv=False)[: len(s)], rtol=1e-12)
    np.testing.assert_allclose(U.T @ U, np.eye(6), atol=1e-12)
    np.testing.assert_allclose(V.T @ V, np.eye(6), atol=1e-12)
    assert np.all(V[np.abs(V).argmax(axis=0), np.arange(6)] > 0)


def test_projected_gauge_is_the_cosine_of_predicted_columns(rng):
    P, Q = two_tables(rng)
    Z = canonical_gauge(Embedding(Q, P), power=1.0).items
    np.testing.assert_allclose(cosine_matrix(Z), cosines((P @ Q.T).T), atol=1e-12)


def test_users_are_projected_where_items_are_whitened(rng):
    """The paper's remedy 2: rows of the predictions. At α = 1 the users are whitened instead."""
    P, Q = two_tables(rng)
    projected = canonical_gauge(Embedding(Q, P), 0.0).users
    np.testing.assert_allclose(projected @ projected.T, P @ Q.T @ Q @ P.T, rtol=1e-10)
    whitened = canonical_gauge(Embedding(Q, P), 1.0).users
    np.testing.assert_allclose(whitened.T @ whitened, np.eye(whitened.shape[1]), atol=1e-12)


def test_with_centred_users_it_is_their_correlation(rng):
    P, Q = two_tables(rng)
    P = P + 2.0
    Z = canonical_gauge(Embedding(Q, P), power=1.0, center="users").items
    correlation = np.corrcoef((P @ Q.T).T)
    np.testing.assert_allclose(cosine_matrix(Z), correlation, atol=1e-12)
    uncentred = canonical_gauge(Embedding(Q, P), power=1.0).items
    assert np.abs(cosine_matrix(uncentred) - correlation).max() > 0.1  # control


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("center", ["none", "users"])
def test_canonical_gauges_keep_every_prediction(rng, power, center):
    P, Q = two_tables(rng)
    P = P + 1.0
    moved = canonical_gauge(Embedding(Q, P), power, center)
    np.testing.assert_allclose(moved.users @ moved.items.T, P @ Q.T, atol=1e-10)
    assert moved.provenance["gauge"]["predictions_kept"]


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("center", ["none", "items", "users", "both"])
def test_a_centred_side_may_shift_and_no_other(rng, power, center):
    """Also the invariance of the users, up to the shift that they keep."""
    P, Q = two_tables(rng)
    model, G = Embedding(Q, P), random_gauge(6, 30.0, 1)
    one, form = canonical_gauge(model, power, center), canonical_form(model, center)
    for side in ("items", "users"):
        moved = gauge_transform(model, G, **{f"{side[:-1]}_shift": 3 * rng.standard_normal(6)})
        two, moved_form = canonical_gauge(moved, power, center), canonical_form(moved, center)
        gap = np.abs(cosine_matrix(two.items) - cosine_matrix(one.items)).max()
        if center in (side, "both"):
            assert gap < 1e-9
            np.testing.assert_allclose(moved_form.singular_values, form.singular_values, rtol=1e-9)
            np.testing.assert_allclose(moved_form.left, form.left, atol=1e-9)
            np.testing.assert_allclose(moved_form.right, form.right, atol=1e-9)
            centred = [e.users - e.users.mean(axis=0) for e in (one, two)]
            np.testing.assert_allclose(cosine_matrix(centred[1]), cosine_matrix(centred[0]), atol=1e-9)
        elif not (power == 0 and side == "users"):  # α = 0 does not look at the users, so their shift changes nothing
            assert gap > 0.01
        else:
            assert gap < 1e-9


def test_the_centred_form_is_the_svd_of_the_centred_predictions(rng):
    P, Q = two_tables(rng)
    U, s, V = canonical_form(Embedding(Q, P), "items")
    predictions = P @ Q.T
    np.testing.assert_allclose((U * s) @ V.T, predictions - predictions.mean(axis=1, keepdims=True), atol=1e-11)


def test_one_table_can_be_whitened_with_its_mean_taken_out(rng):
    _, Q = two_tables(rng)
    Z = canonical_gauge(Embedding(Q), 0, "items").items
    np.testing.assert_allclose(Z.T @ Z, np.eye(6), atol=1e-12)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-12)
    moved = canonical_gauge(gauge_transform(Embedding(Q), random_gauge(6, 9.0), item_shift=np.full(6, 4.0)), 0, "items")
    np.testing.assert_allclose(Z @ Z.T, moved.items @ moved.items.T, atol=1e-10)
    with pytest.raises(InputError, match="are the same"):
        canonical_gauge(Embedding(np.ones((5, 3))), 0, "items")
    with pytest.raises(InputError, match="power=0, center='none' or 'items'"):
        canonical_gauge(Embedding(Q), 0, "users")


def test_shifts_that_cannot_be_are_refused(rng):
    P, Q = two_tables(rng)
    with pytest.raises(ParameterError, match="item_shift: expected 6 finite numbers"):
        gauge_transform(Embedding(Q, P), np.eye(6), item_shift=[1.0])
    with pytest.raises(ParameterError, match="user_shift"):
        gauge_transform(Embedding(Q, P), np.eye(6), user_shift=np.full(6, np.nan))
    with pytest.raises(InputError, match="needs both tables"):
        gauge_transform(Embedding(Q), np.eye(6), user_shift=np.ones(6))


@pytest.mark.parametrize("center", ["items", "both"])
def test_centring_the_items_shifts_every_users_scores_by_one_constant(rng, center):
    P, Q = two_tables(rng)
    moved = canonical_gauge(Embedding(Q, P), 0.5, center)
    shift = moved.users @ moved.items.T - P @ Q.T
    np.testing.assert_allclose(shift, shift[:, :1] @ np.ones((1, len(Q))), atol=1e-10)
    assert np.abs(shift).max() > 0.1
    assert not moved.provenance["gauge"]["predictions_kept"]


def test_catalogue_names_are_canonical_gauges_of_the_linear_model(rng):
    """σ^a s^b of the paper against Z(α) computed from the tables alone, where the two must agree."""
    X = counts(rng)
    S, l2 = spectrum(X, 6), 4.0
    A, B = factorize(S, "product", l2)
    for name, power in {"whitened": 0.0, "balanced": 0.5, "projected": 1.0}.items():
        Z = canonical_gauge(Embedding(B, X @ A), power).items
        named = named_gauge(S, l2, name)
        np.testing.assert_allclose(cosine_matrix(Z), cosine_matrix(named.decoder), atol=1e-9)
    products = [named_gauge(S, l2, name) for name in CATALOGUE]
    for factors in products:
        np.testing.assert_allclose(factors.encoder @ factors.decoder.T, A @ B.T, atol=1e-10)
    by_name = dict(zip(CATALOGUE, products, strict=True))
    np.testing.assert_allclose(by_name["minimum-norm"].decoder, B, atol=1e-12)
    balanced = by_name["balanced"]
    np.testing.assert_allclose(
        (X @ balanced.encoder).T @ (X @ balanced.encoder), balanced.decoder.T @ balanced.decoder, atol=1e-9
    )
    np.testing.assert_allclose(
        by_name["encoder-whitened"].encoder.T @ by_name["encoder-whitened"].encoder, np.eye(6), atol=1e-9
    )
    with pytest.raises(ParameterError, match="expected one of 'whitened'"):
        named_gauge(S, l2, "nice")


def test_the_geodesic_between_the_two_invariant_metrics_is_the_family(rng):
    """Z(½) is the metric C_P #_½ C_Q⁻¹, so that α is the parameter of a Riemannian geodesic."""
    from scipy.linalg import inv, sqrtm

    P, Q = two_tables(rng)
    C_P, C_Q_inverse = P.T @ P, inv(Q.T @ Q)
    root = sqrtm(C_P).real
    middle = root @ sqrtm(inv(root) @ C_Q_inverse @ inv(root)).real @ root
    Z = canonical_gauge(Embedding(Q, P), 0.5).items
    np.testing.assert_allclose(Z @ Z.T, Q @ middle @ Q.T, atol=1e-8)


@pytest.mark.parametrize("shapes", [(3, 20), (40, 3), (3, 4)])
def test_tables_with_fewer_rows_than_columns(rng, shapes):
    P, Q = two_tables(rng, *shapes, k=6)
    U, s, V = canonical_form(Embedding(Q, P))
    assert len(s) == min(*shapes, 6)
    np.testing.assert_allclose((U * s) @ V.T, P @ Q.T, atol=1e-11)
    moved = canonical_gauge(Embedding(Q, P), 0.5)
    np.testing.assert_allclose(moved.users @ moved.items.T, P @ Q.T, atol=1e-11)


def test_rank_deficient_tables_lose_only_directions_nobody_predicts_with(rng):
    P, Q = two_tables(rng)
    P[:, 3] = P[:, 0]
    Q[:, 5] = 2 * Q[:, 4]
    Q[:, 1] = 0
    U, s, V = canonical_form(Embedding(Q, P))
    np.testing.assert_allclose((U * s) @ V.T, P @ Q.T, atol=1e-11)
    assert len(s) == np.linalg.matrix_rank(P @ Q.T)
    one = canonical_gauge(Embedding(Q, P), 1.0).items
    np.testing.assert_allclose(cosine_matrix(one), cosines((P @ Q.T).T), atol=1e-10)


def test_repeated_singular_values_have_unique_cosines():
    P, Q = np.vstack([np.eye(3)] * 2), np.vstack([np.eye(3), np.ones((1, 3))])
    G = random_gauge(3, 100.0, 1)
    one = canonical_gauge(Embedding(Q, P), 0.5).items
    two = canonical_gauge(gauge_transform(Embedding(Q, P), G), 0.5).items
    np.testing.assert_allclose(cosine_matrix(one), cosine_matrix(two), atol=1e-10)


def test_zero_rows_stay_zero(rng):
    P, Q = two_tables(rng)
    Q[2] = 0
    for power in (0.0, 1.0):
        assert np.all(np.abs(canonical_gauge(Embedding(Q, P), power).items[2]) < 1e-15)


def test_ill_conditioned_tables_take_the_householder_route(rng):
    P, Q = two_tables(rng)
    Q = Q * np.logspace(0, -9, 6)
    P = P / np.logspace(0, -9, 6)
    U, s, V = canonical_form(Embedding(Q, P))
    np.testing.assert_allclose((U * s) @ V.T, P @ Q.T, rtol=1e-5, atol=1e-5 * np.abs(P @ Q.T).max())
    np.testing.assert_allclose(V.T @ V, np.eye(6), atol=1e-6)


def test_float32_tables_stay_float32_and_agree(rng):
    P, Q = two_tables(rng)
    wide = canonical_form(Embedding(Q, P))
    narrow = canonical_form(Embedding(Q.astype(np.float32), P.astype(np.float32)))
    assert narrow.right.dtype == np.float32
    np.testing.assert_allclose(narrow.singular_values, wide.singular_values, rtol=1e-5)
    np.testing.assert_allclose(narrow.right, wide.right, atol=1e-5)


def test_norm_power_goes_from_cosine_to_dot(rng):
    P, Q = two_tables(rng)
    plain = canonical_gauge(Embedding(Q, P), 0.5).items
    norms = np.linalg.norm(plain, axis=1)
    for gamma in (0.0, 0.3, 1.0):
        scaled = canonical_gauge(Embedding(Q, P), 0.5, norm_power=gamma)
        np.testing.assert_allclose(np.linalg.norm(scaled.items, axis=1), norms**gamma, rtol=1e-10)
        assert scaled.provenance["gauge"]["predictions_kept"] is (gamma == 1.0)
    with pytest.raises(ParameterError, match="norm_power"):
        canonical_gauge(Embedding(Q, P), norm_power=1.5)


def test_one_table_has_the_whitened_gauge_only(rng):
    _, Q = two_tables(rng)
    Z = canonical_gauge(Embedding(Q), power=0).items
    np.testing.assert_allclose(Z.T @ Z, np.eye(6), atol=1e-12)
    moved = canonical_gauge(gauge_transform(Embedding(Q), random_gauge(6, 50.0, 1)), power=0).items
    np.testing.assert_allclose(Z @ Z.T, moved @ moved.T, atol=1e-10)
    with pytest.raises(InputError, match="pass a sample of the other side"):
        canonical_gauge(Embedding(Q))
    with pytest.raises(InputError, match="needs both tables"):
        canonical_form(Embedding(Q))


def test_random_gauges_have_the_stated_condition_and_repeat():
    G = random_gauge(7, 30.0, 5)
    assert np.linalg.cond(G) == pytest.approx(30.0)
    assert abs(np.linalg.det(G)) == pytest.approx(1.0)
    np.testing.assert_array_equal(G, random_gauge(7, 30.0, 5))
    assert np.abs(G - random_gauge(7, 30.0, 6)).max() > 0.01
    np.testing.assert_allclose(random_gauge(1, 1.0), [[1.0]], atol=2)
    for arguments in [(0, 2.0), (3, 0.5), (3, np.inf), (3, np.nan), (1, 2.0)]:
        with pytest.raises(ParameterError, match=r"expected at least 1|expected a finite number >= 1|only has a scale"):
            random_gauge(*arguments)


@pytest.mark.parametrize(
    ("G", "text"),
    [(np.eye(3), "shape"), (np.full((6, 6), np.nan), "NaN"), (np.ones((6, 6)), "singular")],
)
def test_matrices_that_are_no_gauge_are_refused(rng, G, text):
    P, Q = two_tables(rng)
    with pytest.raises(ParameterError, match=text):
        gauge_transform(Embedding(Q, P), G)


def test_nothing_to_canonicalise(rng):
    P, Q = two_tables(rng)
    with pytest.raises(InputError, match="all predictions"):
        canonical_form(Embedding(np.zeros_like(Q), P))
    with pytest.raises(InputError, match="after centring"):
        canonical_form(Embedding(Q, np.ones_like(P)), center="users")
    with pytest.raises(InputError, match="nothing to whiten"):
        canonical_gauge(Embedding(np.zeros_like(Q)), 0)
    with pytest.raises(ParameterError, match="center"):
        canonical_gauge(Embedding(Q, P), center="item")
    with pytest.raises(ParameterError, match="power"):
        canonical_gauge(Embedding(Q, P), power=np.nan)


@pytest.mark.parametrize("coarse", ["users", "items"])
def test_the_coarser_table_says_what_is_rounding(rng, coarse):
    """Rank two stored in float32: the third singular value is rounding of that table, however fine the other one is."""
    tables = {side: rng.standard_normal((200, 3)) for side in ("users", "items")}
    tables[coarse] = (rng.standard_normal((200, 2)) @ rng.standard_normal((2, 3))).astype(np.float32)
    assert np.linalg.matrix_rank(tables[coarse].astype(np.float64)) == 3, "control: rounding fills the rank"
    assert canonical_core(tables["users"], tables["items"]).rank == 2
