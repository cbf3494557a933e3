"""Queries with an offset: found, cured by centring each side, and not by another metric."""

from __future__ import annotations

import numpy as np
import pytest

from problems import two_tables
from simgauge import Embedding, audit, gauge_transform
from simgauge.auditing.checks.neighborhoods import _instead_of_cosine
from simgauge.auditing.checks.sides import mean_gap
from simgauge.auditing.run import _workspace
from simgauge.auditing.training import known_training


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def asked(model, objective):
    return _workspace(model, known_training({}, objective), None, None, 5, 100, 0, None)


@pytest.fixture
def offset(rng):
    """Documents of norm one, and queries that are all shifted by one vector."""
    documents = unit(rng.standard_normal((400, 32)))
    queries = documents[:200] + 0.5 * unit(rng.standard_normal((200, 32)))
    return documents, queries, unit(rng.standard_normal((1, 32)))


def test_an_offset_of_the_queries_is_found_and_centring_each_side_is_the_cure(offset):
    documents, queries, direction = offset
    shifted = Embedding(documents, queries + 1.2 * direction)
    result = audit(shifted, "contrastive", k=5)
    assert result["side_means"].verdict == "warn"
    assert "subtract from each side its own mean" in result["side_means"].action
    assert _instead_of_cosine(asked(shifted, "contrastive")) == result["side_means"].action
    assert "inf" not in result.to_text().replace("info", "")
    cured = gauge_transform(
        shifted, np.eye(32), item_shift=-documents.mean(axis=0), user_shift=-shifted.users.mean(axis=0)
    )
    after = audit(cured, "contrastive", k=5)
    assert after["side_means"].value < 0.01
    assert after["query_hubness"].value < result["query_hubness"].value / 2
    assert audit(Embedding(documents, queries), "contrastive", k=5)["side_means"].verdict == "ok"  # control


def test_dot_product_does_not_take_the_offset_out(offset):
    """Documents of one length: the lists are the same, so it cannot be the advice."""
    documents, queries, direction = offset
    scores = (queries + 1.2 * direction) @ documents.T
    np.testing.assert_array_equal(np.argsort(scores / np.linalg.norm(documents, axis=1)), np.argsort(scores))
    same_length = _instead_of_cosine(asked(Embedding(documents, queries), "softmax"))
    assert "gives the same lists" in same_length
    longer = documents * np.linspace(1, 2, 400)[:, None]
    assert "by the model's own score" in _instead_of_cosine(asked(Embedding(longer, queries), "softmax"))


def test_the_share_is_that_of_the_squared_distances(rng):
    """The identity: mean ‖u − i‖² = spreads + ‖difference of means‖², and a sample of one cloud shows next to
    nothing."""
    P, Q = two_tables(rng, 3_000, 2_000, 5)
    P = P + 1.5
    workspace = asked(Embedding(Q, P), None)
    distances = np.mean([np.sum((p - Q) ** 2, axis=1).mean() for p in P])
    share = np.sum((P.mean(axis=0) - Q.mean(axis=0)) ** 2) / distances
    assert mean_gap(workspace) == pytest.approx(share, abs=0.002)
    one_cloud = rng.standard_normal((60, 64))
    small = asked(Embedding(one_cloud[:40], one_cloud[40:]), None)
    assert mean_gap(small) < 0.02


def test_in_a_recommender_the_mean_user_is_no_fault(rng):
    P, Q = two_tables(rng, 100, 60, 5)
    finding = audit(Embedding(Q, P + 4), "als", k=3)["side_means"]
    assert finding.value > 0.3
    assert (finding.verdict, finding.action) == ("info", "none")
    assert "side_means" not in {f.id for f in audit(Embedding(Q), "contrastive", k=3).findings}
