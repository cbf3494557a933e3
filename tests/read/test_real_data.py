"""The real data sets read as they lie, and their sizes are the ones their makers state."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.interactions import read_interactions


def test_ml_100k(shared_data: Path) -> None:
    folder = shared_data / "ml-100k"
    seen = read_interactions(folder / "u.data", names=folder / "u.item")
    stated = [int(line.split()[0]) for line in (folder / "u.info").read_text().splitlines()]
    assert [seen.n_users, seen.n_items, seen.nnz] == stated
    assert seen.item_names is not None
    assert seen.item_names[seen.item_ids.tolist().index(50)] == "Star Wars (1977)"
    assert "Nénette et Boni (1996)" in seen.item_names.tolist()
    loaded = np.loadtxt(folder / "u.data", dtype=np.int64)
    dense = np.zeros((943, 1682))
    dense[loaded[:, 0] - 1, loaded[:, 1] - 1] = loaded[:, 2]
    assert np.array_equal(seen.matrix.toarray(), dense)
    by_number = read_interactions(folder / "u.data", user=0, item=1, weight=2)
    assert (by_number.matrix != seen.matrix).nnz == 0


def test_ml_100k_bpr(shared_data: Path) -> None:
    folder = shared_data / "ml-100k-bpr"
    model = read_embedding(
        folder / "item_embeddings.npy",
        folder / "user_embeddings.npy",
        ids=np.arange(1, 1683),
        names=shared_data / "ml-100k" / "u.item",
    )
    assert repr(model) == "Embedding(1682 items, 943 users, 65 components, float32)"
    assert model.find_items(["Star Wars (1977)"]).tolist() == [49]
    trained_on = read_interactions(folder / "train.csv", "user_id", "item_id").align(model.item_ids)
    assert trained_on.report["aligned"]["items"] == {
        "wanted": 1682,
        "shared": 1678,
        "without_interactions": 4,
        "left_out": 0,
    }
    popularity = np.log1p(trained_on.item_counts)  # rows and columns line up: a model's norms follow popularity
    norms = np.linalg.norm(model.items, axis=1)
    assert np.corrcoef(popularity, norms)[0, 1] > 0.8
    assert abs(np.corrcoef(np.roll(popularity, 700), norms)[0, 1]) < 0.5


def test_ml_small_als(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "ml-small-als"
    with zipfile.ZipFile(shared_data / "ml-latest-small" / "ml-latest-small.zip") as archive:
        archive.extract("ml-latest-small/movies.csv", tmp_path)
        archive.extract("ml-latest-small/ratings.csv", tmp_path)
    model = read_embedding(
        folder / "item_factors.npy",
        folder / "user_factors.npy",
        ids=folder / "item_rows.csv",
        user_ids=folder / "user_rows.csv",
        names=tmp_path / "ml-latest-small" / "movies.csv",
    )
    assert repr(model) == "Embedding(9724 items, 610 users, 64 components, float32)"
    assert model.item_names[0] == "Toy Story (1995)"
    seen = read_interactions(tmp_path / "ml-latest-small" / "ratings.csv")
    assert np.array_equal(seen.item_ids, model.item_ids)
    assert np.array_equal(seen.user_ids, model.user_ids)
    with pytest.raises(InputError, match=r"is a zip archive.*Unpack it"):
        read_interactions(shared_data / "ml-latest-small" / "ml-latest-small.zip")


def test_msweb(shared_data: Path) -> None:
    seen = read_interactions(shared_data / "msweb" / "anonymous-msweb.data")
    assert (seen.n_users, seen.n_items, seen.nnz) == (32_711, 285, 98_654)
    assert seen.report["items_never_visited"] == 294 - 285
    assert seen.item_names is not None
    assert seen.item_names[int(seen.item_counts.argmax())] == "Free Downloads"


def test_things(shared_data: Path) -> None:
    folder = shared_data / "things-vice"
    names = folder / "item_names.tsv"
    model = read_embedding(folder / "things_final_embedding.npy", ids=f"{names}:uniqueID", names=f"{names}:Word")
    assert repr(model) == "Embedding(1854 items, 42 components, float32)"
    assert model.item_names[:2].tolist() == ["aardvark", "abacus"]
    with pytest.raises(InputError, match="labels are duplicates"):
        read_embedding(folder / "things_final_embedding.npy", ids=f"{names}:Word")


def test_glove(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "glove-6B-50d-subsets"
    common = read_embedding(folder / "glove.6B.50d.top2444.txt")
    assert common.items.shape == (2446, 50)
    assert common.item_ids[:3].tolist() == ["the", ",", "."]
    assert read_embedding(folder / "glove.6B.50d.random5403.txt").items.shape == (5403, 50)
    assert read_embedding(f"{folder}/glove*.txt").items.shape == (7849, 50)
    cut = tmp_path / "glove.txt"
    cut.write_bytes((folder / "glove.6B.50d.top2444.txt").read_bytes()[:1_000_000])
    with pytest.raises(InputError, match=r"glove\.txt: line \d+ .* is not a word with 50 numbers"):
        read_embedding(cut)
    assert read_embedding(cut, on_bad_row="drop").n_items == cut.read_bytes().count(b"\n")
