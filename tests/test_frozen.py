"""What objects know of themselves cannot be changed, and objects can be copied, pickled and sent to other processes."""

from __future__ import annotations

import copy
import dataclasses
import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest

from simgauge import Embedding, Interactions, LinearAutoencoder, audit, fix
from simgauge.errors import InputError
from simgauge.evidence import PairJudgements
from simgauge.frozen import FrozenDict, FrozenList, frozen, frozen_json
from simgauge.neighbors import compare_neighbors

KNOWN = {"source": {"files": ["a.csv", {"rows": 3}]}}

CHANGES = [
    lambda known: known.update(a=1), lambda known: known.pop("source"), lambda known: known.clear(),
    lambda known: known.setdefault("a", 1), lambda known: known.popitem(), lambda known: known.__setitem__("a", 1),
    lambda known: known.__delitem__("source"), lambda known: known.__ior__({"a": 1}),
    lambda known: known["source"].update(a=1), lambda known: known["source"]["files"].append(1),
    lambda known: known["source"]["files"].sort(key=str), lambda known: known["source"]["files"].__setitem__(0, "b"),
    lambda known: known["source"]["files"].__iadd__([1]), lambda known: known["source"]["files"].pop(),
    lambda known: known["source"]["files"].extend([1]), lambda known: known["source"]["files"].insert(0, 1),
    lambda known: known["source"]["files"].remove("a.csv"), lambda known: known["source"]["files"].clear(),
    lambda known: known["source"]["files"].reverse(), lambda known: known["source"]["files"].__delitem__(0),
    lambda known: known["source"]["files"].__imul__(2), lambda known: known["source"]["files"][1].update(rows=4),
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_refused_however_deep(change) -> None:
    known = frozen_json(KNOWN, "report")
    with pytest.raises(TypeError, match="cannot be changed"):
        change(known)
    assert known == KNOWN
    change(json.loads(json.dumps(KNOWN)))  # the control: a plain one takes it


def test_no_method_that_changes_is_forgotten() -> None:
    harmless = {"__init__", "__new__", "__setattr__", "__delattr__", "__reduce_ex__"}
    for kind, base in ((FrozenDict, dict), (FrozenList, list)):
        value = kind(a=1) if base is dict else kind([1])
        for name in set(dir(base)) - harmless:
            if kind.__dict__.get(name) is None and callable(getattr(base, name)):
                for arguments in ((), (0,), (0, 0), ("a",), ([1],), ({"b": 2},)):
                    try:
                        getattr(value, name)(*arguments)
                    except (TypeError, KeyError, ValueError, AttributeError, IndexError):
                        continue
                assert value == ({"a": 1} if base is dict else [1]), f"{name}"


def test_json_copies_and_pickles_take_it_as_a_dict() -> None:
    known = frozen_json(KNOWN, "report")
    assert json.loads(json.dumps(known)) == KNOWN == {**known}
    for again in (pickle.loads(pickle.dumps(known)), copy.copy(known), copy.deepcopy(known)):  # noqa: S301
        assert again == KNOWN
        assert isinstance(again["source"]["files"], FrozenList)
    assert frozen((1, "a")) == (1, "a")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, np.arange(2), object()])
def test_what_json_has_not_is_refused(value) -> None:
    for make in (
        lambda: Embedding(np.eye(2), provenance={"a": [value]}),
        lambda: Interactions(np.eye(2), report={"a": value}),
    ):
        with pytest.raises(InputError, match="expected what JSON can hold"):
            make()


def things() -> dict[str, object]:
    rng = np.random.default_rng(0)
    model = Embedding(rng.standard_normal((12, 3)), users=rng.standard_normal((9, 3)), provenance=KNOWN)
    return {
        "embedding": model,
        "interactions": Interactions(np.eye(3), report=KNOWN),
        "audit": audit(model, k=3),
        "model": LinearAutoencoder(2).fit(np.eye(4) + 1.0),
    }


