"""Each remedy improves the finding it is for, on data with that fault, and the test states what it costs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from remedy_problems import WIDTH, clustered, lists_of, overlap, two_sides, used
from simgauge import Embedding, gauge_transform, random_gauge
from simgauge.core.geometry.effective_rank import effective_rank, isoscore
from simgauge.core.neighbors.hubness import k_occurrence, k_skewness
from simgauge.core.tables.tables import unit_rows
from simgauge.models import LinearAutoencoder
from simgauge.remedies import (
    CSLS,
    AllButTheTop,
    CanonicalGauge,
    Centering,
    LeaveAlone,
    LocalScaling,
    NormDiscounting,
    PopularityWhitening,
    Refit,
    Standardizing,
    Whitening,
)


def purity(lists, taste):
    return float((taste[lists] == taste[:, None]).mean())


def mean_cosine(table):
    unit = unit_rows(table)
    return float(np.square(unit.sum(axis=0)).sum() / len(unit) ** 2)


def skewness(remedy, embedding):
    return k_skewness(k_occurrence(remedy.neighbors(embedding, 10)[0], embedding.n_items))


def test_canonical_gauge_neighbours_survive_a_change_of_gauge(rng):
    embedding = two_sides(rng)
    moved = gauge_transform(embedding, random_gauge(WIDTH, 10.0, 3))
    shipped = overlap(lists_of(embedding.items), lists_of(moved.items))
    fixed = overlap(*(lists_of(CanonicalGauge(1.0).fit_transform(e).items) for e in (embedding, moved)))
    assert shipped < 0.7
    assert fixed == 1.0
    # cost: none, predictions are kept (test_interface)


def test_projecting_back_with_centred_users_finds_tastes_and_frees_lists_of_popularity(rng):
    interactions, taste = clustered(rng)
    model = LinearAutoencoder(12, "product", l2=1.0).fit(interactions.matrix)
    shipped = model.embedding(interactions)
    fixed = CanonicalGauge(1.0, "users").fit_transform(shipped)
    assert purity(lists_of(fixed.items), taste) > purity(lists_of(shipped.items), taste) + 0.1
    uncentred = CanonicalGauge(1.0, "none").fit_transform(shipped)

    def popularity(embedding):
        return np.log1p(interactions.item_counts)[lists_of(embedding.items)].mean()

    assert popularity(fixed) < popularity(uncentred)


def test_whitening_evens_out_directions_and_lets_noise_weigh_as_much(rng):
    signal = rng.standard_normal((400, 3)) * [5, 4, 3]
    noise = 1e-3 * rng.standard_normal((400, 3))
    embedding = Embedding(np.hstack([signal, noise]) + 2)

    def spread(table):
        return np.linalg.svd(table - table.mean(axis=0), compute_uv=False) ** 2

    white = Whitening().fit_transform(embedding)
    assert effective_rank(np.sqrt(spread(embedding.items))) < 4
    assert effective_rank(np.sqrt(spread(white.items))) == pytest.approx(6)
    assert isoscore(spread(white.items), 6) == pytest.approx(1)
    # cost: neighbours of the signal are lost to the noise; shrinkage limits the damage
    truth = lists_of(Whitening().fit_transform(Embedding(signal)).items)
    assert overlap(truth, lists_of(white.items)) < 0.3
    assert overlap(truth, lists_of(Whitening(shrinkage=0.1).fit_transform(embedding).items)) > 0.7


def test_popularity_whitening_whitens_the_stream_of_uses(rng):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    weights = interactions.item_counts / interactions.item_counts.sum()

    def covariance(table):
        rows = table - weights @ table
        return (rows.T * weights) @ rows

    np.testing.assert_allclose(
        covariance(PopularityWhitening().fit_transform(embedding, interactions).items), np.eye(WIDTH), atol=1e-10
    )
    plain = covariance(Whitening().fit_transform(embedding).items)
    assert np.abs(plain - np.eye(WIDTH)).max() > 0.1  # control
    np.testing.assert_allclose(
        PopularityWhitening(0.0).fit_transform(embedding, interactions).items,
        Whitening().fit_transform(embedding).items,
        atol=1e-10,
    )


def test_centering_removes_the_common_direction(rng):
    embedding = Embedding(rng.standard_normal((300, 8)) + 3)
    assert mean_cosine(embedding.items) > 0.8
    assert mean_cosine(Centering().fit_transform(embedding).items) < 0.02
    # cost: rankings by dot product are kept, dot products are not (test_interface)


def test_all_but_the_top_removes_the_dominant_direction_and_with_it_part_of_the_predictions(rng):
    users, items = rng.standard_normal((50, 8)), rng.standard_normal((300, 8))
    items[:, 0] *= 30
    embedding = Embedding(items, users)

    def top_share(table):
        variances = np.linalg.svd(table - table.mean(axis=0), compute_uv=False) ** 2
        return variances[0] / variances.sum()

    fixed = AllButTheTop(n_remove=1).fit_transform(embedding)
    assert top_share(items) > 0.9
    assert top_share(fixed.items) < 0.25
    before, after = users @ items.T, fixed.users @ fixed.items.T
    assert np.linalg.norm(after) < 0.3 * np.linalg.norm(before)  # the cost


def test_all_but_the_top_takes_the_papers_number():
    for width, removed in ((50, 1), (149, 1), (300, 3)):
        table = np.random.default_rng(0).standard_normal((width + 5, width))
        rank = np.linalg.matrix_rank(AllButTheTop().fit(Embedding(table)).item_matrix_)
        assert rank == width - removed


def test_standardizing_tames_a_rogue_dimension(rng):
    table = rng.standard_normal((300, 6)) * [100, 1, 1, 1, 1, 1]
    fixed = Standardizing().fit_transform(Embedding(table)).items
    # what one axis contributes to the cosine of a vector with itself
    assert np.square(unit_rows(table)[:, 0]).mean() > 0.95
    assert np.square(unit_rows(fixed)[:, 0]).mean() == pytest.approx(1 / 6, abs=0.03)
    np.testing.assert_allclose(fixed.std(axis=0), 1, atol=1e-12)
    # cost: see test_gauge, the result depends on the axes


def test_norm_discounting_moves_popular_neighbours_in_or_out(rng):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)

    def popularity(remedy):
        lists = remedy.fit(embedding, interactions).neighbors(embedding, 5)[0]
        return np.log1p(interactions.item_counts)[lists].mean()

    assert popularity(NormDiscounting(-0.6)) < popularity(LeaveAlone()) < popularity(NormDiscounting(0.6))


@pytest.mark.parametrize("remedy", [CSLS(), LocalScaling("nicdm"), LocalScaling("exponential")], ids=lambda r: r.name)
def test_neighbour_scaling_removes_hubs_for_some_similarity(rng, remedy):
    embedding = Embedding(rng.standard_normal((500, 40)) + 0.3)
    shipped, fixed = LeaveAlone().fit(embedding), remedy.fit(embedding)
    assert skewness(fixed, embedding) < 0.6 * skewness(shipped, embedding)
    unit = unit_rows(embedding.items)

    def closeness(fitted):
        return np.einsum("ij,ikj->ik", unit, unit[fitted.neighbors(embedding, 10)[0]]).mean()

    # cost: what is listed is a little less similar; a handful of percent, not a collapse
    assert 0.8 * closeness(shipped) < closeness(fixed) < closeness(shipped)


@pytest.mark.parametrize(
    "remedy",
    [
        Refit("standardize", n_components=12),
        Refit("propensity", item_exponent=0.5, n_components=12),
        Refit("damping", n_components=12),
        Refit("eigenrec", scaling=0.0, n_components=12),
    ],
    ids=lambda remedy: remedy.name,
)
def test_refits_take_popularity_out_of_norms_and_of_the_first_direction(rng, remedy):
    interactions, _ = clustered(rng)
    embedding = Embedding(np.eye(interactions.n_items))
    plain, fixed = (r.fit(embedding, interactions) for r in (Refit("none", n_components=12), remedy))

    def norm_popularity(fitted):
        return stats.spearmanr(np.linalg.norm(fitted.items_, axis=1), interactions.item_counts).statistic

    def first_share(fitted):
        variances = np.square(fitted.items_).sum(axis=0)  # at α = 1: squared singular values of the predictions
        return variances[0] / variances.sum()

    assert norm_popularity(plain) > 0.99
    assert norm_popularity(fixed) < norm_popularity(plain) - 0.02
    assert first_share(fixed) < 0.95 * first_share(plain)
    # cost: another model, which predicts the interactions worse than the plain one
    X = interactions.matrix.toarray()

    def explained(fitted):
        P = fitted.users_ @ fitted.items_.T
        return (P * X).sum() ** 2 / (np.square(P).sum() * np.square(X).sum())

    assert explained(fixed) < explained(plain)


def test_standardised_columns_find_tastes_better(rng):
    """The paper's third remedy; the other weightings do not promise it here."""
    interactions, taste = clustered(rng)
    embedding = Embedding(np.eye(interactions.n_items))
    found = {
        weighting: purity(
            Refit(weighting, n_components=12).fit(embedding, interactions).neighbors(embedding, 10)[0], taste
        )
        for weighting in ("none", "standardize")
    }
    assert found["standardize"] > found["none"]


def test_leaving_alone_leaves_everything_alone(rng):
    embedding = two_sides(rng)
    left = LeaveAlone().fit_transform(embedding)
    np.testing.assert_array_equal(left.items, embedding.items)
    np.testing.assert_array_equal(left.users, embedding.users)
