"""Good models of every kind pass; shifted, permuted, exchanged and wrongly counted rows do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from simgauge.embedding import Embedding
from simgauge.gauge import gauge_transform, random_gauge
from simgauge.interactions import Interactions
from simgauge.matching.alignment import measure_alignment
from simgauge.models import LinearAutoencoder


def clustered(seed, n_users=300, n_items=120, n_clusters=6, density=0.3):
    """Users who use items of their cluster more than others; popular items come first."""
    rng = np.random.default_rng(seed)
    popularity = np.exp(-np.arange(n_items) / (n_items / 3))
    own = rng.integers(0, n_clusters, n_users)[:, None] == rng.integers(0, n_clusters, n_items)[None]
    chance = density * popularity * np.where(own, 3.0, 0.5)
    matrix = (rng.random((n_users, n_items)) < chance).astype(float)
    matrix[:, matrix.sum(axis=0) == 0] = np.eye(n_users, n_items)[:, matrix.sum(axis=0) == 0]
    return Interactions(sparse.csr_array(matrix))


def fitted(seen, k=8, penalty="factors"):
    return LinearAutoencoder(k, penalty).fit(seen.matrix).embedding(seen)


@pytest.mark.parametrize("penalty", ["product", "factors", "weights", "dropout"])
@pytest.mark.parametrize("k", [2, 5, 20])
def test_models_that_were_trained_on_them_fit(k, penalty):
    for seed in range(4):
        seen = clustered(seed)
        found = measure_alignment(fitted(seen, k, penalty), seen)
        assert found.fits, f"{found.sentence}"


def test_small_models_fit_too():
    refused = 0
    for seed in range(20):
        seen = clustered(seed, n_users=40, n_items=25, n_clusters=3, density=0.5)
        found = measure_alignment(fitted(seen, 3), seen)
        refused += found is not None and not found.fits
    assert refused <= 1


def test_the_score_does_not_depend_on_the_gauge():
    seen = clustered(0)
    model = fitted(seen)
    moved = gauge_transform(model, random_gauge(8, 100.0))
    assert measure_alignment(moved, seen).area.value == pytest.approx(measure_alignment(model, seen).area.value)


def wrong(model, change):
    P, Q = model.users, model.items
    rng = np.random.default_rng(5)
    return {
        "item below": lambda: Embedding(np.roll(Q, -1, axis=0), P),
        "item above": lambda: Embedding(np.roll(Q, 1, axis=0), P),
        "items permuted": lambda: Embedding(Q[rng.permutation(len(Q))], P),
        "users shifted": lambda: Embedding(Q, np.roll(P, 1, axis=0)),
        "users permuted": lambda: Embedding(Q, P[rng.permutation(len(P))]),
    }[change]()


CHANGES = ["item below", "item above", "items permuted", "users shifted", "users permuted"]


@pytest.mark.parametrize("change", CHANGES)
def test_rows_of_others_are_found_out(change):
    for seed in range(4):
        seen = clustered(seed)
        assert not measure_alignment(wrong(fitted(seen), change), seen).fits


def test_the_order_that_fits_is_named():
    seen = clustered(1)
    found = measure_alignment(wrong(fitted(seen), "item above"), seen)
    assert "taking each item's vector from the row below" in found.better
    right = found.better["taking each item's vector from the row below"]
    assert right == pytest.approx(measure_alignment(fitted(seen), seen).area.value, abs=0.02)


def test_ids_that_rows_follow_in_ascending_order_are_named():
    seen = clustered(2)
    model = fitted(seen)
    ids = np.random.default_rng(0).permutation(120) * 3
    of_ids = Interactions(seen.matrix[:, np.argsort(ids)], item_ids=np.sort(ids))
    mistaken = Embedding(model.items[np.argsort(ids)], model.users, item_ids=np.random.default_rng(1).permutation(ids))
    found = measure_alignment(mistaken, of_ids)
    assert not found.fits
    assert "rows in ascending order of the item ids" in found.better


def test_exchanged_tables_of_one_size_are_found_out():
    seen = clustered(3, n_users=120, n_items=120, density=0.5)
    model = fitted(seen)
    found = measure_alignment(Embedding(model.users, model.items), seen)
    assert not found.fits
    assert "exchanging the tables of users and items" in found.better


def test_one_table_is_tested_by_items_used_together_even_when_its_cosine_is_arbitrary():
    for seed in range(4):
        seen = clustered(seed)
        model = fitted(seen)
        moved = gauge_transform(model, random_gauge(8, 1e4, rng=seed))
        for table in (Embedding(model.items), Embedding(moved.items)):
            assert measure_alignment(table, seen).fits
        assert not measure_alignment(Embedding(model.items[np.random.default_rng(seed).permutation(120)]), seen).fits


def test_users_of_unknown_ids_are_left_out_of_the_test():
    seen = clustered(0)
    named = Interactions(seen.matrix, user_ids=[f"u{row}" for row in range(300)])
    found = measure_alignment(fitted(seen), named)
    assert "items used together" in found.by
    assert found.fits


def test_models_of_popularity_and_a_handful_of_pairs_cannot_be_tested():
    seen = clustered(0)
    popular = np.column_stack([np.ones(120), seen.item_counts])
    assert measure_alignment(Embedding(popular, np.ones((300, 2))), seen) is None
    assert measure_alignment(Embedding(np.eye(5), np.eye(5)), Interactions(np.eye(5))) is None


def test_rows_that_lie_beside_their_like_are_found_out_when_they_are_shifted():
    """Films of one age, or tracks of one album, lie side by side: a shifted table still scores better than chance."""
    seen = clustered(4, n_items=120)
    model = fitted(seen)
    order = np.argsort(np.linalg.svd(model.items, full_matrices=False)[0][:, 1], kind="stable")
    sorted_seen = Interactions(seen.matrix[:, order])
    sorted_model = fitted(sorted_seen, k=20)
    shifted = Embedding(np.roll(sorted_model.items, 1, axis=0), sorted_model.users)
    assert measure_alignment(sorted_model, sorted_seen).fits
    found = measure_alignment(shifted, sorted_seen)
    assert found.area.low > 0.52, "chance alone does not tell"
    assert found.better
    assert not found.fits
