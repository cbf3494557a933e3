from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import sparse, stats
from scipy.integrate import cumulative_trapezoid

from simgauge.datasets import clusters as simulate
from simgauge.datasets.clusters import _draw, _drawn_popularity, _zipf_within, simulate_clusters
from simgauge.errors import ParameterError

ALPHA = 1e-5
"""Chance of a false alarm of a statistical test, were the seed free; the seeds are fixed."""


def inclusion(weights, size):
    """P(item is drawn) by going through every order of drawing one after the other: slow and obvious."""
    found = np.zeros(len(weights))
    for order in permutations(range(len(weights)), size):
        chance, left = 1.0, weights.sum()
        for item in order:
            chance *= weights[item] / left
            left -= weights[item]
        found[list(order)] += chance
    return found


def test_the_reference_draws_the_right_number():
    assert inclusion(np.array([5.0, 3.0, 1.0]), 2).sum() == pytest.approx(2)
    assert inclusion(np.array([5.0, 3.0, 1.0]), 1) == pytest.approx([5 / 9, 3 / 9, 1 / 9])


@pytest.mark.parametrize("size", [1, 2, 4])
def test_inclusion_probabilities_are_those_of_drawing_one_after_the_other(rng, size):
    weights, clusters, preference = (
        np.array([1.0, 0.5, 0.33, 1.0, 0.2]),
        np.array([0, 0, 0, 1, 1]),
        np.array([0.8, 0.2]),
    )
    n_draws = 40_000
    drawn = _draw(np.tile(preference, (n_draws, 1)), weights, clusters, np.full(n_draws, size), rng)
    assert (np.diff(drawn.indptr) == size).all()
    expected = inclusion(weights * preference[clusters], size)
    z = (drawn.mean(axis=0) - expected) / np.sqrt(expected * (1 - expected) / n_draws)
    limit = stats.norm.isf(ALPHA / 2)
    assert np.abs(z).max() < limit
    # control: drawing with replacement, or ignoring the weights, is another law
    naive = 1 - (1 - weights * preference[clusters] / (weights * preference[clusters]).sum()) ** size
    for wrong in ([naive] if size > 1 else []) + [np.full(5, size / 5)]:
        assert np.abs((drawn.mean(axis=0) - wrong) / np.sqrt(expected * (1 - expected) / n_draws)).max() > 2 * limit


def test_popularity_is_zipf_within_each_cluster(rng):
    clusters, exponents = np.repeat([0, 1], [30, 12]), np.array([0.25, 1.5])
    weights = _zipf_within(clusters, exponents, rng)
    for cluster, exponent in enumerate(exponents):
        ordered = np.sort(weights[clusters == cluster])[::-1]
        slopes = np.diff(np.log(ordered)) / np.diff(np.log(np.arange(1, len(ordered) + 1)))
        assert slopes == pytest.approx(-exponent, abs=1e-9)


@pytest.mark.parametrize("exponent", [0.25, 1.0, 1.5])
@pytest.mark.parametrize("form", ["density", "power"])
def test_drawn_popularities_follow_their_density(rng, form, exponent):
    """Against the distribution function by numerical integration of the density."""
    low = 1e-2
    drawn = _drawn_popularity(np.full(5_000, exponent), form, low, rng)
    grid = np.geomspace(low if form == "density" else 1e-30, 1, 100_001)
    density = grid ** (-exponent if form == "density" else exponent - 1)
    law = cumulative_trapezoid(density * grid, np.log(grid), initial=0)
    law /= law[-1]
    assert stats.ks_1samp(drawn, lambda x: np.interp(x, grid, law)).pvalue > ALPHA
    other = stats.powerlaw(1 + exponent).cdf  # control
    assert stats.ks_1samp(drawn, other).pvalue < ALPHA
    if form == "power":
        assert stats.ks_1samp(drawn, stats.powerlaw(exponent).cdf).pvalue > ALPHA


def test_forms_of_the_power_law_differ_in_items_and_agree_on_users_at_one_half():
    forms = {form: simulate_clusters(2_000, 50, 3, power_law=form, rng=4) for form in ("rank", "density", "power")}
    assert len({data.item_weights.tobytes() for data in forms.values()}) == 3
    assert all((data.item_weights > 0).all() and data.item_weights.max() <= 1 for data in forms.values())
    sizes = [np.sort(np.diff(data.matrix.indptr)) for data in forms.values()]
    assert stats.ks_2samp(sizes[1], sizes[2]).pvalue > ALPHA
    steep = simulate_clusters(
        2_000, 50, 3, power_law="power", user_exponent=2.0, rng=4
    )  # control: more items, not fewer
    assert np.diff(steep.matrix.indptr).mean() > 1.5 * sizes[2].mean()


