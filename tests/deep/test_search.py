"""Free places: none is claimed that is not free, and in networks of known blocks none is missed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.deep.networks import Attention, Gated, Residual, Towers, Units, random_network
from torch import nn
from torch.nn import functional

from simgauge.deep import find_free_places, rescaled, verify_outputs
from simgauge.deep.places import Carrier, FreePlace
from simgauge.errors import InputError

IDS = torch.arange(5)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def x(rng, *shape):
    return torch.from_numpy(rng.standard_normal(shape))


def kinds(found):
    return sorted((place.kind, place.size) for place in found.places)


@pytest.mark.parametrize("seed", range(25))
def test_networks_built_at_random_have_the_places_of_their_blocks(seed):
    """Theorem: each block brings the group that its algebra says, whatever stands before and after it."""
    rng = np.random.default_rng(seed)
    network, expected = random_network(rng)
    found = find_free_places(network, x(rng, 2, 3, 4))
    assert kinds(found) == expected
    assert found.verified < 1e-12
    for place in found.places:
        moved = rescaled(network, place, condition_number=30, rng=seed)
        check = verify_outputs(network, moved, x(rng, 2, 3, 4))
        assert check.difference < 1e-12


SMALL = {
    "relu": lambda: Units(functional.relu, 3, 4),
    "squared": lambda: Units(lambda y: functional.relu(y) ** 2, 3, 4),
    "gelu": lambda: Units(functional.gelu, 3, 4),
    "linear": lambda: nn.Sequential(nn.Linear(3, 2, bias=False), nn.Linear(2, 3)),
    "gated": lambda: Gated(3, 4),
    "normed": lambda: Residual(nn.RMSNorm(3), Units(torch.tanh, 3, 4)),
}


@pytest.mark.parametrize("name", SMALL)
def test_every_direction_that_keeps_outputs_is_in_a_place(name, rng):
    """Independent reference: the null space of the Jacobian of outputs by all parameters, at many inputs."""
    network = SMALL[name]().double()
    inputs = x(rng, 60, 2, 3)
    found = find_free_places(network, inputs[:2])
    names = [key for key, _ in network.named_parameters()]
    values = [value.detach() for _, value in network.named_parameters()]

    def outputs(*parameters):
        return torch.func.functional_call(network, dict(zip(names, parameters, strict=True)), (inputs,)).reshape(-1)

    jacobian = torch.autograd.functional.jacobian(outputs, tuple(values))
    jacobian = np.hstack([part.reshape(part.shape[0], -1).numpy() for part in jacobian])
    free = jacobian.shape[1] - np.linalg.matrix_rank(jacobian, tol=1e-9 * np.linalg.norm(jacobian, 2))
    assert sum(place.size ** (2 if place.kind == "basis" else 1) for place in found.places) == free


def test_two_towers_joined_by_a_dot_product_share_a_basis():
    for joined in ("product", "all pairs"):
        found = find_free_places(Towers(joined).double(), IDS, IDS)
        assert kinds(found) == [("basis", 3), ("basis", 4), ("basis", 4)]


def test_towers_behind_a_cosine_share_nothing():
    found = find_free_places(Towers("cosine").double(), IDS, IDS)
    assert kinds(found) == [("basis", 4), ("basis", 4)]
    assert all("tower" not in carrier.parameter or carrier.axis == 1 for p in found.places for carrier in p.carriers)


def test_a_tied_head_fixes_the_table():
    class Decoder(nn.Module):
        def __init__(self, tied):
            super().__init__()
            self.table, self.norm = nn.Embedding(9, 4), nn.RMSNorm(4)
            self.head = nn.Linear(4, 9, bias=False)
            if tied:
                self.head.weight = self.table.weight

        def forward(self, tokens):
            return self.head(self.norm(self.table(tokens)))

    tokens = torch.arange(6)[None]
    assert kinds(find_free_places(Decoder(True).double(), tokens)) == []
    assert kinds(find_free_places(Decoder(False).double(), tokens)) == [("scales", 4)]


def test_parameters_that_share_memory_are_left_alone():
    whole = torch.randn(8, 4, dtype=torch.float64)

    class Sharing(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Parameter(whole[:4]), nn.Parameter(whole)

        def forward(self, y):
            return functional.relu(y @ self.a.T) @ self.a, y @ self.b.T

    assert kinds(find_free_places(Sharing(), torch.randn(2, 4, dtype=torch.float64))) == []


class Halves(nn.Module):
    """Takes a linear layer's output apart and puts halves of two such outputs together again."""

    def __init__(self, how):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 3)
        self.how = how

    def forward(self, y):
        a, b = self.a(y), self.b(y)
        if self.how == "mixed":
            both = a + b
            return self.c(torch.cat([a[..., :2], b[..., 2:]], -1)) + self.c(both)
        if self.how == "rolled":
            return self.c(a + a.roll(1, -1))
        if self.how == "flipped":
            return self.c(a + a.flip(-1))
        if self.how == "unfolded":
            return self.c(torch.cat([a, a], -1).unfold(-1, 4, 1).sum(-2))
        return self.c(a.max(b))


