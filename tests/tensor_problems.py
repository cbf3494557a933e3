"""What tests of tensors share: the devices at hand, tensors from arrays, and a watch on copies to the host."""

from __future__ import annotations

import warnings
from contextlib import contextmanager

import numpy as np
import pytest

REASON = "the torch extra is not installed"

COPIES = ("__array__", "numpy", "cpu", "tolist", "__iter__")
"""Ways by which the values of a tensor come to the host."""


def devices():
    """ "cpu", and "cuda" where there is one; importing torch is left to the tests."""
    try:
        import torch
    except ImportError:
        return ["cpu"]
    return ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def tensor(values, device="cpu"):
    return pytest.importorskip("torch", reason=REASON).tensor(np.array(values), device=device)


def csr_tensor(X, device="cpu", index=np.int64):
    """A scipy CSR matrix as a tensor of layout sparse_csr."""
    torch = pytest.importorskip("torch", reason=REASON)
    X.sort_indices()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that the layout is young
        return torch.sparse_csr_tensor(
            tensor(X.indptr.astype(index), device),
            tensor(X.indices.astype(index), device),
            tensor(X.data, device),
            size=X.shape,
            check_invariants=True,
        )


@contextmanager
def watched_copies(monkeypatch, largest):
    """Within it: an error for a copy of more than `largest` values of a tensor to the host."""
    torch = pytest.importorskip("torch", reason=REASON)

    def guarded(name):
        original = getattr(torch.Tensor, name)

        def method(self, *args, **kwargs):
            if name != "cpu" or not kwargs:
                assert self.numel() <= largest, f"{name} of a tensor of shape {tuple(self.shape)}"
            return original(self, *args, **kwargs)

        return method

    def to(self, *args, **kwargs):
        here = [str(part) for part in (*args, *kwargs.values())]
        assert not any(part.startswith("cpu") for part in here) or self.numel() <= largest, "to('cpu')"
        return original_to(self, *args, **kwargs)

    original_to = torch.Tensor.to
    with monkeypatch.context() as patch:
        for name in COPIES:
            patch.setattr(torch.Tensor, name, guarded(name))
        patch.setattr(torch.Tensor, "to", to)
        yield
