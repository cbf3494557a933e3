"""One flipped bit anywhere in any file of any saved thing is an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.interactions import Interactions
from simgauge.read.spill import store_interactions
from simgauge.read.store.stored_interactions import StoredInteractions
from simgauge.remedies import Chain, NormDiscounting, Whitening, load_remedy

FLIPS_A_FILE = 150


def save_embedding(folder: Path) -> None:
    rng = np.random.default_rng(0)
    remedy = Whitening().fit(Embedding(rng.standard_normal((9, 3))))
    Embedding(
        rng.standard_normal((5, 3)).astype(np.float32),
        users=rng.standard_normal((4, 3)),
        item_names=["tea", "milk", "rum", "gin", "ale"],
        provenance={"library": "test", "zeros": "0" * 64},
    ).save(folder, more={"map.safetensors": _bytes(remedy, folder), "selection.json": b'{"chosen": 1}\n'})


def _bytes(remedy: Any, folder: Path) -> bytes:
    path = remedy.save(folder.parent / "map")
    content: bytes = path.read_bytes()
    path.unlink()
    return content


def save_interactions(folder: Path) -> None:
    Interactions(np.eye(3), item_ids=["a", "b", "c"], item_names=["x", "y", "z"], report={"rows": 3}).save(folder)


def save_store(folder: Path) -> None:
    store_interactions(pa.table({"user": [1, 1, 2, 3], "item": ["a", "b", "a", "c"]}), folder)


def save_remedy(folder: Path) -> None:
    """Text beside numbers, in a chain: with ids that are what the seal stands in for."""
    rng = np.random.default_rng(0)
    ids = ["0" * 64, *"bcdefgh"]
    items = Embedding(rng.standard_normal((8, 3)), item_ids=ids)
    seen = Interactions(rng.integers(1, 9, (5, 8)), item_ids=ids)
    Chain([Whitening(), NormDiscounting()]).fit(items, seen).save(folder / "map.safetensors")


def load_folder_of_remedy(folder: Path) -> Any:
    return load_remedy(folder / "map.safetensors")


THINGS: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any]]] = {
    "embedding": (save_embedding, Embedding.load),
    "embedding, mapped": (save_embedding, lambda folder: Embedding.load(folder, mmap=True)),
    "interactions": (save_interactions, Interactions.load),
    "store": (save_store, StoredInteractions.load),
    "remedy": (save_remedy, load_folder_of_remedy),
}


def read_files(folder: Path) -> list[Path]:
    """Every file that is read back; the model card is for people, who may edit it."""
    return sorted(path for path in folder.iterdir() if path.name != "README.md")


@pytest.mark.parametrize("thing", THINGS)
def test_every_flipped_bit_is_an_error(tmp_path: Path, rng, thing: str) -> None:
    save, load = THINGS[thing]
    folder = tmp_path / "saved"
    save(folder)
    load(folder)
    for path in read_files(folder):
        whole = path.read_bytes()
        n_bits = 8 * len(whole)
        for bit in rng.choice(n_bits, min(n_bits, FLIPS_A_FILE), replace=False):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << (bit % 8)
            path.write_bytes(flipped)
            with pytest.raises(InputError, match=folder.name):
                load(folder)
        path.write_bytes(whole)
        for other in (whole[:-1], whole + b"\n", b""):
            path.write_bytes(other)
            with pytest.raises(InputError, match=folder.name):
                load(folder)
        path.write_bytes(whole)
    load(folder)  # the control


@pytest.mark.parametrize("thing", THINGS)
def test_a_missing_file_is_named(tmp_path: Path, thing: str) -> None:
    save, load = THINGS[thing]
    folder = tmp_path / "saved"
    save(folder)
    for path in read_files(folder):
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(InputError, match=path.name):
            load(folder)
        path.write_bytes(whole)


def test_a_sealed_manifest_that_leads_elsewhere_or_declares_other_shapes(tmp_path: Path) -> None:
    import json

    from simgauge.storage.manifest import BLANK, SEAL, seal

    Embedding(np.eye(3)).save(tmp_path / "e")
    path = tmp_path / "e" / "simgauge.json"
    facts = json.loads(path.read_text())

    def sealed(**changed: Any) -> None:
        path.write_bytes(seal(json.dumps({**facts, **changed, SEAL: BLANK}).encode()))

    (tmp_path / "secret").write_text("")
    stated = {"bytes": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    for changed in (
        {"files": facts["files"] | {"../secret": stated}},
        {"n_components": 2},
        {"n_items": 4},
        {"n_users": 1},
        {"dtype": {"items": "float32"}},
        {"dtype": "float64"},
        {"files": None},
        {"provenance": None},
    ):
        sealed(**changed)
        with pytest.raises(InputError, match=path.parent.as_posix()):
            Embedding.load(tmp_path / "e")
    sealed()
    Embedding.load(tmp_path / "e")  # the control
    Embedding(np.eye(2)).save(tmp_path / "e")
    assert (tmp_path / "secret").exists()
