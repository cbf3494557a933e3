"""Numbers that travel with a page: at every point of its grid they give the lists of the whole table."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import jsonschema
import numpy as np
import pytest

from page_reader import assert_listed, candidates, nearest, numbers, similarity, vectors
from problems import two_tables
from simgauge import Embedding, canonical_gauge, gauge_transform, random_gauge
from simgauge.core.neighbors.topk import top_k
from simgauge.report.explorer import searched, travellers
from simgauge.report.explorer.build import explore


@cache
def model(n_items=120, n_users=150, width=6, seed=0):
    rng = np.random.default_rng(seed)
    P, Q = two_tables(rng, n_users, n_items, width)
    names = [f"film {i}" for i in range(n_items)]
    return Embedding(Q + 0.3, P + 0.2, item_names=names, user_ids=[f"secret-{i}" for i in range(n_users)])


def grid(data):
    return [(c, p, g) for c in data["by_center"] for p in data["powers"] for g in data["norm_powers"]]


def assert_same_list(data, embedding, point, item):
    assert_listed(nearest(data, point, item), embedding, point, data["names"][item], data["k"])


@pytest.mark.parametrize("page_bytes", [travellers.PAGE_BYTES, 3_000], ids=["whole table", "candidates"])
def test_lists_of_the_page_are_those_of_the_whole_table(page_bytes, monkeypatch, rng):
    monkeypatch.setattr(travellers.travellers, "__defaults__", (page_bytes,))
    embedding = model()
    data = explore(embedding, k=4, popularity=np.arange(120))
    assert (data["candidates"] is None) == (page_bytes > 3_000)
    assert data["n_travelling"] <= 120
    points = [None, *grid(data)]
    for _ in range(200):
        point = points[rng.integers(len(points))]
        assert_same_list(data, embedding, point, int(rng.integers(data["n_asked"])))


def test_control_a_page_without_one_candidate_is_found_out(monkeypatch):
    monkeypatch.setattr(travellers.travellers, "__defaults__", (3_000,))
    embedding = model()
    data = explore(embedding, k=4)
    first = nearest(data, None, 0)[0]
    assert first in [data["names"][place] for place in candidates(data, 0)]
    data["names"][data["names"].index(first)] = "somebody else"
    with pytest.raises((AssertionError, ValueError, KeyError)):
        assert_same_list(data, embedding, None, 0)


def test_the_page_is_the_same_in_every_gauge_of_the_model():
    """Lists at the grid are invariants; as shipped they are not."""
    embedding = model()
    other = gauge_transform(embedding, random_gauge(6, 5.0, rng=3))
    one, two = explore(embedding, k=4, rng=1), explore(other, k=4, rng=1)
    for point in grid(one):
        same = np.allclose(similarity(one, point, 3), similarity(two, point, 3), rtol=5e-3, atol=5e-3)
        assert same, f"{point}"
    assert not np.allclose(similarity(one, None, 3), similarity(two, None, 3), atol=0.05)


def test_predictions_stay_up_to_what_the_page_says():
    """Exactly for α and centred users, up to one constant a user with centred items."""
    embedding = model()
    data = explore(embedding, k=4)
    known = data["predictions"]
    shown = known["items"]

    def scores(point):
        items = vectors(data, point)[shown]
        users = known["shipped"] if point is None else known["by_center"][point[0]]
        users = numbers(users, "<f4").reshape(known["n_users"], -1).astype(np.float64)
        if point is not None:
            s = numbers(data["by_center"][point[0]]["singular_values"], "<f4").astype(np.float64)
            users = users / s ** point[1]
        return users @ items.T

    first = scores(None)
    scale = np.abs(first).max()
    for point in grid(data):
        change = scores(point) - first
        if point[0] in ("items", "both"):
            assert np.abs(change).max() > 1e-2 * scale, "control: the items are not centred in the model as shipped"
            change = change - change.mean(axis=1, keepdims=True)
        assert np.abs(change).max() < 1e-3 * scale, f"{point}"


def test_a_further_gauge_travels_with_its_predictions():
    embedding = model()
    other = gauge_transform(embedding, random_gauge(6, 20.0, rng=2))
    data = explore(embedding, k=4, shown=["film 3"], others={"mine": other}, columns=["mine"])
    assert data["presets"][-1] == {"name": "mine", "center": "mine", "power": 1.0, "norm_power": 0.0}
    assert data["by_center"]["mine"]["fixed"]
    for item in range(0, 120, 7):
        wanted = top_k(other.items, 4, rows=[int(data["names"][item].split()[1])])[0][0]
        assert nearest(data, ("mine", 1.0, 0.0), item) == [f"film {row}" for row in wanted]
    columns = [column["gauge"] for column in data["lists"][0]["gauges"]]
    assert columns == ["as shipped", "mine"]
    known = data["predictions"]
    users = [numbers(text, "<f4").reshape(known["n_users"], -1).astype(np.float64)
             for text in (known["shipped"], known["by_center"]["mine"])]  # fmt: skip
    scores = [
        user @ vectors(data, point)[known["items"]].T for user, point in zip(users, (None, ("mine", 1)), strict=True)
    ]
    assert np.allclose(*scores, atol=1e-3 * np.abs(scores[0]).max())


def test_a_direction_that_centring_loses_is_told(rng):
    P, Q = two_tables(rng, 50, 40, 4)
    P[:, 0] = 1.0  # a bias of the items: users have no variance along it
    data = explore(Embedding(Q, P), k=3)
    assert data["by_center"]["none"]["kept"]
    assert not data["by_center"]["users"]["kept"]


def test_one_table_goes_from_whitened_to_as_shipped(rng):
    _, Q = two_tables(rng, 50, 60, 5)
    data = explore(Embedding(Q), k=3)
    assert data["predictions"] is None
    assert data["shipped"] is None
    assert data["shipped_is"] == {"center": "none", "power": 1.0, "norm_power": 0.0}
    own = [f"{i}" for i in top_k(Q, 3, rows=[7])[0][0]]
    assert nearest(data, ("none", 1.0, 0.0), 7) == own
    white = canonical_gauge(Embedding(Q), 0.0, "items").items
    assert nearest(data, ("items", 0.0, 0.0), 7) == [f"{i}" for i in top_k(white, 3, rows=[7])[0][0]]


def test_zero_vectors_are_nobodys_neighbours():
    embedding = model()
    items = embedding.items.copy()
    items[5] = 0
    data = explore(Embedding(items, embedding.users, item_names=embedding.item_names), k=4)
    assert "film 5" not in data["names"]
    assert data["n_items"] == 120
    assert data["n_searched"] == data["n_directed"] == 119


def test_a_large_table_is_sampled_and_says_so(monkeypatch, rng):
    monkeypatch.setattr(searched, "SEARCHED_BYTES", 1)
    embedding = Embedding(rng.standard_normal((3_000, 4)), rng.standard_normal((50, 4)))
    data = explore(embedding, k=3, shown=[2_999])
    assert 1_000 <= data["n_searched"] < 1_002
    assert data["n_directed"] == 3_000
    assert data["names"][data["shown"][0]] == "2999"


def test_wide_tables_travel_without_the_matrices_that_have_no_room(rng):
    users, items = rng.standard_normal((600, 512)), rng.standard_normal((640, 512))
    data = explore(Embedding(items, users), k=3)
    assert list(data["by_center"]) == ["none"]
    assert data["shipped"] is None
    assert data["shipped_is"] is None
    assert data["lists"][0]["gauges"][0]["gauge"] == "as shipped"


@pytest.mark.parametrize("items", [np.ones((1, 3)), np.zeros((4, 3))], ids=["one item", "zeros"])
def test_nothing_to_explore(items):
    assert explore(Embedding(items)) is None
    assert explore(Embedding(items, np.eye(3))) is None


def test_no_id_of_a_user_travels_and_the_schema_holds():
    data = explore(model(), k=4, popularity=np.arange(120))
    assert "secret" not in json.dumps(data)
    schema = json.loads(resources.files("simgauge").joinpath("schemas/page.schema.json").read_text(encoding="utf-8"))
    parts = schema["properties"]["explorer"]["anyOf"][0]
    jsonschema.validate(data, parts)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "user_ids": ["secret-1"]}, parts)


def test_the_same_seed_gives_the_same_numbers():
    assert json.dumps(explore(model(), k=4, rng=7)) == json.dumps(explore(model(), k=4, rng=7))
    assert explore(model(), k=4, rng=7)["shown"] != explore(model(), k=4, rng=8)["shown"]
