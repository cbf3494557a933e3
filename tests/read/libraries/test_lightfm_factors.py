"""LightFM: predict, biases included, is the dot product; losses and penalties imply the objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from simgauge.auditing.training import known_training
from simgauge.errors import InputError
from simgauge.read.libraries import from_library

pytestmark = pytest.mark.filterwarnings("ignore")  # of the library: its build without OpenMP warns on import
X = sparse.random(30, 20, density=0.3, format="coo", random_state=0, dtype=np.float32)
FEATURES = sparse.hstack(
    [sparse.identity(20, dtype=np.float32), sparse.random(20, 5, density=0.4, random_state=1, dtype=np.float32)],
    format="csr",
)


@pytest.fixture
def trained() -> Callable[..., Any]:
    lightfm = pytest.importorskip("lightfm", reason="LightFM is not installed (pip install rectools-lightfm)")

    def train(loss: str, item_features: Any = None, **options: Any) -> Any:
        model = lightfm.LightFM(no_components=4, loss=loss, random_state=0, **options)
        return model.fit(X, item_features=item_features, epochs=5, num_threads=1)

    return train


def scores_of(model: Any, item_features: Any = None) -> np.ndarray:
    users, items = np.divmod(np.arange(600, dtype=np.int32), 20)
    predicted = model.predict(users, items, item_features=item_features)
    return np.asarray(predicted).reshape(30, 20)


@pytest.mark.parametrize(
    ("loss", "options", "penalty"),
    [
        ("warp", {}, "none"),
        ("bpr", {}, "none"),
        ("logistic", {}, "none"),
        ("bpr", {"item_alpha": 1e-4, "user_alpha": 1e-4}, "factors"),
        ("logistic", {"item_alpha": 1e-4, "user_alpha": 1e-4}, "factors"),
        ("logistic", {"item_alpha": 1e-4}, "none"),
    ],
)
def test_predict_is_the_dot_product(
    loss: str, options: dict[str, float], penalty: str, trained: Callable[..., Any]
) -> None:
    model = trained(loss, **options)
    embedding = from_library(model)
    assert np.allclose(embedding.users @ embedding.items.T, scores_of(model), atol=1e-5)
    assert embedding.provenance["objective"] == {"logistic": "lmf"}.get(loss, loss)
    assert embedding.provenance["penalty"] == penalty
    group = known_training(embedding.provenance).objective.gauge_group
    assert group == ("O(k)" if penalty == "factors" else "GL(k) and shifts of the items and of the users")
    assert embedding.provenance["loss"] == loss
    assert [(bias["side"], bias["column"]) for bias in embedding.provenance["bias_columns"]] == [
        ("items", 4),
        ("users", 5),
    ]


def test_features(trained: Callable[..., Any]) -> None:
    """With features a row is the sum over its features; without them the tables have other rows (the control)."""
    model = trained("warp", FEATURES)
    embedding = from_library(model, item_features=FEATURES)
    assert np.allclose(embedding.users @ embedding.items.T, scores_of(model, FEATURES), atol=1e-5)
    assert from_library(model).n_items == 25
    with pytest.raises(InputError, match="item_features has 20 columns and the model 25"):
        from_library(model, item_features=FEATURES[:, :20])


def test_without_biases(trained: Callable[..., Any]) -> None:
    model = trained("warp")
    bare = from_library(model, drop_bias=True)
    assert np.array_equal(bare.items, model.item_embeddings)
    assert np.array_equal(bare.users, model.user_embeddings)
    assert np.abs(bare.users @ bare.items.T - scores_of(model)).max() > 1e-3


def test_not_fitted() -> None:
    lightfm = pytest.importorskip("lightfm", reason="LightFM is not installed (pip install rectools-lightfm)")
    with pytest.raises(InputError, match="not fitted yet"):
        from_library(lightfm.LightFM())
