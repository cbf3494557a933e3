"""Refits share one decomposition per weighting, dropout is Eq. 1 on standardised columns, and ids decide."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from problems import cosines
from remedy_problems import two_sides, used
from simgauge import Embedding, LinearAutoencoder
from simgauge.errors import InputError, ParameterError
from simgauge.remedies import Refit, RefitFamily, decompositions


@pytest.fixture
def embedding(rng):
    return two_sides(rng)


@pytest.fixture
def interactions(rng, embedding):
    return used(rng, embedding)


@pytest.fixture
def counted(monkeypatch):
    calls = []
    original = decompositions.reweighted_spectrum

    def counting(X, *rest):
        calls.append(rest[0])
        return original(X, *rest)

    monkeypatch.setattr(decompositions, "reweighted_spectrum", counting)
    return calls


def test_one_decomposition_for_all_penalties_strengths_ranks_and_powers(embedding, interactions, counted):
    family = RefitFamily(
        "standardize",
        penalties=("product", "factors", "weights", "dropout"),
        l2s=(None, 0.5),
        n_components=(2, 12, 5),
        powers=(None, 0.5, 1.0),
    )
    assert len(family) == 3 * 3 * (3 * 2 + 1)
    for remedy in family:
        remedy.fit(embedding, interactions)
    assert counted == [12]
    Refit("standardize", n_components=13).fit(embedding, interactions)  # control: more is not there yet
    Refit("eigenrec", scaling=0.3, n_components=4).fit(embedding, interactions)
    Refit("eigenrec", scaling=0.4, n_components=4).fit(embedding, interactions)
    assert counted == [12, 13, 4, 4]


def test_what_is_shared_goes_with_the_interactions(rng, embedding):
    gc.collect()
    before = len(decompositions._SPECTRA)
    interactions = used(rng, embedding)
    Refit("none").fit(embedding, interactions)
    assert len(decompositions._SPECTRA) == before + 1
    del interactions
    gc.collect()
    assert len(decompositions._SPECTRA) == before


def test_decompositions_that_are_kept_stay_within_their_bytes(embedding, interactions, counted, monkeypatch):
    monkeypatch.setattr(decompositions, "MAX_KEPT_BYTES", 2 * 40 * 5 * 8)  # two of rank 5
    for scaling in (0.1, 0.2, 0.1, 0.3, 0.1, 0.2):
        Refit("eigenrec", scaling=scaling, n_components=5).fit(embedding, interactions)
        kept = [key[0].values for key in decompositions._SPECTRA[interactions]]
        assert kept[-1] == (scaling,)
        assert len(kept) <= 2
    assert len(counted) == 4  # 0.1, 0.2 and 0.3, and 0.2 again, which was used longest ago when 0.3 came
    Refit("eigenrec", scaling=0.9, n_components=30).fit(embedding, interactions)  # too large alone, and still there
    assert [key[0].values for key in decompositions._SPECTRA[interactions]] == [(0.9,)]


def test_the_unweighted_refit_is_the_linear_autoencoder(embedding, interactions):
    refit = Refit("none", n_components=5, l2=2.0, power=None).fit_transform(embedding, interactions)
    model = LinearAutoencoder(5, "product", l2=2.0).fit(interactions.matrix).embedding(interactions)
    np.testing.assert_allclose(refit.users @ refit.items.T, model.users @ model.items.T, atol=1e-9)
    np.testing.assert_allclose(refit.items, model.items, atol=1e-9)


def test_standardised_and_projected_back_is_the_correlation_of_columns_at_full_rank(embedding, interactions):
    """Nothing is lost at full rank without a penalty: what is left is Pearson's correlation of the raw columns."""
    refit = Refit("standardize", n_components=40, l2=0.0).fit(embedding, interactions)
    np.testing.assert_allclose(cosines(refit.items_), np.corrcoef(interactions.matrix.toarray().T), atol=1e-9)


