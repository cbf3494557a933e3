"""Files of several arrays: the one that is meant, ids and names beside it, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from read.vectors.table_problem import COUNTED, NUMBERS, TABLE, WORDS, assert_whole, read
from simgauge.errors import InputError

TENTH = np.arange(40) % 10
BESIDE: dict[str, tuple[dict[str, Any], list[Any], list[str]]] = {
    "ids": ({"emb": TABLE, "ids": np.array(WORDS)}, WORDS, []),
    "words and counts": ({"emb": TABLE, "words": np.array(WORDS), "counts": TENTH}, WORDS, ["counts (40,)"]),
    "a name that ends in id": ({"emb": TABLE, "movie_ids": np.array(NUMBERS)}, NUMBERS, []),
    "labels that are classes": ({"emb": TABLE, "labels": TENTH}, COUNTED, ["labels (40,)"]),
    "a target": ({"X": TABLE, "y": np.array(COUNTED)}, COUNTED, ["y (40,)"]),
    "a bias": ({"emb": TABLE, "bias": TABLE[:, :1].copy()}, COUNTED, ["bias (40, 1)"]),
    "ids of another length": ({"emb": TABLE, "ids": np.array(WORDS[1:])}, COUNTED, ["ids (39,)"]),
    "ids with duplicates": ({"emb": TABLE, "ids": TENTH}, COUNTED, ["ids (40,)"]),
}


@pytest.mark.parametrize("case", BESIDE)
def test_ids_beside_a_table(case: str, tmp_path: Path) -> None:
    arrays, ids, left = BESIDE[case]
    np.savez(tmp_path / "x.npz", **arrays)
    understood = assert_whole(tmp_path / "x.npz", ids)
    assert understood.get("left_out", []) == left
    assert_whole(tmp_path / "x.npz", COUNTED, ids="positions")


def test_names_beside_a_table(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", emb=TABLE, row_ids=np.array(NUMBERS), item_names=np.array(WORDS))
    found, understood = read(tmp_path / "x.npz")
    assert found.item_names.tolist() == WORDS
    assert (understood["ids"], understood["names"]) == ("array row_ids", "array item_names")


def test_both_sides_keep_their_own_ids(tmp_path: Path) -> None:
    people = [f"u{n}" for n in range(7)]
    arrays = {"item_emb": TABLE, "user_emb": TABLE[:7], "user_ids": np.array(people), "item_ids": np.array(NUMBERS)}
    np.savez(tmp_path / "x.npz", **arrays)
    found, _ = read(tmp_path / "x.npz")
    assert found.item_ids.tolist() == NUMBERS
    assert found.user_ids is not None
    assert found.user_ids.tolist() == people
    assert found.provenance["sources"]["users"]["ids"] == "array user_ids"


def test_vectors_by_name_are_stacked_when_asked(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **dict(zip(WORDS, TABLE, strict=True)))
    with pytest.raises(InputError, match=r"40 arrays of one dimension, 4 numbers each.*pass x\.npz:\*"):
        read(tmp_path / "x.npz")
    assert_whole(f"{tmp_path}/x.npz:*", WORDS)


def test_a_sparse_matrix_in_a_file_and_in_memory(tmp_path: Path) -> None:
    sparse.save_npz(tmp_path / "x.npz", sparse.csr_matrix(TABLE))
    with pytest.raises(InputError, match=r"read_embedding\(scipy\.sparse\.load_npz\(path\)\)"):
        read(tmp_path / "x.npz")
    assert_whole(sparse.load_npz(tmp_path / "x.npz"), COUNTED)


def test_hdf5(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["emb"], file["ids"], file["deep/classes"] = TABLE, WORDS, TENTH
    assert assert_whole(tmp_path / "x.h5", WORDS)["left_out"] == ["deep/classes (40,)"]
    with h5py.File(tmp_path / "x.h5", "a") as file:
        file["deep/other"] = -TABLE
    with pytest.raises(InputError, match=r"deep/other \(40, 4\), emb \(40, 4\).*Say which"):
        read(tmp_path / "x.h5")
    assert np.array_equal(-read(f"{tmp_path}/x.h5:deep/other")[0].items, TABLE)
    (tmp_path / "cut.h5").write_bytes((tmp_path / "x.h5").read_bytes()[:900])
    with pytest.raises(InputError, match=r"cut\.h5 is damaged or cut off"):
        read(tmp_path / "cut.h5")


def test_checkpoints(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(TABLE)
    torch.save({"emb": tensor}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    torch.save({"emb": tensor.to_sparse()}, tmp_path / "sparse.pt")
    torch.save(tensor, tmp_path / "bare.pt")
    for name in ("old", "sparse", "bare"):
        assert_whole(tmp_path / f"{name}.pt", COUNTED)
    torch.save({word: tensor[row].clone() for row, word in enumerate(WORDS)}, tmp_path / "words.pt")
    assert_whole(f"{tmp_path}/words.pt:*", WORDS)
    torch.save({"emb": torch.zeros(2, 2).to(torch.float8_e5m2)}, tmp_path / "odd.pt")
    with pytest.raises(InputError, match=r"odd\.pt:emb holds float8_e5m2"):
        read(tmp_path / "odd.pt")


def test_sparse_tensors_with_indices_outside_are_refused(tmp_path: Path) -> None:
    """Written out, such a tensor would end the process."""
    torch = pytest.importorskip("torch")
    indices = torch.tensor([[0, 1], [2, 3]])
    tensor = torch.sparse_coo_tensor(indices, torch.tensor([1.0, 2.0]), (4, 4), check_invariants=True).coalesce()
    torch.save({"emb": tensor}, tmp_path / "x.pt")
    assert read(tmp_path / "x.pt")[0].items[1, 3] == 2.0
    tensor.indices()[0, 0] = 10**6
    torch.save({"emb": tensor}, tmp_path / "x.pt")
    with pytest.raises(InputError, match=r"x\.pt is a pickled PyTorch checkpoint that cannot be read"):
        read(tmp_path / "x.pt")
