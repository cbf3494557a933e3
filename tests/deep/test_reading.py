"""Vectors read in a network: what is free about them, why not, and how far their cosines move."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.deep.networks import Attention, Residual, Towers, Units
from torch import nn
from torch.nn import functional

from simgauge.core.neighbors.topk import top_k
from simgauge.deep import find_free_places, rescaled
from simgauge.errors import InputError, ParameterError

IDS = torch.arange(7)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def output_of(network, name, *inputs):
    """What a submodule returns, seen by a hook."""
    seen = []
    handle = network.get_submodule(name).register_forward_hook(lambda _m, _i, result: seen.append(result.detach()))
    with torch.no_grad():
        network(*inputs)
    handle.remove()
    return seen[0].double().reshape(-1, seen[0].shape[-1]).numpy()


def test_towers_joined_by_a_dot_product_are_not_identified_and_behind_a_cosine_they_are():
    for joined, status in (("product", "basis"), ("cosine", "identified")):
        reading = find_free_places(Towers(joined).double(), IDS, IDS).at("item_tower")
        assert reading.status == status
    assert "clamp_min" in reading.reasons[0]
    assert "identified as far as the trace tells" in str(reading)


def test_a_network_that_multiplies_a_tower_with_itself_fixes_it():
    class Siamese(nn.Module):
        def __init__(self):
            super().__init__()
            self.tower = nn.Linear(3, 4)

        def forward(self, y):
            z = self.tower(y)
            return z @ z.T

    reading = find_free_places(Siamese().double(), torch.randn(3, 3, dtype=torch.float64)).at("tower")
    assert reading.status == "identified"
    assert any("multiplied with itself" in reason for reason in reading.reasons)


def test_moved_vectors_are_those_of_a_rescaled_network(rng):
    """Theorem: what `moved` does to vectors is what the network does whose parameters are changed alike."""
    network = Towers("product", n=7).double()
    found = find_free_places(network, IDS, IDS)
    place = next(p for p in found.places if p.size == 3)
    reading = found.at("item_tower")
    before = output_of(network, "item_tower", IDS, IDS)
    after = output_of(rescaled(network, place, rng=5), "item_tower", IDS, IDS)
    np.testing.assert_allclose(reading.moved(before, rng=5), after, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["norm", "inner.v", "inner.q"])
def test_what_leaves_modules_of_a_block(name, rng):
    network = Residual(nn.LayerNorm(4), Attention(4, 2, 2)).double()
    inputs = torch.from_numpy(rng.standard_normal((2, 3, 4)))
    reading = find_free_places(network, inputs).at(name)
    assert reading.status == ("scales" if name == "norm" else "mixed")
    assert sum(part.positions.size for part in reading.parts) == 4
    vectors = output_of(network, name, inputs)
    moved = reading.moved(vectors, rng=1)
    assert np.abs(moved - vectors).max() > 1e-2


def test_movement_counts_neighbours(rng):
    """Against lists made one by one."""
    network = Units(functional.relu, 4, 6).double()
    reading = find_free_places(network, torch.ones(1, 4, dtype=torch.float64)).at("first")
    vectors = rng.standard_normal((40, 6))
    result = reading.movement(vectors, k=5, n_draws=1, condition_number=50, rng=3)
    draws = np.random.default_rng(3)
    draws.integers(0, 40, size=(2, 2000))
    before, after = top_k(vectors, 5)[0], top_k(reading.moved(vectors, condition_number=50, rng=draws), 5)[0]
    expected = np.mean([len(set(a) & set(b)) / 5 for a, b in zip(before, after, strict=True)])
    assert result.overlap == pytest.approx(expected)
    assert result.overlap < 0.95
    assert result.cosine_shift > 0.01


def test_vectors_that_are_identified_do_not_move(rng):
    reading = find_free_places(Units(functional.gelu).double(), torch.ones(1, 4, dtype=torch.float64)).at("first")
    vectors = rng.standard_normal((20, 5))
    assert (reading.moved(vectors) == vectors).all()
    assert reading.movement(vectors, k=3).overlap == 1


def test_unknown_names_and_other_widths_are_refused():
    found = find_free_places(Towers("product").double(), IDS, IDS)
    with pytest.raises(
        ParameterError, match=r"no submodule with one tensor as output of that name. It has 'users.weight'"
    ):
        found.at("nonsense")
    with pytest.raises(InputError, match=r"shape \(2, 9\): 'item_tower' has vectors of 3"):
        found.at("item_tower").moved(np.ones((2, 9)))


def test_a_place_that_is_missed_is_not_told_to_be_impossible():
    """Towers joined through a step that has no rule here, a convolution that does nothing: free, and not found."""

    class Convolved(nn.Module):
        def __init__(self):
            super().__init__()
            self.items, self.last = nn.Embedding(7, 4), nn.Linear(4, 2)

        def forward(self, rows):
            vectors = self.items(rows)[:, None, :]
            return self.last(functional.conv1d(vectors, torch.ones(1, 1, 1, dtype=vectors.dtype))[:, 0])

    reading = find_free_places(Convolved().double(), IDS).at("items.weight")
    assert reading.status == "identified"
    assert "steps without a rule were not searched" in str(reading)
