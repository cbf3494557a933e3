"""torch: named tables of modules, state dicts and checkpoints; a checkpoint never runs code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.libraries import from_library

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def torch() -> Any:
    module = pytest.importorskip("torch", reason="torch is not installed (extra: adapters)")
    module.set_num_threads(1)
    module.manual_seed(0)
    return module


def factorization(torch: Any) -> Any:
    class Factorization(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.user_emb, self.item_emb = torch.nn.Embedding(7, 3), torch.nn.Embedding(5, 3)
            self.user_bias, self.item_bias = torch.nn.Embedding(7, 1), torch.nn.Embedding(5, 1)
            self.head = torch.nn.Linear(3, 3)

        def forward(self, users: Any, items: Any, biases: bool) -> Any:
            scores = (self.user_emb(users) * self.item_emb(items)).sum(-1)
            return scores + (self.user_bias(users) + self.item_bias(items))[:, 0] if biases else scores

    return Factorization()


def scores_of(torch: Any, model: Any, biases: bool) -> np.ndarray:
    users, items = np.divmod(np.arange(35), 5)
    with torch.no_grad():
        return model(torch.tensor(users), torch.tensor(items), biases).numpy().reshape(7, 5)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("as_dict", [False, True])
def test_forward_is_the_dot_product(biases: bool, as_dict: bool, torch: Any) -> None:
    model = factorization(torch)
    names = {"item_bias": "item_bias", "user_bias": "user_bias.weight"} if biases else {}
    if as_dict:  # a state dict does not tell tables from weights of layers
        names |= {"items": "item_emb", "users": "user_emb"}
    embedding = from_library(model.state_dict() if as_dict else model, **names)
    assert np.allclose(embedding.users @ embedding.items.T, scores_of(torch, model, biases), atol=1e-6)
    assert not np.allclose(embedding.users @ embedding.items.T, scores_of(torch, model, not biases), atol=1e-3)
    assert len(embedding.provenance["bias_columns"]) == (2 if biases else 0)
    assert ("item_bias.weight" in embedding.provenance["tensors_not_used"]) != biases
    assert embedding.provenance["library"] == "torch"
    assert embedding.provenance["version"] == torch.__version__


def test_checkpoints(torch: Any, tmp_path: Path) -> None:
    model = factorization(torch)
    path = tmp_path / "last.pt"
    torch.save({"epoch": 3, "state_dict": model.state_dict()}, path)
    expected = scores_of(torch, model, False)
    by_path = from_library(path, items="state_dict.item_emb", users="state_dict.user_emb")
    by_key = read_embedding(f"{path}:state_dict.item_emb.weight", users=f"{path}:state_dict.user_emb")
    for embedding in (by_path, by_key, read_embedding(path)):
        assert np.allclose(embedding.users @ embedding.items.T, expected, atol=1e-6)
    torch.save({"a": torch.ones(3, 2), "b": torch.ones(4, 2)}, path)
    for read in (read_embedding, from_library):
        with pytest.raises(InputError, match=r"a \(3, 2\), b \(4, 2\)"):
            read(path)
    with pytest.raises(InputError, match=r"no tensor 'c'. There are: a \(3, 2\)"):
        from_library(path, items="c")


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_no_code_of_a_checkpoint_runs(torch: Any, tmp_path: Path) -> None:
    torch.save({"item": torch.ones(2, 2), "x": Trap(tmp_path / "sprung")}, tmp_path / "bad.pt")
    with pytest.raises(InputError, match="refused"):
        read_embedding(tmp_path / "bad.pt")
    assert not (tmp_path / "sprung").exists()
    torch.load(tmp_path / "bad.pt", weights_only=False)  # the control: the trap works
    assert (tmp_path / "sprung").exists()
    (tmp_path / "cut.pt").write_bytes((tmp_path / "bad.pt").read_bytes()[:300])
    with pytest.raises(InputError, match=r"cut\.pt"):
        read_embedding(tmp_path / "cut.pt")


def test_number_types_and_ambiguity(torch: Any) -> None:
    half = torch.randn(4, 3).to(torch.bfloat16)
    embedding = from_library({"weight": half})
    assert embedding.items.dtype == np.float32
    assert np.array_equal(embedding.items, half.float().numpy())
    embedding = from_library(torch.nn.Embedding(4, 3))
    assert embedding.n_items == 4
    with pytest.raises(InputError, match="items= does not"):
        from_library(torch.nn.Embedding(4, 3), users="weight")
    with pytest.raises(InputError, match="pass users= too"):
        from_library({"i": half, "b": half[:, :1]}, items="i", item_bias="b")