def content(thing: object) -> str:
    if isinstance(thing, Embedding):
        return repr((thing.items.tolist(), thing.item_ids.tolist(), dict(thing.provenance)))
    if isinstance(thing, Interactions):
        return repr((thing.matrix.toarray().tolist(), dict(thing.report)))
    return repr(thing.decoder_.tolist()) if isinstance(thing, LinearAutoencoder) else thing.to_json()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["embedding", "interactions", "audit", "model"])
def test_objects_are_copied_and_sent(name: str) -> None:
    thing = things()[name]
    for again in (pickle.loads(pickle.dumps(thing)), copy.copy(thing), copy.deepcopy(thing)):  # noqa: S301
        assert content(again) == content(thing)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(content, thing).result(timeout=120) == content(thing)


def test_copies_of_embeddings_stay_read_only() -> None:
    model = things()["embedding"]
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):  # noqa: S301
        with pytest.raises(ValueError, match="read-only"):
            again.items[0, 0] = 1.0


def test_details_of_findings_cannot_be_changed() -> None:
    for finding in audit(np.random.default_rng(0).standard_normal((12, 3)), k=3).findings:
        with pytest.raises(TypeError, match="cannot be changed"):
            finding.details["a"] = 1  # type: ignore[index]


def arrays_of(thing: object) -> list[np.ndarray]:
    """Every array that an object holds, those of a sparse matrix among them."""
    parts = vars(thing).values() if hasattr(thing, "__dict__") else ()
    own = [part for part in parts if isinstance(part, np.ndarray)]
    matrix = getattr(thing, "matrix", None)
    return own if matrix is None else [*own, matrix.data, matrix.indices, matrix.indptr]


@pytest.mark.parametrize("name", ["embedding", "interactions"])
def test_arrays_are_read_only_before_and_after_a_copy(name: str, tmp_path: Path) -> None:
    thing = things()[name]
    joblib.dump(thing, tmp_path / "thing.joblib")
    again = [pickle.loads(pickle.dumps(thing)), copy.deepcopy(thing), joblib.load(tmp_path / "thing.joblib")]  # noqa: S301
    for one in (thing, *again):
        assert len(arrays_of(one)) >= 4
        assert not any(array.flags.writeable for array in arrays_of(one))
        assert content(one) == content(thing)
    if name == "interactions":
        known = again[0].align([2, 1, 0])  # what is read-only can be worked with
        assert known.matrix.toarray().tolist() == np.eye(3)[:, ::-1].tolist()


@pytest.mark.parametrize("again", [lambda one: one, lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy])  # noqa: S301
def test_selections_and_comparisons_are_frozen(again) -> None:
    rng = np.random.default_rng(0)
    model = Embedding(rng.standard_normal((40, 3)), users=rng.standard_normal((9, 3)), item_ids="positions")
    evidence = PairJudgements(np.arange(20), np.arange(20, 40), rng.random(20))
    chosen = again(fix(model, evidence, n_resamples=50))
    for known in (chosen.evidence, chosen.settings, chosen.evidence["ids"]):
        with pytest.raises(TypeError, match="cannot be changed"):
            known["a"] = 1
    with pytest.raises(TypeError, match="cannot be changed"):
        chosen.evidence["notes"].append("a")
    compared = again(compare_neighbors({"one": model}, [0], 3))
    for thing, field in ((chosen, "summary"), (compared, "lists"), (compared.lists[0], "ids")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, field, ())
    assert isinstance(compared.lists, tuple)
    assert all(isinstance(entry.scores, tuple) for entry in compared.lists)


@pytest.mark.parametrize("name", ["audit", "model"])
def test_joblib_keeps_what_was_found(name: str, tmp_path: Path) -> None:
    thing = things()[name]
    joblib.dump(thing, tmp_path / "thing.joblib", compress=3)
    assert content(joblib.load(tmp_path / "thing.joblib")) == content(thing)
