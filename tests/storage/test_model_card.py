"""The card beside a saved embedding: read by a YAML library, true of the files, and never written over somebody's
words."""

from __future__ import annotations

import hashlib
import warnings

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.errors import KeptFilesWarning
from simgauge.selection import fix
from simgauge.storage.model_card import CARD_FILE, is_own_card, yaml_value

yaml = pytest.importorskip("yaml")


def front_matter(folder):
    text = (folder / CARD_FILE).read_text(encoding="utf-8")
    start, middle, _ = text.split("---\n", 2)
    assert start == ""
    return yaml.safe_load(middle)


def test_the_card_says_what_the_vectors_are_and_its_hashes_are_true(rng, tmp_path):
    model = Embedding(
        rng.normal(size=(30, 4)).astype(np.float32), rng.normal(size=(20, 4)), provenance={"objective": "als"}
    )
    chosen = fix(model)
    chosen.save(tmp_path / "e", model)
    card = front_matter(tmp_path / "e")
    assert (card["n_items"], card["n_users"], card["n_components"]) == (30, 20, 4)
    assert (card["dtype"]["items"], card["objective"]) == ("float32", "als")
    assert card["metric"] == chosen.metric
    assert card["evidence"]["decision"] == chosen.decision
    files = {path.name for path in (tmp_path / "e").iterdir()} - {CARD_FILE}
    assert set(card["files"]) == files >= {"map.safetensors", "simgauge.json", "vectors.safetensors"}
    for name, stated in card["files"].items():
        assert hashlib.sha256((tmp_path / "e" / name).read_bytes()).hexdigest() == stated
    assert card["map_sha256"] == card["files"]["map.safetensors"]
    Embedding.load(tmp_path / "e")


def test_our_card_is_replaced_and_edited_or_foreign_ones_stay(tmp_path):
    folder = tmp_path / "e"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Embedding(np.eye(3)).save(folder)
        Embedding(np.eye(4)).save(folder)
    assert front_matter(folder)["n_items"] == 4
    edited = (folder / CARD_FILE).read_bytes().replace(b"Compare them", b"Please compare them")
    for words in (edited, b"my notes\n", b'---\nsimgauge_card: "' + b"0" * 64 + b'"\n---\n', b""):
        (folder / CARD_FILE).write_bytes(words)
        with pytest.warns(KeptFilesWarning, match=CARD_FILE):
            Embedding(np.eye(5)).save(folder)
        assert (folder / CARD_FILE).read_bytes() == words
        assert Embedding.load(folder).n_items == 5, "an edited card does not damage the embedding"


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_readme_that_is_no_plain_file_stays(tmp_path, kind):
    folder = tmp_path / "e"
    Embedding(np.eye(3)).save(folder)
    (folder / CARD_FILE).unlink()
    if kind == "link":
        (folder / CARD_FILE).symlink_to(tmp_path / "elsewhere.md")
    else:
        (folder / CARD_FILE).mkdir()
    with pytest.warns(KeptFilesWarning, match=CARD_FILE):
        Embedding(np.eye(5)).save(folder)
    assert not is_own_card(folder / CARD_FILE)
    assert not (tmp_path / "elsewhere.md").exists()


NASTY = [
    "a: b # c",
    "- x",
    "'\"\\",
    "yes",
    "null",
    "1e5",
    "---\nsimgauge_card: 1",
    "\x00\x07\x1b\x7f\x85\x9f",
    "\u2028\u202e\ufeff\uffff",
    "tea\tü😀",
    "{a}",
    "&x *y !z %w @v `u`",
    "",
]


@pytest.mark.parametrize("text", NASTY)
def test_any_name_survives_the_yaml(text, tmp_path):
    Embedding(np.eye(3), provenance={"model": text, "gauge": {text: [text]}}).save(tmp_path / "e")
    card = front_matter(tmp_path / "e")
    assert (card["model"], card["gauge"]) == (text, {text: [text]})
    assert is_own_card(tmp_path / "e" / CARD_FILE)


@pytest.mark.parametrize("value", [1e-05, 1e22, 1.5e-7, 0.1, 3, True, None, [1e-9, {"a": 2.0}]])
def test_numbers_stay_numbers(value):
    assert yaml.safe_load(yaml_value(value)) == value


def test_the_same_embedding_gives_the_same_card(tmp_path):
    cards = [(Embedding(np.eye(3)).save(tmp_path / name) / CARD_FILE).read_bytes() for name in "ab"]
    assert cards[0] == cards[1]
