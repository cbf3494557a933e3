"""LinearAutoencoder: scikit-learn's own checks, the paper's special cases, bad parameters."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.estimator_checks import check_estimator

from problems import cosines, counts, sparse_counts
from simgauge import Embedding, LinearAutoencoder, RankWarning, gauge_transform, random_gauge
from simgauge.core.tables.tables import unit_rows
from simgauge.errors import InputError, ParameterError


@pytest.mark.parametrize("penalty", ["product", "factors", "weights", "dropout"])
def test_scikit_learn_accepts_the_estimator(penalty):
    """All checks, no exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)  # checks that need pandas-only or array-API inputs
        warnings.simplefilter("ignore", RankWarning)  # its toy data is rank deficient on purpose
        check_estimator(LinearAutoencoder(penalty=penalty))


@pytest.fixture
def full_rank(rng):
    return counts(rng, 60, 10)


def test_case_a_every_item_is_similar_only_to_itself(full_rank):
    """Section 2.2, D = √s at full rank: item-item cosines are the identity."""
    model = LinearAutoencoder(10, l2=3.0).fit(full_rank)
    s = 1 / (1 + 3.0 / model.singular_values_**2)
    B = model.decoder_ / np.sqrt(s)
    np.testing.assert_allclose(cosines(B), np.eye(10), atol=1e-10)


def test_case_b_user_cosines_are_those_of_the_raw_data(full_rank):
    """Section 2.2, D = 1/√s at full rank: user-user cosines see no smoothing at all."""
    model = LinearAutoencoder(10, l2=30.0).fit(full_rank)
    s = 1 / (1 + 30.0 / model.singular_values_**2)
    users = full_rank @ (model.encoder_ / np.sqrt(s))
    used = full_rank.any(axis=1)
    np.testing.assert_allclose(cosines(users[used]), cosines(full_rank[used]), atol=1e-10)
    plain = full_rank @ model.encoder_  # control: another gauge, the same predictions, other cosines
    assert np.abs(cosines(plain[used]) - cosines(full_rank[used])).max() > 0.1


def test_equation_one_keeps_predictions_and_changes_cosines_under_any_gauge(rng):
    X = sparse_counts(rng)
    embedding = LinearAutoencoder(8, l2=2.0).fit(X).embedding(X)
    moved = gauge_transform(embedding, random_gauge(8, 10.0, 1))
    np.testing.assert_allclose(moved.users @ moved.items.T, embedding.users @ embedding.items.T, atol=1e-12)
    before, after = unit_rows(embedding.items), unit_rows(moved.items)
    assert np.abs(after @ after.T - before @ before.T).max() > 0.3


@pytest.mark.parametrize("penalty", ["product", "factors", "weights", "dropout"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_and_dense_input_give_the_same_model(rng, penalty, dtype):
    X = sparse_counts(rng).astype(dtype)
    models = [LinearAutoencoder(6, penalty).fit(data) for data in (X, X.tocsc(), X.toarray())]
    assert models[0].decoder_.dtype == dtype
    tolerance = 1e4 * np.finfo(dtype).eps
    for model in models[1:]:
        np.testing.assert_allclose(model.transform(X), models[0].transform(X), atol=tolerance * 10)
        np.testing.assert_allclose(
            model.inverse_transform(model.transform(X)),
            models[0].inverse_transform(models[0].transform(X)),
            atol=tolerance,
        )


@pytest.mark.parametrize("penalty", ["product", "factors", "weights"])
def test_the_default_strength_halves_the_weakest_component(rng, penalty):
    X = sparse_counts(rng)
    model = LinearAutoencoder(5, penalty).fit(X)
    weakest = model.right_vectors_[:, -1]
    assert weakest @ model.encoder_ @ model.decoder_.T @ weakest == pytest.approx(0.5)


def test_it_works_in_a_pipeline_and_clones(rng):
    X = sparse_counts(rng)
    pipeline = make_pipeline(MaxAbsScaler(), LinearAutoencoder(4))
    assert clone(pipeline).fit_transform(X).shape == (80, 4)
    model = LinearAutoencoder(4).fit(X)
    assert list(model.get_feature_names_out()) == [f"linearautoencoder{i}" for i in range(4)]


def test_full_rank_with_fewer_users_than_items(rng):
    X = sparse_counts(rng, 12, 30, 0.3)
    model = LinearAutoencoder(12, l2=0.0).fit(X)
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X.toarray(), atol=1e-10)


def test_vanished_components_are_reported_not_hidden(rng):
    X = sparse_counts(rng)
    sigma = np.linalg.svd(X.toarray(), compute_uv=False)
    with pytest.warns(RankWarning, match=r"3 of 8 components are not zero: l2=.* shrinks them"):
        model = LinearAutoencoder(8, "factors", l2=(sigma[2] + sigma[3]) / 2).fit(X)
    assert model.n_active_components_ == 3
    assert model.decoder_.shape == (30, 8)
    deficient = X.toarray()
    deficient[:, 4:] = 0
    with pytest.warns(RankWarning, match="the data has rank 4"):
        LinearAutoencoder(8, l2=1.0).fit(deficient)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"penalty": "ridge"}, "expected one of 'product'"),
        ({"l2": -1.0}, "l2=-1.0: expected a finite number >= 0"),
        ({"l2": float("nan")}, "l2=nan"),
        ({"n_components": 0}, "expected an integer from 1 to 30"),
        ({"n_components": 31}, "expected an integer from 1 to 30, as X has 80 users and 30 items"),
        ({"n_components": 2.5}, "expected an integer"),
        ({"rate": 0.5}, "is for penalty 'dropout'"),
        ({"penalty": "dropout", "l2": 1.0}, "takes a rate, not l2"),
        ({"penalty": "dropout", "rate": 1.0}, "dropout rate"),
        ({"solver": "magic"}, "solver='magic'"),
    ],
)
def test_bad_parameters_are_refused(rng, parameters, text):
    with pytest.raises(ParameterError, match=text):
        LinearAutoencoder(**parameters).fit(sparse_counts(rng))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_values_are_refused(rng, bad):
    X = sparse_counts(rng)
    X.data[3] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        LinearAutoencoder(2).fit(X)


def test_one_user_is_a_rank_one_model():
    model = LinearAutoencoder(l2=0.0).fit(sp.csr_matrix([[1.0, 0.0, 2.0]]))
    assert model.decoder_.shape == (3, 1)
    assert isinstance(model.embedding(sp.csr_matrix([[1.0, 0.0, 2.0]])), Embedding)


@pytest.mark.parametrize("penalty", ["product", "factors", "weights", "dropout"])
@pytest.mark.parametrize("layout", ["dense", "csr"])
def test_a_fit_on_tensors_stays_on_their_device_and_is_the_same(rng, penalty, layout):
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    X = (rng.random((60, 20)) < 0.3).astype(np.float64)
    tensor = torch.tensor(X)
    if layout == "csr":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch calls its CSR a beta
            tensor = tensor.to_sparse_csr()
    model, one = LinearAutoencoder(5, penalty=penalty).fit(tensor), LinearAutoencoder(5, penalty=penalty).fit(X)
    assert isinstance(model.transform(tensor), torch.Tensor)
    predicted = model.inverse_transform(model.transform(tensor))
    np.testing.assert_allclose(predicted.numpy(), one.inverse_transform(one.transform(X)), atol=1e-10)
    assert isinstance(model.embedding(tensor).items, torch.Tensor)
    with pytest.raises(InputError, match="20"):
        model.transform(tensor.to_dense()[:, :7])
