"""Vectors that are not what cosine takes them for: bytes, hyperbolic vectors, norms below a store's floor."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, audit, read_embedding
from simgauge.auditing.checks.encoding import QDRANT_FLOOR


def test_the_uint8_file_of_somebody_else(shared_data):
    folder = shared_data.parent / "cases" / "20-uint8-zero-point"
    assert audit(read_embedding(folder / "uint8.npy"))["unsigned_bytes"].verdict == "fail"
    assert audit(read_embedding(folder / "float.npy"))["unsigned_bytes"].verdict == "ok"


def test_packed_bits_and_counts(rng):
    bits = rng.random((400, 256)) < 0.5
    assert audit(Embedding(np.packbits(bits, axis=1)))["unsigned_bytes"].verdict == "warn"
    for control in (
        bits.astype(float),
        rng.poisson(3, (400, 32)),
        rng.poisson(60, (400, 32)),
        np.round(rng.normal(0, 40, (400, 32))),
    ):
        assert audit(Embedding(control))["unsigned_bytes"].value == 0


def test_poincare_vectors_are_named_by_their_class(rng):
    table = rng.standard_normal((60, 4)) * 0.2
    known = Embedding(table, provenance={"class": "gensim.models.poincare.PoincareKeyedVectors"})
    finding = audit(known, k=5)["other_geometry"]
    assert finding.verdict == "fail"
    assert "hyperbolic distance" in finding.summary
    with pytest.raises(KeyError):
        audit(Embedding(table), k=5)["other_geometry"]


def test_poincare_vectors_that_gensim_trained():
    poincare = pytest.importorskip("gensim.models.poincare")
    from simgauge import from_library

    relations = [(f"n{i}", f"n{i // 2}") for i in range(1, 40)]
    trained = poincare.PoincareModel(relations, size=3, negative=2, seed=0)
    trained.train(epochs=2, print_every=1000)
    assert audit(from_library(trained.kv), k=5)["other_geometry"].verdict == "fail"


def test_poincare_vectors_in_a_text_file_are_not_called_copies_to_merge(shared_data):
    result = audit(read_embedding(shared_data.parent / "cases" / "41-poincare-vectors" / "poincare.txt"))
    action = result["near_duplicates"].action
    assert not action.startswith("merge")
    assert "where they are unlike" in action or not action


def test_norms_below_the_floor_are_counted_and_named(rng):
    table = rng.standard_normal((100, 6))
    table[7] *= 0.9 * QDRANT_FLOOR / np.linalg.norm(table[7])
    table[8] *= 1.1 * QDRANT_FLOOR / np.linalg.norm(table[8])
    table[9] = 0
    finding = audit(Embedding(table), k=5)["tiny_norms"]
    assert finding.details["named"] == ["7"]
    assert finding.value == 0.01
