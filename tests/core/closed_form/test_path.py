"""A path of models is what single fits give, and each of its losses is the loss."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from simgauge.core.closed_form.factorize import factorize
from simgauge.core.closed_form.path import factorize_path
from simgauge.core.spectral.spectrum import spectrum
from simgauge.errors import ParameterError
from simgauge.models import LinearAutoencoder

PENALTIES = ("product", "factors", "weights")


@pytest.fixture
def X(rng):  # noqa: N802
    return sp.random_array((80, 30), density=0.3, rng=rng, format="csr")


def test_every_model_is_the_one_that_a_fit_gives(X):
    path = list(factorize_path(spectrum(X, 12), PENALTIES, l2=[0.1, 0.5], n_components=[3, 12]))
    assert len(path) == 12
    for model in path:
        fitted = LinearAutoencoder(model.n_components, penalty=model.penalty, l2=model.l2).fit(X)
        A, B = model.factors()
        np.testing.assert_allclose(A @ B.T, fitted.encoder_ @ fitted.decoder_.T, atol=1e-12)
        assert model.n_active_components == fitted.n_active_components_
        other = factorize(spectrum(X, 12), model.penalty, 1.7, model.n_components)
        assert not np.allclose(A @ B.T, other.encoder @ other.decoder.T)


def test_the_loss_is_the_squared_error_up_to_what_no_model_explains(X):
    dense = X.toarray()
    whole = spectrum(X, 12)
    unexplained = float((dense**2).sum() - (whole.singular_values**2).sum())
    for model in factorize_path(whole, PENALTIES, n_components=[2, 12]):
        A, B = model.factors()
        squared = float(((dense - dense @ A @ B.T) ** 2).sum())
        assert squared == pytest.approx(model.loss + unexplained, rel=1e-10)


def test_without_strengths_the_middle_one_halves_the_weakest_component(X):
    models = list(factorize_path(spectrum(X, 5), PENALTIES))
    for penalty in PENALTIES:
        of_penalty = [model for model in models if model.penalty == penalty]
        weakest = of_penalty[3].encoder_scale[-1] * of_penalty[3].decoder_scale[-1]
        assert weakest == pytest.approx(0.5)
        losses = [model.loss for model in of_penalty]
        assert losses == sorted(losses)
        assert losses[0] < losses[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_components": [6]}, "holds 5"),
        ({"n_components": []}, "empty"),
        ({"penalties": []}, "empty"),
        ({"l2": [-1.0]}, ">= 0"),
        ({"penalties": ["ridge"]}, "ridge"),
    ],
)
def test_bad_grids_are_refused_before_the_first_model(X, arguments, message):
    with pytest.raises(ParameterError, match=message):
        factorize_path(spectrum(X, 5), **arguments)
