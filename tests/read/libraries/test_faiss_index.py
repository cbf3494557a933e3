"""FAISS: the vectors that were added come back, with ids and metric; search scores are their dot products."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.libraries import faiss_index, from_library

faiss = pytest.importorskip("faiss", reason="pip install 'simgauge[fast]'")

VECTORS = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
IDS = np.random.default_rng(1).permutation(1000)[:60].astype(np.int64)


def filled(factory: str, metric: int = faiss.METRIC_INNER_PRODUCT, ids: np.ndarray | None = None) -> faiss.Index:
    faiss.omp_set_num_threads(1)
    index = faiss.index_factory(8, factory, metric)
    index.train(VECTORS)
    index.add(VECTORS) if ids is None else index.add_with_ids(VECTORS, ids)
    return index


@pytest.mark.parametrize("factory", ["Flat", "IVF2,Flat", "HNSW8,Flat"])
def test_vectors_and_scores(factory: str, tmp_path: Path) -> None:
    index = filled(factory)
    embedding = from_library(index)
    assert np.array_equal(embedding.items, VECTORS)
    assert embedding.provenance["metric"] == "inner product"
    assert embedding.provenance["lossless"] is True
    scores, ids = index.search(VECTORS[:5], 3)
    assert np.allclose(scores, np.take_along_axis(VECTORS[:5] @ embedding.items.T, ids, axis=1), atol=1e-5)
    faiss.write_index(index, str(tmp_path / "x.index"))
    read = read_embedding(tmp_path / "x.index")
    assert np.array_equal(read.items, VECTORS)
    assert read.provenance["objective"] == "unknown"
    pair = read_embedding(tmp_path / "x.index", users=VECTORS[:5])
    assert pair.n_users == 5
    assert pair.provenance["sources"]["items"]["metric"] == "inner product"


@pytest.mark.parametrize("factory", ["IDMap,Flat", "IDMap2,Flat", "IVF2,Flat"])
def test_ids_of_the_index(factory: str) -> None:
    index = filled(factory, faiss.METRIC_L2, IDS)
    embedding = from_library(index)
    assert set(embedding.item_ids) == set(IDS.tolist())
    by_id = dict(zip(IDS.tolist(), VECTORS, strict=True))
    assert np.array_equal(embedding.items, np.stack([by_id[item] for item in embedding.item_ids]))
    assert embedding.provenance["metric"] == "squared L2"
    assert index.search(VECTORS[:1], 1)[1][0, 0] == IDS[0]
    assert not hasattr(index, "direct_map") or index.direct_map.type == faiss.DirectMap.NoMap  # as it was


def test_lossy_indexes_say_so() -> None:
    for factory in ("PCA4,Flat", "SQ8"):
        embedding = from_library(filled(factory))
        assert not np.array_equal(embedding.items, VECTORS)
        assert embedding.provenance["lossless"] is False, f"{factory}"


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is empty"):
        from_library(faiss.IndexFlatIP(4))
    with pytest.raises(InputError, match="holds no vectors of numbers"):
        from_library(faiss.IndexBinaryFlat(16))
    faiss.write_index(filled("Flat"), str(tmp_path / "x.index"))
    (tmp_path / "cut.index").write_bytes((tmp_path / "x.index").read_bytes()[:200])
    with pytest.raises(InputError, match="cut off"):
        read_embedding(tmp_path / "cut.index")


def test_an_index_that_nobody_else_holds_lives_until_its_vectors_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """FAISS's narrower wrapper does not own the index; read after it was freed, it gives noise or ends the process."""
    held: list[weakref.ref[Any]] = []
    stored = faiss_index._stored

    def given() -> Any:
        index = filled("IVF2,Flat")
        held.append(weakref.ref(index))
        return index

    def watched(index: Any) -> Any:
        assert held[0]() is not None, "freed before it was read"
        return stored(index)

    monkeypatch.setattr(faiss_index, "_stored", watched)
    found = faiss_index.from_faiss(given())  # outside of assert, which would hold the index
    assert np.array_equal(np.asarray(found.items), VECTORS)
    gc.collect()
    assert held[0]() is None, "the control: nobody else held it"
