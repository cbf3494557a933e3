"""TruncatedSVD: the product is the library's own reconstruction in every convention of the same SVD."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA, TruncatedSVD

from simgauge.errors import InputError, ParameterError
from simgauge.read.libraries import from_library

X = sparse.random(40, 25, density=0.4, random_state=0, format="csr")
MODEL = TruncatedSVD(6, algorithm="arpack", random_state=0).fit(X)
TOLERANCE = 40 * 25 * np.finfo(float).eps


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_product_is_the_reconstruction_in_every_convention(power: float) -> None:
    embedding = from_library(MODEL, X=X, sigma_power=power)
    assert np.allclose(embedding.users @ embedding.items.T, MODEL.inverse_transform(MODEL.transform(X)), atol=TOLERANCE)
    assert np.allclose(np.linalg.norm(embedding.items, axis=0), MODEL.singular_values_**power)


def test_conventions_have_different_cosines_and_say_so() -> None:
    """The control: the same predictions, other cosines."""
    plain, scaled = from_library(MODEL), from_library(MODEL, sigma_power=1)
    cosines = [np.corrcoef(table) for table in (plain.items, scaled.items)]
    assert np.abs(cosines[0] - cosines[1]).max() > 0.1
    assert plain.provenance["convention"].startswith("items V, users XV")
    assert scaled.provenance["convention"] == "items V diag(σ)"
    assert plain.provenance["objective"] == "svd"
    assert plain.provenance["library"] == "sklearn"
    assert plain.users is None


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (TruncatedSVD(2), {}, InputError, "not fitted yet"),
        (PCA(2), {}, InputError, "TruncatedSVD is read; received PCA"),
        (MODEL, {"X": X[:, :3]}, InputError, "X has 3 columns and the model 25"),
        (MODEL, {"sigma_power": 2}, ParameterError, "expected 0"),
        (MODEL, {"texts": []}, ParameterError, "texts: no option for TruncatedSVD. Its options: X, sigma_power"),
    ],
)
def test_bad_input(model: object, options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_library(model, **options)
