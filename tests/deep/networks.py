"""Small networks with known free places, built at random; none of them uses a class that simgauge could know."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class Towers(nn.Module):
    """Two tables and two linear layers, joined as `joined` says."""

    def __init__(self, joined="product", bias=True, n=7, width=4, out=3):
        super().__init__()
        self.users, self.items = nn.Embedding(n, width), nn.Embedding(n, width)
        self.user_tower, self.item_tower = nn.Linear(width, out, bias=bias), nn.Linear(width, out, bias=bias)
        self.joined = joined

    def forward(self, users, items):
        u, v = self.user_tower(self.users(users)), self.item_tower(self.items(items))
        if self.joined == "cosine":
            u, v = functional.normalize(u, dim=-1), functional.normalize(v, dim=-1)
        return (u * v).sum(-1) if self.joined != "all pairs" else u @ v.T


class Gated(nn.Module):
    def __init__(self, width=4, units=5):
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(width, units), nn.Linear(width, units), nn.Linear(units, width)

    def forward(self, x):
        return self.down(functional.silu(self.gate(x)) * self.up(x))


class Units(nn.Module):
    def __init__(self, activation, width=4, units=5, bias=True):
        super().__init__()
        self.first, self.second = nn.Linear(width, units, bias=bias), nn.Linear(units, width, bias=bias)
        self.activation = activation

    def forward(self, x):
        return self.second(self.activation(self.first(x)))


class Attention(nn.Module):
    """Heads of `size`; `shared` heads of queries use one head of keys; one matrix for all three when `fused`."""

    def __init__(self, width=4, heads=2, size=2, shared=1, fused=False, by_hand=False):
        super().__init__()
        self.heads, self.size, self.shared, self.fused, self.by_hand = heads, size, shared, fused, by_hand
        few = heads // shared
        if fused:
            self.qkv = nn.Linear(width, 3 * heads * size, bias=False)
        else:
            self.q = nn.Linear(width, heads * size, bias=False)
            self.k, self.v = nn.Linear(width, few * size, bias=False), nn.Linear(width, few * size, bias=False)
        self.o = nn.Linear(heads * size, width, bias=False)

    def forward(self, x):
        n, t, _ = x.shape
        q, k, v = self.qkv(x).chunk(3, -1) if self.fused else (self.q(x), self.k(x), self.v(x))
        q, k, v = (part.view(n, t, -1, self.size).transpose(1, 2) for part in (q, k, v))
        if self.shared > 1:
            k, v = k.repeat_interleave(self.shared, 1), v.repeat_interleave(self.shared, 1)
        if self.by_hand:
            mixed = torch.softmax(torch.einsum("nhtd,nhsd->nhts", q, k) / self.size**0.5, -1) @ v
        else:
            mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.o(mixed.transpose(1, 2).reshape(n, t, -1))


class Residual(nn.Module):
    def __init__(self, norm, inner):
        super().__init__()
        self.norm, self.inner = norm, inner

    def forward(self, x):
        return x + self.inner(self.norm(x))


def random_network(rng: np.random.Generator, width: int = 4):
    """A stack of random blocks, and how many bases and scales of which size it has by construction."""
    blocks, expected = [], []
    for _ in range(rng.integers(1, 4)):
        kind = rng.choice(["relu", "leaky", "gelu", "squared", "gated", "attention", "fused", "linear"])
        if kind == "linear":
            size = int(rng.integers(2, 6))
            inner: nn.Module = nn.Sequential(nn.Linear(width, size), nn.Linear(size, width, bias=False))
            expected.append(("basis", size))
        elif kind == "gated":
            inner = Gated(width)
            expected.append(("scales", 5))
        elif kind in ("attention", "fused"):
            shared = int(rng.choice([1, 2])) if kind == "attention" else 1
            inner = Attention(width, 2, 2, shared, kind == "fused", bool(rng.integers(2)))
            expected += [("basis", 2)] * 2 * (2 // shared)
        else:
            functions = {
                "relu": functional.relu,
                "leaky": functional.leaky_relu,
                "gelu": functional.gelu,
                "squared": lambda x: functional.relu(x) ** 2,
            }
            inner = Units(functions[kind], width)
            if kind != "gelu":
                expected.append(("scales", 5))
        norm = rng.choice(["none", "layer", "rms"])
        if norm != "none":
            blocks.append(Residual(nn.LayerNorm(width) if norm == "layer" else nn.RMSNorm(width), inner))
            expected.append(("scales", width))
        else:
            blocks.append(nn.Sequential(inner, nn.Tanh()))
    return nn.Sequential(*blocks).double(), sorted(expected)
