"""Embedding: frozen, checked, saved whole or not at all, and read back bit by bit."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simgauge import Embedding
from simgauge.errors import InputError


@pytest.fixture
def embedding(rng):
    return Embedding(
        rng.standard_normal((4, 3)).astype(np.float32),
        users=rng.standard_normal((2, 3)).astype(np.float32),
        item_ids=["a", "b", "ü", "<b>"],
        user_ids=[7, 9],
        item_names=["Tea", "tea", 'O\'Neill, "Bob"', "<script>"],
        provenance={"library": "test"},
    )


def test_it_is_frozen(embedding):
    with pytest.raises(AttributeError):
        embedding.items = np.ones((2, 2))
    with pytest.raises(ValueError, match="read-only"):
        embedding.items[0, 0] = 1
    with pytest.raises(TypeError):
        embedding.provenance["library"] = "other"


def test_what_is_saved_is_what_is_loaded(embedding, tmp_path):
    loaded = Embedding.load(embedding.save(tmp_path / "e"))
    np.testing.assert_array_equal(loaded.items, embedding.items)
    np.testing.assert_array_equal(loaded.users, embedding.users)
    assert loaded.items.dtype == np.float32
    assert loaded.item_ids.tolist() == embedding.item_ids.tolist()
    assert loaded.user_ids.tolist() == [7, 9]
    assert loaded.item_names.tolist() == embedding.item_names.tolist()
    assert dict(loaded.provenance) == {"library": "test"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e"]


@settings(deadline=None, max_examples=25)
@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=6))
def test_any_text_survives_as_a_name(names, tmp_path_factory):
    path = tmp_path_factory.mktemp("names") / "e"
    Embedding(np.eye(len(names)), item_names=names).save(path)
    assert Embedding.load(path).item_names.tolist() == names


def test_saving_replaces_only_what_simgauge_wrote(embedding, tmp_path):
    embedding.save(tmp_path / "e")
    Embedding(np.eye(2)).save(tmp_path / "e")
    assert Embedding.load(tmp_path / "e").users is None
    precious = tmp_path / "work"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years")
    with pytest.raises(InputError, match="was not written by simgauge"):
        embedding.save(precious)
    assert (precious / "thesis.txt").read_text() == "years"
    with pytest.raises(InputError, match="is a file"):
        embedding.save(precious / "thesis.txt")


def test_an_interrupted_save_leaves_what_was_there(embedding, tmp_path, monkeypatch):
    embedding.save(tmp_path / "e")

    def disk_full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", disk_full)
    with pytest.raises(InputError, match=r"is full\. Nothing was left behind"):
        Embedding(np.eye(2)).save(tmp_path / "e")
    monkeypatch.undo()
    assert Embedding.load(tmp_path / "e").n_items == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e"]


def test_a_directory_that_cannot_be_made(embedding, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make the directory"):
        embedding.save(tmp_path / "file" / "deeper")


@pytest.mark.parametrize("part", ["vectors.safetensors", "items.parquet", "users.parquet", "simgauge.json"])
def test_damaged_directories_are_refused(embedding, tmp_path, part):
    path = embedding.save(tmp_path / "e") / part
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"damaged|cut off or altered"):
        Embedding.load(tmp_path / "e")
    path.unlink()
    with pytest.raises(InputError, match="missing"):
        Embedding.load(tmp_path / "e")


def test_newer_formats_are_refused(embedding, tmp_path):
    path = embedding.save(tmp_path / "e") / "simgauge.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 99}))
    with pytest.raises(InputError, match="version 99 is newer"):
        Embedding.load(tmp_path / "e")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"items": np.eye(3), "users": np.eye(2)}, "items have 3 columns and users 2"),
        ({"items": np.eye(2), "item_ids": [1, 1]}, "1 labels are duplicates"),
        ({"items": np.eye(2), "item_ids": [1, 2, 3]}, "3 labels for 2 rows"),
        ({"items": np.eye(2), "item_ids": [1.5, 2.5]}, "integers or text"),
        ({"items": np.eye(2), "item_ids": np.array([1, 2**64 - 1], dtype=np.uint64)}, "does not fit into 64 bits"),
        ({"items": np.eye(2), "item_ids": ["a", None]}, "missing"),
        ({"items": np.eye(2), "item_names": ["one"]}, "1 names for 2 items"),
        ({"items": np.eye(2), "user_ids": [1]}, "without users"),
        ({"items": np.eye(2) * np.nan}, "NaN"),
    ],
)
def test_bad_tables_and_ids_are_refused(arguments, text):
    with pytest.raises(InputError, match=text):
        Embedding(**arguments)


def test_items_are_found_by_name_then_id_then_case(embedding):
    assert embedding.find_items(["Tea", "ü", 'o\'neill, "BOB"']).tolist() == [0, 2, 2]
    assert Embedding(np.eye(3), item_ids=[10, 20, 30]).find_items([20, "30"]).tolist() == [1, 2]
    with pytest.raises(InputError, match="Did you mean"):
        embedding.find_items(["<scrpt>"])
    twins = Embedding(np.eye(3), item_names=["x", "x", "y"], item_ids=["p", "q", "r"])
    with pytest.raises(InputError, match=r"2 items are called 'x': pass one of the ids 'p', 'q'"):
        twins.find_items(["x"])