def test_activity_is_a_truncated_power_law():
    low, high, exponent = 2, 12, 0.5
    data = simulate_clusters(
        20_000, 20, 2, user_exponent=exponent, min_items_per_user=low, max_items_per_user=high, rng=3
    )
    sizes = np.arange(low, high + 1)
    observed = np.bincount(np.diff(data.matrix.indptr), minlength=high + 1)
    assert observed[:low].sum() == 0
    assert len(observed) == high + 1
    law = sizes**-exponent
    assert stats.chisquare(observed[low:], 20_000 * law / law.sum()).pvalue > ALPHA
    assert stats.chisquare(observed[low:], np.full(len(sizes), 20_000 / len(sizes))).pvalue < ALPHA


def test_clusters_and_preferences_follow_their_dirichlet_laws():
    shares = [
        np.bincount(simulate_clusters(1, 2_000, 4, cluster_concentration=50, rng=seed).clusters) / 2_000
        for seed in range(40)
    ]
    expected_variance = 0.25 * 0.75 / (4 * 50 + 1)
    assert np.var(shares, ddof=1) == pytest.approx(expected_variance, rel=0.5)
    even = simulate_clusters(2_000, 20, 4, preference_concentration=100.0).preferences
    moody = simulate_clusters(2_000, 20, 4, preference_concentration=0.1).preferences
    assert even.sum(axis=1) == pytest.approx(1.0)
    assert even.var() == pytest.approx(0.25 * 0.75 / 401, rel=0.1)
    assert moody.var() == pytest.approx(0.25 * 0.75 / 1.4, rel=0.1)


def test_users_take_what_they_like():
    data = simulate_clusters(3_000, 60, 3, max_items_per_user=5, rng=4)
    taken = np.stack([np.asarray(data.matrix[:, data.clusters == c].sum(axis=1)).ravel() for c in range(3)], axis=1)
    for cluster in range(3):
        assert np.corrcoef(taken[:, cluster], data.preferences[:, cluster])[0, 1] > 0.5


def test_the_matrix_is_binary_float32_csr_and_the_seed_decides():
    first, again, other = (simulate_clusters(100, 30, 3, rng=seed) for seed in (5, 5, 6))
    assert sparse.issparse(first.matrix)
    assert first.matrix.format == "csr"
    assert first.matrix.dtype == np.float32
    assert first.matrix.has_canonical_format
    assert set(first.matrix.data.tolist()) == {1.0}
    assert (first.matrix != again.matrix).nnz == 0
    assert np.array_equal(first.clusters, again.clusters)
    assert (first.matrix != other.matrix).nnz > 0


def test_blocks_do_not_change_the_draw(monkeypatch):
    whole = simulate_clusters(101, 30, 3)
    monkeypatch.setattr(simulate, "CELLS_PER_BLOCK", 30 * 7)
    assert (whole.matrix != simulate_clusters(101, 30, 3).matrix).nnz == 0


def test_preferences_that_underflow_leave_the_rest_to_popularity(rng):
    preference = np.tile([1.0, 0.0], (4_000, 1))
    drawn = _draw(
        preference, np.array([1.0, 1.0, 1.0, 0.5, 0.5, 0.5]), np.array([0, 0, 1, 1, 1, 1]), np.full(4_000, 3), rng
    )
    share = drawn.astype(np.float64).mean(axis=0)
    assert share[:2] == pytest.approx(1.0)
    assert share[2:] == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=0.04)
    assert simulate_clusters(50, 20, 5, preference_concentration=1e-3).matrix.nnz > 0


def test_display_order_is_by_cluster_then_by_falling_popularity():
    data = simulate_clusters(10, 50, 3)
    order = data.display_order()
    assert (np.diff(data.clusters[order]) >= 0).all()
    for cluster in range(3):
        inside = order[data.clusters[order] == cluster]
        assert (np.diff(data.item_weights[inside]) <= 0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_users": 0}, "at least 1 user"),
        ({"n_clusters": 31}, "1 to n_items clusters"),
        ({"min_items_per_user": 0}, "1 <= minimum"),
        ({"max_items_per_user": 31}, "maximum <= n_items = 30"),
        ({"item_exponents": (1.5, 0.25)}, "low <= high"),
        ({"item_exponents": (0.25, float("inf"))}, "finite"),
        ({"user_exponent": float("nan")}, "user_exponent=nan: expected a finite number"),
        ({"cluster_concentration": 0.0}, "cluster_concentration=0.0"),
        ({"preference_concentration": -1.0}, "preference_concentration=-1.0"),
    ],
)
def test_bad_parameters_are_named(wrong, message):
    with pytest.raises(ParameterError, match=message):
        simulate_clusters(**{"n_users": 20, "n_items": 30, "n_clusters": 3, **wrong})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"power_law": "zipf"}, "power_law='zipf'"),
        ({"power_law": "power", "user_exponent": 0.0}, "exponents > 0"),
        ({"smallest_popularity": 0.0}, "smallest_popularity=0"),
    ],
)
def test_forms_that_do_not_exist_are_refused(wrong, message):
    with pytest.raises(ParameterError, match=message):
        simulate_clusters(20, 10, 2, **wrong)
