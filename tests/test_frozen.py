"""What objects know of themselves cannot be changed, and objects can be copied, pickled and sent to other processes."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from simgauge import Embedding, Interactions, LinearAutoencoder, audit
from simgauge.errors import InputError
from simgauge.frozen import FrozenDict, FrozenList, frozen, frozen_json

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
