"""implicit: recommend's scores are the dot products of the tables; biases are found, named and left out on request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from simgauge.auditing.run import audit
from simgauge.auditing.training import known_training
from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.libraries import from_library

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
X = sparse.random(30, 20, density=0.3, format="csr", random_state=0, dtype=np.float32)
FACTORS = 4
BIASES = {"als": [], "bpr": [("items", 4)], "lmf": [("items", 4), ("users", 5)]}


@pytest.fixture
def trained() -> Callable[..., Any]:
    implicit = pytest.importorskip("implicit", reason="implicit is not installed (extra: adapters)")
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    from implicit.cpu.lmf import LogisticMatrixFactorization

    assert implicit is not None
    kinds = {
        "als": AlternatingLeastSquares,
        "bpr": BayesianPersonalizedRanking,
        "lmf": LogisticMatrixFactorization,
    }

    def train(kind: str, **options: Any) -> Any:
        model = kinds[kind](factors=FACTORS, iterations=5, random_state=0, num_threads=1, **options)
        model.fit(X, show_progress=False)
        return model

    return train


def scores_of(model: Any) -> np.ndarray:
    """All scores by the library's own recommend."""
    ids, scores = model.recommend(np.arange(30), X, N=20, filter_already_liked_items=False)
    table = np.empty((30, 20))
    np.put_along_axis(table, ids, scores, axis=1)
    return table


def bias_columns(embedding: Any) -> list[tuple[str, int]]:
    return [(bias["side"], bias["column"]) for bias in embedding.provenance["bias_columns"]]


@pytest.mark.parametrize("kind", BIASES)
def test_recommend_is_the_dot_product(kind: str, trained: Callable[..., Any]) -> None:
    model = trained(kind)
    embedding = from_library(model)
    assert np.allclose(embedding.users @ embedding.items.T, scores_of(model), atol=1e-5)
    assert embedding.provenance["objective"] == kind
    assert embedding.provenance["version"] == pytest.importorskip("implicit").__version__
    assert bias_columns(embedding) == BIASES[kind]


@pytest.mark.parametrize("kind", BIASES)
def test_without_the_bias_columns(kind: str, trained: Callable[..., Any]) -> None:
    """Leaving biases out takes exactly the biases from the scores; the control is that this changes something."""
    model = trained(kind)
    full, bare = from_library(model), from_library(model, drop_bias=True)
    assert bare.n_components == FACTORS
    difference = full.users @ full.items.T - bare.users @ bare.items.T
    expected = np.zeros((30, 20))
    if kind != "als":
        expected = expected + full.items[:, 4][None, :]
    if kind == "lmf":
        expected = expected + full.users[:, 5][:, None]
    assert np.allclose(difference, expected, atol=1e-5)
    assert (np.abs(difference).max() > 1e-3) == (kind != "als")
    assert all(bias["dropped"] for bias in bare.provenance["bias_columns"])


@pytest.mark.parametrize("kind", BIASES)
def test_saved_models_read_like_the_object(kind: str, trained: Callable[..., Any], tmp_path: Path) -> None:
    model = trained(kind)
    model.save(str(tmp_path / "model.npz"))
    embedding, read = from_library(model), read_embedding(tmp_path / "model.npz")
    assert np.array_equal(read.items, embedding.items)
    assert np.array_equal(read.users, embedding.users)
    for key in ("library", "objective", "convention", "bias_columns"):
        assert read.provenance[key] == embedding.provenance[key]
    assert read.provenance["sources"]["items"]["file"] == "model.npz"
    assert from_library(tmp_path / "model.npz", drop_bias=True).n_components == FACTORS
    named = read_embedding(tmp_path / "model.npz", names=[f"item {n}" for n in range(20)])
    assert named.item_names[3] == "item 3"
    assert audit(read, k=3).parameters["objective"] == kind


def test_without_penalty_nothing_selects_a_gauge(trained: Callable[..., Any]) -> None:
    def group(kind: str, regularization: float) -> str:
        provenance = from_library(trained(kind, regularization=regularization)).provenance
        return known_training(provenance).objective.gauge_group

    assert [group(kind, 0.01) for kind in ("als", "bpr", "lmf")] == ["O(k)"] * 3
    assert group("als", 0.0) == "GL(k)"
    assert group("bpr", 0.0) == group("lmf", 0.0) == "GL(k) and shifts of the items and of the users"


def test_similar_items_counts_the_bias_column(trained: Callable[..., Any]) -> None:
    """What the provenance says of the library's own similar_items."""
    model = trained("bpr")
    items = from_library(model).items
    ids, scores = model.similar_items(3, N=5)
    assert np.allclose(scores, (items[ids] @ items[3]) / np.linalg.norm(items[ids], axis=1) / np.linalg.norm(items[3]))


def test_altered_tables_have_no_bias_columns(trained: Callable[..., Any]) -> None:
    """After a rotation the last column is no bias, whatever the class."""
    model = trained("bpr")
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0].astype(np.float32)
    model.item_factors, model.user_factors = model.item_factors @ turn, model.user_factors @ turn
    assert bias_columns(from_library(model)) == []


def test_bad_input(trained: Callable[..., Any]) -> None:
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender

    with pytest.raises(InputError, match="not fitted yet"):
        from_library(AlternatingLeastSquares(2))
    with pytest.raises(InputError, match="no factors on both sides"):
        from_library(CosineRecommender())
