"""Training on cosines: it learns, its vectors are identified, and a run can be repeated, interrupted and stopped."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from simgauge import audit
from simgauge.cosine_training import CosineFactorization
from simgauge.cosine_training.training import TrainingStoppedError
from simgauge.errors import InputError, ParameterError


@pytest.fixture
def blocks(rng):
    """Three groups of users and items; one interaction in five is noise."""
    own = np.kron(np.eye(3), np.ones((20, 10))) * (rng.random((60, 30)) < 0.5)
    return sp.csr_array(np.maximum(own, rng.random((60, 30)) < 0.03).astype(np.float32))


def within(items):
    """Mean cosine within groups minus that between groups."""
    cosines = items @ items.T
    same = np.kron(np.eye(3), np.ones((10, 10))).astype(bool)
    return cosines[same & ~np.eye(30, dtype=bool)].mean() - cosines[~same].mean()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"users": "sum"},
        {"n_negatives": 16},
        {"user_temperature": 0.3},
        {"layer_norm": True},
        {"temperature": "learned"},
        {"weight_decay": (1e-4, 1e-3)},
    ],
    ids=lambda options: next(iter(options), "plain"),
)
def test_groups_are_learned(blocks, options):
    model = CosineFactorization(8, **{"temperature": 0.2, "max_epochs": 30, "validation_share": 0, **options})
    model.fit(blocks)
    assert within(model.items_) > 0.5
    np.testing.assert_allclose(np.linalg.norm(model.items_, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(model.users_, axis=1), 1, atol=1e-6)
    assert model.temperature_ > 0


def test_control_without_training_there_are_no_groups(blocks):
    model = CosineFactorization(8, temperature=0.2, max_epochs=1, learning_rate=1e-9, validation_share=0).fit(blocks)
    assert abs(within(model.items_)) < 0.1


def test_temperature_and_epochs_are_chosen_on_validation_users(blocks):
    model = CosineFactorization(8, max_epochs=6, validation_share=0.5).fit(blocks)
    best = max(model.history_, key=lambda epoch: epoch.recall)
    assert (model.temperature_, model.n_epochs_) == (best.temperature, best.epoch)
    assert {epoch.temperature for epoch in model.history_} == {0.1, 0.15, 0.2, 0.25, 0.3}


def test_the_audit_says_identified(blocks):
    model = CosineFactorization(8, temperature=0.2, max_epochs=5, validation_share=0).fit(blocks)
    found = audit(model.embedding(blocks))["identifiability"]
    assert found.verdict in ("ok", "info")
    assert "identified" in str(found.value) + found.summary if hasattr(found, "summary") else True


def test_the_same_seed_gives_the_same_vectors_and_another_does_not(blocks):
    one, same, other = (
        CosineFactorization(4, temperature=0.2, max_epochs=3, validation_share=0, random_state=seed).fit(blocks).items_
        for seed in (1, 1, 2)
    )
    assert (one == same).all()
    assert (one != other).any()


def test_an_interrupted_training_resumes_to_the_same_result(blocks, tmp_path):
    """Theorem: epochs before and after an interruption are the epochs of one run."""
    options = {"temperature": 0.2, "validation_share": 0, "batch_size": 64, "n_negatives": 8}
    whole = CosineFactorization(4, max_epochs=6, **options).fit(blocks)
    CosineFactorization(4, max_epochs=3, state=tmp_path / "run.npz", **options).fit(blocks)
    resumed = CosineFactorization(4, max_epochs=6, state=tmp_path / "run.npz", **options).fit(blocks)
    assert resumed.n_epochs_ == 6
    assert (resumed.items_ == whole.items_).all()
    assert resumed.losses_ == whole.losses_


def test_a_state_of_another_run_is_refused(blocks, tmp_path):
    path = tmp_path / "run.npz"
    CosineFactorization(4, temperature=0.2, max_epochs=1, validation_share=0, state=path).fit(blocks)
    with pytest.raises(InputError, match="other n_components"):
        CosineFactorization(5, temperature=0.2, max_epochs=2, validation_share=0, state=path).fit(blocks)
    with pytest.raises(InputError, match="on other interactions"):
        CosineFactorization(4, temperature=0.2, max_epochs=2, validation_share=0, state=path).fit(blocks[:50])
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="no state of a training run"):
        CosineFactorization(4, temperature=0.2, max_epochs=2, validation_share=0, state=path).fit(blocks)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(blocks):
    model = CosineFactorization(4, temperature=1e-42, max_epochs=3, validation_share=0)
    with pytest.raises(TrainingStoppedError, match="in epoch 1: lower the learning rate"):
        model.fit(blocks)
    assert np.isfinite(model.items_).all()


def test_a_warm_start_begins_where_it_is_told(blocks):
    first = CosineFactorization(4, temperature=0.2, max_epochs=20, validation_share=0).fit(blocks)
    again = CosineFactorization(4, temperature=0.2, max_epochs=1, learning_rate=1e-6, validation_share=0)
    again.fit(blocks, warm_start=first.embedding(blocks))
    assert (again.items_ * first.items_).sum(axis=1).min() > 0.999
    with pytest.raises(InputError, match="to start from have shape"):
        CosineFactorization(5, temperature=0.2, validation_share=0).fit(blocks, warm_start=first.embedding(blocks))


def test_users_without_interactions_have_vectors_and_break_nothing(blocks):
    empty = sp.vstack([blocks, sp.csr_array((2, 30), dtype=np.float32)])
    for users in ("own", "sum"):
        model = CosineFactorization(4, temperature=0.2, users=users, max_epochs=2, validation_share=0.5).fit(empty)
        assert model.users_.shape == (62, 4)
        assert np.isfinite(model.users_).all()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"temperature": 0.0}, "temperature=0.0: expected a finite number above 0"),
        ({"temperature": "hot"}, "temperature='hot'"),
        ({"temperature": float("nan")}, "above 0"),
        ({"user_temperature": -1.0}, "user_temperature=-1.0"),
        ({"users": "none"}, "users='none'"),
        ({"n_components": 0}, "n_components=0"),
        ({"max_epochs": 0}, "max_epochs=0"),
        ({"users": "sum", "n_negatives": 4}, "users='sum' is trained with all items"),
        ({"user_temperature": 0.3, "n_negatives": 4}, "losses need all items, not 4 drawn ones"),
        ({"negative_exponent": 2.0, "n_negatives": 4}, "negative_exponent=2.0"),
    ],
)
def test_parameters_out_of_range(blocks, options, match):
    with pytest.raises(ParameterError, match=match):
        CosineFactorization(**{"temperature": 0.2, "max_epochs": 1, "validation_share": 0, **options}).fit(blocks)


def test_nothing_to_train_on():
    with pytest.raises(InputError, match="no interactions to train on"):
        CosineFactorization(2).fit(np.zeros((3, 4)))
    with pytest.raises(InputError, match="no user has two interactions"):
        CosineFactorization(2).fit(np.eye(4))