def test_dropout_on_standardised_columns_is_eq_1(embedding, interactions):
    dropped = Refit("standardize", "dropout", rate=0.3, n_components=5).fit(embedding, interactions)
    dense = interactions.matrix.toarray()
    Z = (dense - dense.mean(axis=0)) / dense.std(axis=0)
    reference = LinearAutoencoder(5, "dropout", rate=0.3).fit(Z)
    np.testing.assert_allclose(
        dropped.users_ @ dropped.items_.T, reference.transform(Z) @ reference.decoder_.T, atol=1e-8
    )
    assert dropped.l2_ == pytest.approx(interactions.n_users * 0.3 / 0.7)


@pytest.mark.parametrize("power", [None, 1.0])
def test_dropout_on_other_weightings(embedding, interactions, power):
    refit = Refit("none", "dropout", rate=0.3, n_components=5, power=power).fit(embedding, interactions)
    model = LinearAutoencoder(5, "dropout", rate=0.3).fit(interactions.matrix)
    expected = model.transform(interactions.matrix) @ model.decoder_.T
    np.testing.assert_allclose(refit.users_ @ refit.items_.T, expected, atol=1e-8)


def test_items_are_found_by_their_ids(embedding, interactions):
    refit = Refit("eigenrec").fit(embedding, interactions)
    some = Embedding(embedding.items[[7, 3]], item_ids=embedding.item_ids[[7, 3]])
    np.testing.assert_array_equal(refit.transform(some).items, refit.items_[[7, 3]])
    unknown = Embedding(np.eye(2), item_ids=["i3", "new"])
    with pytest.raises(InputError, match=r"1 of 2 items were not in the interactions.*'new'"):
        refit.transform(unknown)


def test_result_says_that_users_are_others(embedding, interactions):
    result = Refit().fit_transform(embedding, interactions)
    assert result.n_users == interactions.n_users
    assert result.provenance["remedy"]["users"] == "those of the interactions"
    assert result.provenance["objective"] == "product"


@pytest.mark.parametrize("norm_power", [0.0, 0.1, 0.25, 1.0])
def test_norm_power_ranks_by_dot_products_over_a_power_of_the_norm(embedding, interactions, norm_power):
    """Slow reference: without a penalty at full rank the vectors have the Gram matrix G of the weighted interactions,
    so the neighbours of i come by ``G_ij / G_jj^((1 − γ)/2)``."""
    refit = Refit("propensity", l2=0.0, n_components=40, norm_power=norm_power, user_exponent=0.5)
    lists = refit.fit(embedding, interactions).neighbors(embedding, 6)[0]
    X = interactions.matrix.toarray()
    weighted = X / np.sqrt((X > 0).sum(axis=0)) / np.sqrt((X > 0).sum(axis=1))[:, None]
    G = weighted.T @ weighted
    scores = G / np.sqrt(np.diag(G)) ** (1 - norm_power)
    np.fill_diagonal(scores, -np.inf)
    found = np.take_along_axis(scores, lists, axis=1)
    np.testing.assert_allclose(found, -np.sort(-scores, axis=1)[:, :6], rtol=1e-9)
    assert refit.metric == ("dot" if norm_power else "cosine")
    plain = Refit("propensity", l2=0.0, n_components=40, user_exponent=0.5).fit(embedding, interactions)
    same = np.array_equal(np.sort(plain.neighbors(embedding, 6)[0]), np.sort(lists))
    assert same == (norm_power == 0.0)  # control: cosine finds others


def test_refits_with_norms_say_so_and_keep_their_users(embedding, interactions):
    plain = Refit(n_components=5).fit(embedding, interactions)
    scaled = Refit(n_components=5, norm_power=0.25).fit(embedding, interactions)
    np.testing.assert_array_equal(scaled.users_, plain.users_)
    norms = np.linalg.norm(plain.items_, axis=1)
    np.testing.assert_allclose(np.linalg.norm(scaled.items_, axis=1), norms**0.25, rtol=1e-6)
    assert scaled.name == "refit(none, product, rank=5, power=1, norm_power=0.25)"
    gauge = scaled.transform(embedding).provenance["gauge"]
    assert (gauge["norm_power"], gauge["predictions_kept"]) == (0.25, False)
    with pytest.raises(ParameterError, match=r"norm_power=1\.5: expected None or a number from 0"):
        Refit(norm_power=1.5).fit(embedding, interactions)