@pytest.mark.parametrize(("how", "expected"), [("mixed", 2), ("rolled", 1), ("flipped", 2), ("maximum", 4)])
def test_vectors_that_are_taken_apart_are_not_mixed(how, expected, rng):
    """Control: a basis of all four coordinates would move outputs, though each may be scaled alike."""
    network = Halves(how).double()
    found = find_free_places(network, x(rng, 2, 3))
    assert max((place.size for place in found.places), default=0) <= expected
    assert found.verified < 1e-12
    claim = [Carrier("a.weight", 0, np.arange(4)[None], 1.0), Carrier("a.bias", 0, np.arange(4)[None], 1.0)]
    claim += [Carrier("b.weight", 0, np.arange(4)[None], 1.0), Carrier("b.bias", 0, np.arange(4)[None], 1.0)]
    wrong = FreePlace("basis", 4, (*claim, Carrier("c.weight", 1, np.arange(4)[None], -1.0)))
    assert verify_outputs(network, rescaled(network, wrong, rng=0), x(rng, 2, 3)).difference > 1e-3


@pytest.mark.parametrize("activation", [functional.gelu, torch.tanh, torch.sigmoid, functional.softplus])
def test_units_that_are_not_homogeneous_are_not_free(activation, rng):
    """Control: the same place claimed for them moves outputs."""
    network = Units(activation).double()
    assert find_free_places(network, x(rng, 2, 4)).places == ()
    like = find_free_places(Units(functional.relu).double(), x(rng, 2, 4)).places[0]
    assert verify_outputs(network, rescaled(network, like, rng=0), x(rng, 2, 4)).difference > 1e-3


def test_heads_that_share_keys_move_together(rng):
    found = find_free_places(Attention(4, 4, 2, shared=2).double(), x(rng, 2, 3, 4))
    assert kinds(found) == [("basis", 2)] * 4
    queries = next(place for place in found.places if place.carriers[0].parameter == "q.weight")
    assert [len(carrier.positions) for carrier in queries.carriers] == [2, 1]


def test_layers_of_torch_and_other_libraries_need_no_rule_of_their_own(rng):
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    found = find_free_places(nn.TransformerEncoder(layer, 2).double(), x(rng, 2, 3, 8))
    assert kinds(found) == sorted([("basis", 4)] * 8 + [("scales", 16)] * 2)


def test_a_decoder_with_rotated_positions(rng):
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        vocab_size=50, hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).double()
    found = find_free_places(model, input_ids=torch.arange(5)[None], use_cache=False)
    expected = [("basis", 4)] * 2 + [("scales", 4)] + [("scales", 16)] * 3 + [("scales", 24)]
    assert kinds(found) == sorted(expected)
    assert found.at("model.norm").status == "scales"
    assert found.at("model.embed_tokens.weight").status == "identified"


def test_control_flow_that_depends_on_data_is_refused(rng):
    class Branching(nn.Module):
        def forward(self, y):
            return y if y.sum() > 0 else -y

    with pytest.raises(InputError, match="cannot be traced"):
        find_free_places(Branching(), x(rng, 2, 3))


def test_half_precision_and_whole_numbers(rng):
    network = Units(functional.relu).to(torch.bfloat16)
    found = find_free_places(network, x(rng, 2, 4).to(torch.bfloat16))
    assert kinds(found) == [("scales", 5)]
    assert rescaled(network, found.places[0], rng=0).first.weight.dtype is torch.bfloat16


def test_the_model_that_is_given_stays_as_it_is(rng):
    network = Units(functional.relu).double().train()
    before = [part.clone() for part in network.parameters()]
    find_free_places(network, x(rng, 2, 4))
    assert network.training
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
