"""Saved maps come back bit by bit; whatever else a file holds is refused, and nothing in it is executed."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file
from sklearn.base import clone

from remedy_problems import REMEDIES, two_sides, used
from simgauge import Embedding
from simgauge.errors import InputError
from simgauge.remedies import CanonicalGauge, Centering, LeaveAlone, Whitening, fingerprint, load_remedy
from simgauge.remedies.saved_form import HEADER, header_end
from simgauge.storage.manifest import BLANK, SEAL, seal


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda remedy: remedy.name)
def test_round_trip_gives_the_same_bits(rng, tmp_path, remedy):
    embedding = two_sides(rng)
    fitted = clone(remedy).fit(embedding, used(rng, embedding))
    path = fitted.save(tmp_path / "map.safetensors")
    loaded = load_remedy(path)
    assert loaded.name == fitted.name
    assert loaded.get_params(deep=False).keys() == fitted.get_params(deep=False).keys()
    assert loaded.predictions_ == fitted.predictions_
    assert fingerprint(loaded) == fingerprint(fitted)
    before, after = fitted.transform(embedding), loaded.transform(embedding)
    np.testing.assert_array_equal(after.items, before.items)
    np.testing.assert_array_equal(after.users, before.users)
    np.testing.assert_array_equal(after.user_ids, before.user_ids)
    for one, two in zip(fitted.neighbors(embedding, 3), loaded.neighbors(embedding, 3), strict=True):
        np.testing.assert_array_equal(one, two)
    assert [file.name for file in tmp_path.iterdir()] == ["map.safetensors"]  # no temporary file is left


def test_a_saved_map_refuses_vectors_of_another_width(rng, tmp_path):
    path = Whitening().fit(two_sides(rng)).save(tmp_path / "map")
    with pytest.raises(InputError, match="whitening was fitted on vectors of width 6, received width 7"):
        load_remedy(path).transform_items(np.ones((2, 7)))
    with pytest.raises(InputError, match="fitted on vectors of width 6, received width 2"):
        load_remedy(path).transform(Embedding(np.eye(2)))


def test_fingerprints_tell_maps_apart(rng):
    one, two = two_sides(rng), two_sides(rng)
    assert fingerprint(Centering().fit(one)) == fingerprint(Centering().fit(one))
    assert fingerprint(Centering().fit(one)) != fingerprint(Centering().fit(two))
    assert fingerprint(LeaveAlone().fit(one)) != fingerprint(LeaveAlone("dot").fit(one))


@pytest.fixture
def saved(rng, tmp_path):
    return CanonicalGauge(1.0).fit(two_sides(rng)).save(tmp_path / "map.safetensors")


def rewrite(path, change, *, sign=True):
    """The file with a changed header or tensors; with `sign`, its hash is made right again, as an attacker would."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        spec = json.loads(file.metadata()[HEADER])
    tensors = load_file(path)
    change(spec, tensors)
    stated = spec.pop(SEAL)
    content = save(tensors, metadata={HEADER: json.dumps({**spec, SEAL: BLANK if sign else stated})})
    path.write_bytes(seal(content, header_end(content)) if sign else content)


def test_rewriting_nothing_is_accepted(saved):
    """Control of the cases below."""
    rewrite(saved, lambda *_: None)
    assert load_remedy(saved).name == "canonical(power=1, center=none)"


HOSTILE = {
    "a class that is no remedy": (lambda spec, _: spec.update({"class": "os.system"}), "no remedy of this simgauge"),
    "a class that exists but is no remedy": (
        lambda spec, _: spec.update({"class": "Remedy"}),
        "no remedy of this simgauge",
    ),
    "a parameter that does not exist": (lambda spec, _: spec["params"].update(run="rm"), "has no parameter 'run'"),
    "a parameter out of range": (lambda spec, _: spec["params"].update(power=99), "power=99"),
    "a parameter of another kind": (lambda spec, _: spec["params"].update(power={"a": 1}), "damaged"),
    "a width that is not the map's": (lambda spec, _: spec["facts"].update(n_features_in_=3), "does not have 3 rows"),
    "a width that is no number": (lambda spec, _: spec["facts"].update(n_features_in_="6"), "n_features_in_ is '6'"),
    "an outcome that is unknown": (
        lambda spec, _: spec["facts"].update(predictions_="better"),
        "predictions_ is 'better'",
    ),
    "NaN": (lambda _, tensors: tensors["item_matrix_"].__setitem__((0, 0), np.nan), "NaN or infinite"),
    "a tensor of another shape": (lambda _, tensors: tensors.update(user_matrix_=np.ones((6, 2))), "differ in shape"),
    "a tensor missing": (lambda _, tensors: tensors.pop("mean_"), "mean_"),
    "numbers as text": (lambda _, tensors: tensors.update(mean_=np.zeros(6, np.uint8)), "mean_ holds uint8"),
    "a newer format": (lambda spec, _: spec.update(format_version=99), "format version 99 is not the one"),
    "no parameters": (lambda spec, _: spec.pop("params"), "params"),
    "facts of another kind": (lambda spec, _: spec.update(facts=[1]), "damaged"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_with_a_right_hash_and_wrong_contents_is_refused(saved, case):
    change, message = HOSTILE[case]
    rewrite(saved, change)
    with pytest.raises(InputError, match=message):
        load_remedy(saved)


def test_an_altered_number_is_noticed(saved):
    rewrite(saved, lambda _, tensors: tensors["mean_"].__setitem__(0, 1.0), sign=False)
    with pytest.raises(InputError, match="SHA-256 differs"):
        load_remedy(saved)


BOMB = b"cbuiltins\nexit\n(I1\ntR."
"""A pickle that would end the interpreter."""


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 100, BOMB, pickle.dumps({"a": 1}), b"\xff" * 8 + b"{}", b'{"class": "Whitening"}']
)
def test_other_files_are_refused_and_not_executed(tmp_path, content):
    path = tmp_path / "map.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a saved remedy or is damaged"):
        load_remedy(path)


def test_cut_off_files_folders_and_other_safetensors(saved, tmp_path):
    whole = saved.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, 9):
        saved.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"damaged|SHA-256 differs"):
            load_remedy(saved)
    with pytest.raises(InputError, match="does not exist or is no file"):
        load_remedy(tmp_path)
    with pytest.raises(InputError, match="does not exist or is no file"):
        load_remedy(tmp_path / "nowhere")
    save_file({"items": np.eye(2)}, tmp_path / "vectors.safetensors")
    with pytest.raises(InputError, match="not a saved remedy"):
        load_remedy(tmp_path / "vectors.safetensors")


def test_a_header_nested_without_end(tmp_path):
    deep = '{"class":"Chain","params":{},"steps":[' * 5000
    save_file({"empty": np.zeros(1)}, tmp_path / "map", metadata={HEADER: deep})
    with pytest.raises(InputError, match="damaged"):
        load_remedy(tmp_path / "map")
