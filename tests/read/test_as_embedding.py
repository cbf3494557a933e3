"""What users hand in: arrays, frames, tensors, files and embeddings are the same model everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import simgauge
from simgauge import Embedding, InputError
from simgauge.core.tables.row_parts import LocalParts
from simgauge.read.as_embedding import as_embedding, index_labels


@pytest.fixture
def tables(rng):
    return rng.standard_normal((30, 4)), rng.standard_normal((50, 4))


def test_an_embedding_is_returned_as_it_is(tables):
    model = Embedding(tables[0], users=tables[1])
    assert as_embedding(model) is model
    with pytest.raises(InputError, match="holds its own users"):
        as_embedding(model, tables[1])


@pytest.mark.parametrize("make", [np.asarray, lambda t: t.tolist(), lambda t: LocalParts([t[:7], t[7:]])])
def test_tables_keep_their_numbers(tables, make):
    model = as_embedding(make(tables[0]), make(tables[1]))
    assert (model.n_items, model.n_users) == (30, 50)
    assert model.item_ids.tolist() == list(range(30))


def test_tensors_stay_tensors(tables):
    torch = pytest.importorskip("torch")
    model = as_embedding(torch.as_tensor(tables[0]), torch.as_tensor(tables[1]))
    assert isinstance(model.items, torch.Tensor)


def test_an_index_that_holds_ids_becomes_the_ids(tables):
    labels = [f"item {row}" for row in range(30)]
    frame = pd.DataFrame(tables[0], index=labels, columns=[f"v{j}" for j in range(4)])
    people = pd.DataFrame(tables[1], index=np.arange(50) * 3 + 7, columns=frame.columns)
    model = as_embedding(frame, people)
    assert model.item_ids.tolist() == labels
    assert model.user_ids.tolist() == list(range(7, 157, 3))
    np.testing.assert_array_equal(model.items, tables[0])


def test_an_index_that_numbers_the_rows_is_no_id():
    assert index_labels(pd.DataFrame({"v": [1.0, 2.0]})) is None
    named = pd.DataFrame({"v": [1.0, 2.0]}, index=pd.Index([0, 1], name="movie"))
    assert index_labels(named).tolist() == [0, 1]  # control: somebody named it
    assert index_labels(pd.DataFrame({"v": [1.0, 2.0]}, index=[1, 2])).tolist() == [1, 2]
    assert index_labels(np.ones((2, 2))) is None


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frames_of_every_library(tables, frame):
    columns = {"word": [f"w{row}" for row in range(30)]} | {f"v{j}": tables[0][:, j] for j in range(4)}
    model = as_embedding(frame(columns))
    assert model.item_ids[3] == "w3"
    np.testing.assert_array_equal(model.items, tables[0])


def test_functions_take_arrays_and_files(tables, tmp_path):
    items, users = tables
    model = Embedding(items, users=users)
    np.save(tmp_path / "items.npy", items)
    assert (
        simgauge.audit(items, users=users, k=5).to_dict()["findings"]
        == simgauge.audit(model, k=5).to_dict()["findings"]
    )
    assert simgauge.audit(tmp_path / "items.npy", k=5).embedding["n_items"] == 30
    for got, want in zip(simgauge.canonical_form(items, users=users), simgauge.canonical_form(model), strict=True):
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(
        simgauge.canonical_gauge(items, 1.0, users=users).items, simgauge.canonical_gauge(model, 1.0).items
    )
    G = simgauge.random_gauge(4, 10.0)
    moved = simgauge.gauge_transform(items, G, users=users)
    np.testing.assert_allclose(moved.users @ moved.items.T, users @ items.T, atol=1e-10)
    assert simgauge.fix(items, users=users).best_name == simgauge.fix(model).best_name
    assert simgauge.compare(items, model, k=5).neighbor_overlap == 1.0
    np.testing.assert_array_equal(simgauge.top_k(model, 3)[0], simgauge.top_k(items, 3)[0])


def test_a_model_fits_interactions():
    seen = simgauge.Interactions(np.eye(6) + np.roll(np.eye(6), 1, axis=1), item_ids=list("abcdef"))
    with_ids = simgauge.LinearAutoencoder(3).fit(seen)
    np.testing.assert_array_equal(with_ids.decoder_, simgauge.LinearAutoencoder(3).fit(seen.matrix).decoder_)
    np.testing.assert_array_equal(with_ids.transform(seen), with_ids.transform(seen.matrix))
